"""Concurrent requests share a forward pass, and each gets its own series."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from app.auth import OWNER
from app.db import engine
from app.db.engine import Database
from app.db.tables import StoredForecasts
from app.errors import NotFound
from app.services.forecasting import batching
from app.services.forecasting.batching import Batch, Batcher
from app.services.forecasting.formats import page_json
from app.services.forecasting.model_loading import load_model
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import Plan, find_plan
from app.services.registry import quantile_forecasts
from app.services.registry.quantile_forecasts import LoadedModel
from models.methods.combination import QuantileForecast
from tests.factories import dataset, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")
Ready = tuple[Plan, LoadedModel]
Outcome = Batch | BaseException


@pytest.fixture
def ready(database: Database) -> Ready:
    return prepared(database)


def prepared(database: Database) -> Ready:
    """A model of which nothing is stored, so that all is computed."""
    dataset_id = dataset(database, trends(count=5)).id
    trained(database, dataset_id)
    with database.write() as session:
        session.query(StoredForecasts).delete()
    with database.read() as session:
        plan = find_plan(session, OWNER, ForecastRequest(dataset_id=dataset_id))
    return plan, load_model(database, plan.model, plan.axis.seasons, "cpu")


def batcher_of(database: Database, ready: Ready) -> Batcher:
    async def load(_: Plan) -> LoadedModel:
        return ready[1]

    return Batcher(database, load)


def forecast_all(database: Database, ready: Ready, *requests: tuple[str, ...]) -> list[Outcome]:
    """Make all requests at once."""

    async def main() -> list[Outcome]:
        batcher = batcher_of(database, ready)
        pending = [batcher.forecast(ready[0], names) for names in requests]
        return await asyncio.gather(*pending, return_exceptions=True)

    return asyncio.run(asyncio.wait_for(main(), 60))


def names_of(outcome: Outcome) -> list[str]:
    assert isinstance(outcome, Batch)
    return list(outcome.series.unique_ids)


def test_concurrent_requests_share_one_pass(database: Database, ready: Ready, passes: list[int]) -> None:
    outcomes = forecast_all(database, ready, ("series 1",), ("series 3", "series 0"), ("series 1",))
    assert [names_of(outcome) for outcome in outcomes] == [["series 0", "series 1", "series 3"]] * 3
    assert passes == [3]


def test_forecast_is_that_of_the_series_alone(database: Database, ready: Ready) -> None:
    (alone,) = forecast_all(database, ready, ("series 4",))
    *_, together = forecast_all(database, ready, ("series 0",), ("series 2",), ("series 4",))
    assert isinstance(alone, Batch)
    assert isinstance(together, Batch)
    assert together.series.records[-1:].tolist() == alone.series.records.tolist()
    wanted = ready[0], ("series 4",), (80, 66)
    assert together.page_json(*wanted) == alone.page_json(*wanted) == page_json(alone.result(*wanted))


def test_unknown_name_fails_its_own_request_alone(database: Database, ready: Ready) -> None:
    missing, found = forecast_all(database, ready, ("series 9", "series 0"), ("series 0",))
    assert isinstance(missing, NotFound)
    assert missing.errors[0].detail == "'series 9' is not there."
    assert names_of(found) == ["series 0"]


def test_much_work_leaves_the_event_loop(
    database: Database, ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "INLINE_WORK", 0)
    assert names_of(forecast_all(database, ready, ("series 2",))[0]) == ["series 2"]


def test_more_than_fit_into_a_pass_go_into_the_next(
    database: Database, ready: Ready, passes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MAX_BATCH", 2)
    outcomes = forecast_all(database, ready, *[(f"series {number}",) for number in range(5)])
    firsts = [0, 0, 2, 2]
    names = [[f"series {first}", f"series {first + 1}"] for first in firsts] + [["series 4"]]
    assert [names_of(outcome) for outcome in outcomes] == names
    assert passes == [2, 2, 1]


def test_cancelled_request_is_not_computed(database: Database, ready: Ready, passes: list[int]) -> None:
    async def main() -> None:
        batcher = batcher_of(database, ready)
        gone = asyncio.create_task(batcher.forecast(ready[0], ("series 0",)))
        await asyncio.sleep(0)
        gone.cancel()
        await batcher.forecast(ready[0], ("series 1",))

    asyncio.run(main())
    assert passes == [1]


def test_failure_reaches_every_request(
    database: Database, ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> QuantileForecast:
        raise ZeroDivisionError

    monkeypatch.setattr(quantile_forecasts, "compute_quantile_forecast", fail)
    failed = forecast_all(database, ready, ("series 0",), ("series 1",))
    assert [type(error) for error in failed] == [ZeroDivisionError, ZeroDivisionError]


def test_fault_after_the_pass_is_raised_and_leaves_nothing_behind(
    database: Database, ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    async def main() -> list[Outcome]:
        batcher = batcher_of(database, ready)
        with monkeypatch.context() as patched:
            patched.setattr(batching, "_settle", fail)
            first = await asyncio.gather(batcher.forecast(ready[0], ("series 0",)), return_exceptions=True)
        return [*first, await batcher.forecast(ready[0], ("series 0",))]

    failed, again = asyncio.run(asyncio.wait_for(main(), 10))
    assert isinstance(failed, MemoryError)
    assert names_of(again) == ["series 0"]


def test_cancelled_work_leaves_no_request_waiting(database: Database, ready: Ready) -> None:
    async def main() -> list[Outcome]:
        batcher = batcher_of(database, ready)
        pending = asyncio.gather(batcher.forecast(ready[0], ("series 0",)), return_exceptions=True)
        for _ in range(2):  # until it is pending, and worked on
            await asyncio.sleep(0)
        (work,) = batcher._tasks
        work.cancel()
        return [*await pending, await batcher.forecast(ready[0], ("series 0",))]

    broken_off, again = asyncio.run(asyncio.wait_for(main(), 10))
    assert isinstance(broken_off, asyncio.CancelledError)
    assert names_of(again) == ["series 0"]


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.dispose()


def test_event_loop_waits_for_no_connection(on_sqlite: Database) -> None:
    ready = prepared(on_sqlite)
    with ExitStack() as readers:
        for _ in range(engine.READING):
            readers.enter_context(on_sqlite.reader.connect())
        (outcome,) = forecast_all(on_sqlite, ready, ("series 0",))
    assert names_of(outcome) == ["series 0"]


def test_event_loop_waits_for_no_lock(on_sqlite: Database) -> None:
    """A wait in the loop would never end: the loop releases the lock."""
    ready = prepared(on_sqlite)
    on_sqlite.dispose()

    async def main() -> Outcome:
        with closing(sqlite3.connect(on_sqlite.file, isolation_level=None)) as owner:
            owner.execute("PRAGMA locking_mode=EXCLUSIVE")
            owner.execute("BEGIN IMMEDIATE")
            pending = asyncio.create_task(batcher_of(on_sqlite, ready).forecast(ready[0], ("series 0",)))
            await asyncio.sleep(0.05)
            assert not pending.done()
        return await pending

    assert names_of(asyncio.run(main())) == ["series 0"]
