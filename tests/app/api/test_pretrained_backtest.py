"""The pretrained network's backtest on a dataset over HTTP."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.auth import OWNER
from app.db.engine import Database
from app.errors import Unavailable
from app.services.forecasting import pretrained, resolve
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import backtest_pretrained
from app.services.registry import backtests, pretrained_backtests
from app.services.registry.served_method import ServedMethod
from benchmarks.process_tree import eventually
from tests.factories import SQLITE_ALONE, dataset, only, trends, workspace

pytestmark = SQLITE_ALONE

PATH = "/models/pretrained/backtest"


@pytest.fixture
def dataset_id(database: Database) -> str:
    return dataset(database, trends(count=8)).id


def ask(client: TestClient, dataset_id: str, **params: Any) -> httpx2.Response:
    return client.get(PATH, params={"dataset_id": dataset_id, **params})


def test_measures_and_verdict_are_those_of_the_backtest(
    client: TestClient, database: Database, dataset_id: str
) -> None:
    answer = ask(client, dataset_id)
    assert answer.status_code == 200, answer.text
    with database.read() as session:
        plan = resolve.find_plan(session, OWNER, ForecastRequest(dataset_id))
    assessment = backtest_pretrained(database, plan, "cpu").assessment
    assert assessment is not None
    body = answer.json()
    assert body["backtest"] == backtests.summary(assessment.backtest).model_dump()
    assert {"pretrained", "naive", "theta"} <= set(body["backtest"]["measures"])
    verdict = backtests.verdict_out(assessment.verdicts["pretrained"])
    assert body["verdict"] == verdict.model_dump(mode="json")


def test_answer_agrees_with_the_forecast(client: TestClient, dataset_id: str) -> None:
    params = {"dataset_id": dataset_id, "unique_id": "series 1", "model_id": "pretrained"}
    forecast = only(client.get("/forecast", params={**params, "horizon": 3}))
    body = ask(client, dataset_id, horizon=3).json()
    assert (body["dataset_version"], body["horizon"]) == (1, 3)
    assert body["method"] == forecast["method"]
    assert body["verdict"]["outcome"] == forecast["verdict"]
    assert body["warning"] == forecast["warning"]
    served = forecast["intervals"]["80"]
    assert body["calibration"]["80"] == {name: served[name] for name in body["calibration"]["80"]}


def test_dataset_has_to_be_named(client: TestClient) -> None:
    answer = client.get(PATH)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?dataset_id")


def test_dataset_of_nobody_and_of_another_workspace_is_not_found(
    client: TestClient, database: Database
) -> None:
    theirs = dataset(database, principal=workspace(database)).id
    assert [ask(client, name).status_code for name in ("ds_none", theirs)] == [404, 404]


@pytest.mark.parametrize("horizon", [0, 100_000])
def test_horizon_out_of_reach_is_refused(client: TestClient, dataset_id: str, horizon: int) -> None:
    answer = ask(client, dataset_id, horizon=horizon)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?horizon")


def test_series_too_short_for_a_backtest_are_named_as_the_reason(
    client: TestClient, database: Database
) -> None:
    answer = ask(client, dataset(database, {"a": [1, 2, 3]}).id)
    assert answer.status_code == 409
    assert "too short" in answer.json()["detail"]
    assert "retry-after" not in answer.headers


@pytest.fixture
def turn(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Nobody waits for a backtest, which waits for its turn."""
    turn = threading.Event()

    def held(*arguments: Any) -> ServedMethod:
        assert turn.wait(60)
        return backtest_pretrained(*arguments)

    monkeypatch.setattr(resolve, "backtest_pretrained", held)
    monkeypatch.setattr(pretrained, "WAIT_S", 0.0)
    yield turn
    turn.set()


def test_backtest_that_still_runs_says_when_to_ask_again(
    client: TestClient, dataset_id: str, turn: threading.Event
) -> None:
    early = ask(client, dataset_id)
    assert (early.status_code, early.headers["retry-after"]) == (409, "2")
    assert early.json()["detail"] == pretrained.RUNNING
    turn.set()
    eventually(lambda: ask(client, dataset_id).status_code == 200)


def test_backtest_that_failed_says_so(
    client: TestClient, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> ServedMethod:
        raise RuntimeError("a planted fault")

    monkeypatch.setattr(resolve, "backtest_pretrained", fail)
    answer = ask(client, dataset_id)
    assert (answer.status_code, answer.json()["detail"]) == (409, pretrained.FAILED)
    assert "retry-after" not in answer.headers


def test_measures_that_the_database_did_not_take_are_missing(
    client: TestClient, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("gone for a moment")

    monkeypatch.setattr(pretrained_backtests, "store", fail)
    answer = ask(client, dataset_id)
    assert (answer.status_code, answer.json()["detail"]) == (503, pretrained.NOT_STORED)
