"""The first answer of a dataset without a model: preliminary where the backtest takes its time."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.auth import OWNER
from app.db.engine import Database, DatasetRef
from app.db.queries import changes
from app.db.tables import DatasetVersion, Model, PretrainedBacktest
from app.errors import Unavailable
from app.main import create_app
from app.observability import metrics
from app.services.forecasting import pretrained, resolve
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import Plan, backtest_pretrained
from app.services.registry import pretrained_backtests
from app.services.registry.served_method import ServedMethod
from app.services.shared import change_feed
from app.settings import Settings
from benchmarks.process_tree import eventually
from tests.factories import dataset, only, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")


class HeldBacktests:
    """Backtests that wait for their turn, by the version that they are on."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.ended: list[int] = []
        self._turns: dict[int, threading.Event] = {}

    def __call__(self, database: Database, plan: Plan, *others: Any) -> ServedMethod:
        number = plan.version.version
        self.begun.append(number)
        assert self._turn(number).wait(60)
        try:
            return backtest_pretrained(database, plan, *others)
        finally:
            self.ended.append(number)

    def let_go(self, number: int = 1) -> None:
        """Let the backtests on a version run."""
        self._turn(number).set()

    def let_all_go(self) -> None:
        for number in range(1, 4):
            self.let_go(number)

    def _turn(self, number: int) -> threading.Event:
        return self._turns.setdefault(number, threading.Event())


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldBacktests]:
    """Backtests take longer than anyone waits, until a test lets them go."""
    backtests = HeldBacktests()
    monkeypatch.setattr(resolve, "backtest_pretrained", backtests)
    monkeypatch.setattr(pretrained, "WAIT_S", 0.0)
    yield backtests
    backtests.let_all_go()


@pytest.fixture
def dataset_id(database: Database) -> str:
    return dataset(database, trends(count=8)).id


@pytest.fixture
def other(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A caller of another process on the same database."""
    monkeypatch.setattr(change_feed, "FRESH_S", 60.0)  # as for `client`
    app = create_app(settings)
    with TestClient(app, raise_server_exceptions=False) as other:
        eventually(lambda: app.state.resources.forecasts.feed.is_fresh)
        yield other


def get(client: TestClient, dataset_id: str, accept: str = "*/*", **headers: str) -> httpx2.Response:
    params = {"dataset_id": dataset_id, "unique_id": "series 1"}
    return client.get("/forecast", params=params, headers={"accept": accept, **headers})


def is_final(client: TestClient, dataset_id: str) -> bool:
    return bool(only(get(client, dataset_id))["intervals"]["80"]["calibrated"])


def warning(table: httpx2.Response) -> str | None:
    return table.headers.get("gatecast-warning")


def stored(database: Database) -> list[int]:
    """The versions with a stored backtest."""
    with database.read() as session:
        return [row.version for row in session.query(PretrainedBacktest)]


def append(client: TestClient, dataset_id: str) -> None:
    rows = {"observations": [{"unique_id": "series 0", "ds": 2000, "y": 1.0}]}
    assert client.post(f"/datasets/{dataset_id}/observations", json=rows).status_code == 200


def test_first_answer_does_not_wait_and_says_so(
    client: TestClient, dataset_id: str, held: HeldBacktests
) -> None:
    answer = only(get(client, dataset_id))
    assert (answer["method"], answer["verdict"]) == ("pretrained", None)
    assert not answer["intervals"]["80"]["calibrated"]
    assert answer["warning"] == pretrained.RUNNING
    assert held.ended == []


def test_table_says_so_in_its_header(client: TestClient, dataset_id: str, held: HeldBacktests) -> None:
    assert warning(get(client, dataset_id, "text/csv")) == pretrained.RUNNING
    held.let_go()
    eventually(lambda: warning(get(client, dataset_id, "text/csv")) != pretrained.RUNNING)


def test_backtest_that_ends_calibrates_and_judges_the_same_medians(
    client: TestClient, dataset_id: str, held: HeldBacktests
) -> None:
    before = only(get(client, dataset_id))
    held.let_go()
    eventually(lambda: is_final(client, dataset_id))
    after = only(get(client, dataset_id))
    assert after["verdict"] in ("beats", "ties", "loses", "undecided")
    assert after["warning"] != pretrained.RUNNING
    assert after["forecast"] == before["forecast"]
    assert after["intervals"] != before["intervals"]


def test_answer_is_final_at_once_where_the_backtest_takes_a_moment(
    client: TestClient, dataset_id: str
) -> None:
    assert is_final(client, dataset_id)


def test_simultaneous_first_answers_share_one_backtest(
    client: TestClient, dataset_id: str, held: HeldBacktests
) -> None:
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda _: get(client, dataset_id), range(4)))
    assert {only(answer)["warning"] for answer in answers} == {pretrained.RUNNING}
    held.let_go()
    eventually(lambda: is_final(client, dataset_id))
    assert held.begun == [1]


def test_preliminary_answer_is_kept_and_goes_with_its_tag(
    client: TestClient, dataset_id: str, held: HeldBacktests
) -> None:
    tag, before = get(client, dataset_id).headers["etag"], metrics.FROM_RESPONSE_CACHE._value.get()
    assert get(client, dataset_id).headers["etag"] == tag
    assert metrics.FROM_RESPONSE_CACHE._value.get() == before + 1
    known = {"if-none-match": tag}
    assert get(client, dataset_id, **known).status_code == 304
    held.let_go()
    eventually(lambda: get(client, dataset_id, **known).status_code == 200)
    final = get(client, dataset_id).headers["etag"]
    assert final != tag
    assert get(client, dataset_id, **{"if-none-match": final}).status_code == 304


def test_head_has_the_tag_of_get_before_and_after(
    client: TestClient, dataset_id: str, held: HeldBacktests
) -> None:
    params = {"dataset_id": dataset_id, "unique_id": "series 1"}
    for _ in range(2):
        tag = client.head("/forecast", params=params).headers["etag"]
        assert get(client, dataset_id).headers["etag"] == tag
        held.let_go()
        eventually(lambda: is_final(client, dataset_id))


def test_table_of_all_series_is_preliminary_and_then_final(
    client: TestClient, dataset_id: str, held: HeldBacktests
) -> None:
    params, accept = {"dataset_id": dataset_id}, {"accept": "application/x-ndjson"}
    assert pretrained.RUNNING in client.get("/forecast", params=params, headers=accept).text
    held.let_go()
    eventually(lambda: pretrained.RUNNING not in client.get("/forecast", params=params, headers=accept).text)


def test_end_of_the_backtest_moves_the_change_sequence(
    client: TestClient, database: Database, dataset_id: str, held: HeldBacktests
) -> None:
    get(client, dataset_id)
    with database.read() as session:
        before = changes.newest(session)
    held.let_go()
    eventually(lambda: is_final(client, dataset_id))
    with database.read() as session:
        assert changes.since(session, before) == {DatasetRef("default", dataset_id)}


def test_outcome_of_one_process_ends_the_preliminary_answers_of_another(
    other: TestClient, database: Database, dataset_id: str, held: HeldBacktests
) -> None:
    """The other process has a backtest of its own under way, which need not end for that."""
    with database.read() as session:
        plan = resolve.find_plan(session, OWNER, ForecastRequest(dataset_id))
    preliminary = get(other, dataset_id)
    assert only(preliminary)["warning"] == pretrained.RUNNING
    found = backtest_pretrained(database, plan, "cpu")
    with database.write() as session:
        pretrained_backtests.store(session, plan.version, plan.model, found)
    eventually(lambda: is_final(other, dataset_id))
    assert held.ended == []
    known = {"if-none-match": preliminary.headers["etag"]}
    assert get(other, dataset_id, **known).status_code == 200


def test_process_that_asks_later_serves_what_another_found(
    client: TestClient, other: TestClient, dataset_id: str, held: HeldBacktests
) -> None:
    get(client, dataset_id)
    held.let_go()
    eventually(lambda: is_final(client, dataset_id))
    final = get(client, dataset_id)
    same = get(other, dataset_id)
    assert (same.content, same.headers["etag"]) == (final.content, final.headers["etag"])
    assert held.begun == [1]


def test_other_weights_are_backtested_anew(
    client: TestClient, other: TestClient, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_final(client, dataset_id)
    begun = HeldBacktests()
    begun.let_go()
    monkeypatch.setattr(resolve, "backtest_pretrained", begun)
    monkeypatch.setattr(pretrained, "_weights_sha256", lambda: "0" * 64)
    assert is_final(other, dataset_id)
    assert begun.begun == [1]


def test_values_appended_meanwhile_have_a_backtest_of_their_own(
    client: TestClient, database: Database, dataset_id: str, held: HeldBacktests
) -> None:
    get(client, dataset_id)
    append(client, dataset_id)
    held.let_go(1)
    eventually(lambda: stored(database) == [1])
    answer = only(get(client, dataset_id))
    assert (answer["dataset_version"], answer["warning"]) == (2, pretrained.RUNNING)
    held.let_go(2)
    eventually(lambda: is_final(client, dataset_id))
    assert sorted(stored(database)) == [1, 2]


def test_dataset_deleted_meanwhile_leaves_nothing(
    client: TestClient,
    database: Database,
    dataset_id: str,
    held: HeldBacktests,
    caplog: pytest.LogCaptureFixture,
) -> None:
    get(client, dataset_id)
    client.delete(f"/datasets/{dataset_id}")
    held.let_go()
    eventually(lambda: held.ended == [1])
    assert get(client, dataset_id).status_code == 404
    assert stored(database) == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_dataset_deleted_later_takes_what_was_stored_along(
    client: TestClient, database: Database, dataset_id: str
) -> None:
    assert is_final(client, dataset_id)
    assert stored(database) == [1]
    client.delete(f"/datasets/{dataset_id}")
    eventually(lambda: stored(database) == [])


def test_model_trained_meanwhile_is_served_before_and_after_the_end(
    client: TestClient, database: Database, dataset_id: str, held: HeldBacktests
) -> None:
    get(client, dataset_id)
    model_id = trained(database, dataset_id)
    eventually(lambda: only(get(client, dataset_id))["model_id"] == model_id)
    held.let_go()
    eventually(lambda: stored(database) == [1])
    assert only(get(client, dataset_id))["model_id"] == model_id


def test_process_stops_without_the_backtest_and_stores_nothing_after(
    api: FastAPI, database: Database, dataset_id: str, held: HeldBacktests
) -> None:
    with TestClient(api) as client:
        get(client, dataset_id)
    held.let_go()
    eventually(lambda: held.ended == [1])
    assert stored(database) == []


def test_rows_sent_along_wait_for_the_backtest(
    client: TestClient, dataset_id: str, held: HeldBacktests
) -> None:
    rows = [{"unique_id": "new", "ds": year, "y": year - 1900.0} for year in range(1960, 2000)]
    body: dict[str, Any] = {"dataset_id": dataset_id, "observations": rows}
    assert only(get(client, dataset_id))["warning"] == pretrained.RUNNING
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(client.post, "/forecast", json=body)
        assert only(get(client, dataset_id))["warning"] == pretrained.RUNNING
        assert not answer.done()
        held.let_go()
        assert only(answer.result())["intervals"]["80"]["calibrated"]


def test_fault_in_the_backtest_is_logged_once_and_said(
    client: TestClient,
    dataset_id: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> ServedMethod:
        raise MemoryError

    monkeypatch.setattr(resolve, "backtest_pretrained", fail)
    answers = [get(client, dataset_id) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert {only(answer)["warning"] for answer in answers} == {pretrained.FAILED}
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


def test_fault_after_a_preliminary_answer_replaces_what_it_said(
    client: TestClient, dataset_id: str, held: HeldBacktests, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert only(get(client, dataset_id))["warning"] == pretrained.RUNNING
    monkeypatch.setattr(pretrained, "backtested", lambda *_: 1 / 0)
    held.let_go()
    eventually(lambda: only(get(client, dataset_id))["warning"] == pretrained.FAILED)


def test_backtest_that_the_database_failed_is_tried_again(
    client: TestClient, dataset_id: str, held: HeldBacktests, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> ServedMethod:
        raise Unavailable("away")

    monkeypatch.setattr(pretrained, "backtested", fail)
    get(client, dataset_id)
    held.let_go()
    eventually(lambda: held.ended)
    monkeypatch.undo()
    eventually(lambda: is_final(client, dataset_id))


def test_backtest_waits_while_a_request_computes_but_not_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    backtests = pretrained.Backtests(database, change_feed.ChangeFeed(database))
    waited: list[float] = []
    monkeypatch.setattr(backtests._no_request, "wait", waited.append)
    with backtests.giving_way(), backtests.giving_way():
        assert not backtests._no_request.is_set()
    assert backtests._no_request.is_set()
    backtests._give_way()
    assert waited == [pretrained.GIVEN_WAY_S]


def test_fault_counts_as_a_change_once_callers_can_learn_of_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller before that keeps what is preliminary, and no later change would end it."""

    def fail(_: object) -> ServedMethod:
        raise MemoryError

    async def main() -> bool:
        feed = change_feed.ChangeFeed(database)
        backtests, counted = pretrained.Backtests(database, feed), asyncio.Queue[bool]()

        def count(_: DatasetRef) -> None:
            counted.put_nowait(backtests._outcomes._cache.get("key") is not None)

        monkeypatch.setattr(feed, "count_as_changed", count)
        version = DatasetVersion(workspace_id="w", dataset_id="d", version=1)
        await backtests.outcome("key", pretrained.Backtest(version, Model(horizon=3), fail), 60.0)
        backtests.close()
        return await asyncio.wait_for(counted.get(), 60)

    assert asyncio.run(main())


def test_outcome_that_cannot_be_stored_is_served_all_the_same(
    client: TestClient, database: Database, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("locked")

    monkeypatch.setattr(pretrained_backtests, "store", fail)
    assert is_final(client, dataset_id)
    assert stored(database) == []
