"""Forecasts that a worker stores again: once, whatever is killed, and whoever else stores."""

from collections.abc import Callable
from typing import Any

import pytest

from app.auth import OWNER
from app.db.engine import Database, DatasetRef
from app.db.queries import forecasts as queries
from app.db.queries import processes
from app.db.tables import ForecastChunk, StoredForecasts
from app.services.forecasting import storing
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import find_plan
from app.services.jobs import states
from app.services.registry import stored_forecasts
from app.services.registry.quantile_forecasts import SeriesQuantiles
from tests.factories import appended, dataset, entered, queued_job, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")
SERIES = 40


@pytest.fixture
def ref(database: Database) -> DatasetRef:
    """A dataset whose champion has stored everything."""
    dataset_id = dataset(database, trends(SERIES)).id
    trained(database, dataset_id)
    return DatasetRef(OWNER.workspace_id, dataset_id)


@pytest.fixture
def portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_forecasts, "PORTION", 10)


def stored(database: Database, ref: DatasetRef) -> dict[str, int]:
    """The series that are stored, each with the version of the index row that it was made from."""
    with database.read() as session:
        plan = find_plan(session, OWNER, ForecastRequest(dataset_id=ref.dataset_id))
        if plan.stored_id is None:
            return {}
        chunks = queries.between(session, ref.workspace_id, plan.stored_id, "", "z")
    found = SeriesQuantiles.joined([SeriesQuantiles.unpack(data) for data in chunks])
    assert found.unique_ids == sorted(set(found.unique_ids))
    return dict(zip(found.unique_ids, found.versions.tolist(), strict=True))


def due(database: Database, since: int | None = None) -> list[DatasetRef]:
    return storing.due(database, since).datasets


def forget(database: Database) -> None:
    with database.write() as session:
        session.query(StoredForecasts).delete()


def failing_after(count: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """A function that breaks off at the call after so many."""
    calls = 0

    def watched(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > count:
            raise KeyboardInterrupt
        return call(*arguments)

    return watched


def test_nothing_is_due_after_a_training(database: Database, ref: DatasetRef) -> None:
    assert due(database) == []
    assert set(stored(database, ref).values()) == {1}
    assert len(stored(database, ref)) == SERIES


def test_dataset_is_due_from_a_change_of_its_series_until_they_are_stored(
    database: Database, ref: DatasetRef
) -> None:
    before = storing.due(database, None).number
    assert due(database, before) == []
    appended(database, ref.dataset_id, ("series 3", 2000, 1.0), ("a new one", 1999, 1.0))
    assert due(database, before) == due(database) == [ref]
    assert storing.store_all(database, [ref], "worker")
    assert due(database) == []
    found = stored(database, ref)
    assert (found["series 3"], found["a new one"], found["series 4"]) == (2, 2, 1)
    assert len(found) == SERIES + 1


def test_only_changed_series_are_computed(database: Database, ref: DatasetRef, passes: list[int]) -> None:
    appended(database, ref.dataset_id, ("series 3", 2000, 1.0), ("series 30", 2000, 1.0))
    passes.clear()
    assert storing.store_all(database, [ref], "worker")
    assert passes == [2]


def test_model_from_before_gets_everything_stored(database: Database, ref: DatasetRef) -> None:
    before = stored(database, ref)
    forget(database)
    assert due(database) == [ref]
    newest = storing.due(database, None).number
    assert storing.store_all(database, [ref], "worker")
    assert stored(database, ref) == before
    assert storing.due(database, None).number == newest + 1  # so that API processes look again


def test_another_release_stores_its_own_in_place_of_what_the_last_one_stored(
    database: Database, ref: DatasetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_forecasts, "release", lambda: "the next one")
    assert (stored(database, ref), due(database)) == ({}, [ref])
    assert storing.store_all(database, [ref], "worker")
    assert len(stored(database, ref)) == SERIES
    with database.read() as session:
        assert session.query(StoredForecasts).count() == 1


@pytest.mark.usefixtures("portions")
def test_storing_that_was_killed_goes_on_where_it_was(
    database: Database, ref: DatasetRef, passes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(database)
    passes.clear()
    with monkeypatch.context() as patched:
        patched.setattr(stored_forecasts, "write", failing_after(2, stored_forecasts.write))
        with pytest.raises(KeyboardInterrupt):
            storing.store_all(database, [ref], "worker")
    assert (len(stored(database, ref)), due(database)) == (20, [ref])
    assert storing.store_all(database, [ref], "worker")
    assert len(stored(database, ref)) == SERIES
    assert passes == [10, 10, 10, 10, 10]  # the third portion twice: it was killed before its commit


def test_second_worker_leaves_storing_to_the_first_while_it_lives(
    database: Database, ref: DatasetRef
) -> None:
    appended(database, ref.dataset_id, ("series 3", 2000, 1.0))
    first = entered(database)
    with database.write() as session:
        plan = find_plan(session, OWNER, ForecastRequest(dataset_id=ref.dataset_id))
        assert queries.hold(session, ref.workspace_id, str(plan.stored_id), first)
    assert not storing.store_all(database, [ref], "second")
    assert stored(database, ref)["series 3"] == 1
    with database.write() as session:
        processes.remove(session, first)
    assert storing.store_all(database, [ref], "second")
    assert stored(database, ref)["series 3"] == 2


@pytest.mark.usefixtures("portions")
def test_worker_that_was_taken_for_dead_stores_nothing_more(
    database: Database, ref: DatasetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(database)
    write, rival = stored_forecasts.write, entered(database)

    def overtaken(session: Any, *arguments: Any) -> None:
        write(session, *arguments)
        session.query(StoredForecasts).update({"holder_id": rival})

    monkeypatch.setattr(stored_forecasts, "write", overtaken)
    assert not storing.store_all(database, [ref], "frozen")
    assert len(stored(database, ref)) == 10


def test_dataset_that_is_gone_or_refused_is_left_out(database: Database, ref: DatasetRef) -> None:
    appended(database, ref.dataset_id, ("series 3", 2000, 1.0))
    gone = DatasetRef(OWNER.workspace_id, "ds_gone")
    assert storing.store_all(database, [gone, ref], "worker")
    assert stored(database, ref)["series 3"] == 2


@pytest.mark.parametrize(("ends", "left"), [(True, 0), (False, 1)], ids=["ended", "unfinished"])
def test_what_a_training_stores_is_swept_once_it_cannot_publish_any_more(
    database: Database, ref: DatasetRef, *, ends: bool, left: int
) -> None:
    job = queued_job(database, ref.dataset_id, seed=5)
    with database.write() as session:
        session.query(StoredForecasts).update({"model_id": None, "job_id": job.job_id})
        if ends:
            states.fail_all(session, [job.job_id], "It failed.")
    stored_forecasts.sweep(database)
    with database.read() as session:
        assert session.query(StoredForecasts).count() == left
        assert (session.query(ForecastChunk).count() > 0) == (left > 0)
