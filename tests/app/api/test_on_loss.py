"""What forecasts do when the backtest says that a baseline is better."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.db.tables import Model, StoredForecasts
from app.schemas import examples
from app.services.forecasting import compute
from app.services.forecasting.request import ForecastRequest
from app.services.registry import quantile_forecasts
from models.methods.baselines import BASELINES
from models.methods.combination import QuantileForecast, compute_quantile_forecast
from tests.factories import SQLITE_ALONE, dataset, table, trained

pytestmark = [pytest.mark.usefixtures("brief_trainings"), SQLITE_ALONE]
SENTENCE = "On the last steps this LSTM's error was twice drift's."


@pytest.fixture
def loser(database: Database) -> str:
    """A model whose verdict is that drift does better."""
    return judged(database, "loses")


def judged(
    database: Database, outcome: str, on_loss: str = "warn", effect: float | None = -0.23, pairs: int = 8
) -> str:
    model_id = trained(database, dataset(database).id, method="network", on_loss=on_loss)
    facts = {"outcome": outcome, "baseline": "drift", "sentence": SENTENCE, "n": pairs}
    facts |= {"effect": effect, "median_effect": effect}
    verdict = {**examples.VERDICT, **facts}
    with database.write() as session:
        session.get_one(Model, ("default", model_id)).verdicts = {"lstm": verdict}
    return model_id


def fall_back(database: Database, model_id: str, baseline: str) -> None:
    with database.write() as session:
        model = session.get_one(Model, ("default", model_id))
        model.verdicts = {"lstm": {**(model.verdicts or {})["lstm"], "baseline": baseline}}
        model.on_loss = "fallback"


def own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of the service itself, without their prefix."""
    own = {name: text for name, text in headers.items() if name.startswith("gatecast-")}
    return {name.removeprefix("gatecast-"): text for name, text in own.items()}


def test_warning_travels_with_each_forecast(client: TestClient, loser: str) -> None:
    forecasts = client.get("/forecast", params={"model_id": loser}).json()["forecasts"]
    found = {(each["method"], each["verdict"], each["warning"]) for each in forecasts}
    assert found == {("lstm", "loses", SENTENCE)}


def test_table_carries_verdict_and_warning_in_headers(client: TestClient, loser: str) -> None:
    params = {"model_id": loser}
    table = client.get("/forecast", params=params, headers={"accept": "text/csv"})
    assert table.text.startswith("unique_id,ds,forecast,mean,lo-80,hi-80,lo-95,hi-95\n")
    assert own_headers(table.headers) == {"method": "lstm", "verdict": "loses", "warning": SENTENCE}
    client.patch(f"/models/{loser}", json={"on_loss": "fallback"})
    fallen = client.get("/forecast", params=params, headers={"accept": "text/csv"})
    assert own_headers(fallen.headers) == {"method": "drift", "verdict": "loses"}


def test_warning_that_no_header_can_hold_is_sent_as_ascii(
    client: TestClient, database: Database, loser: str
) -> None:
    with database.write() as session:
        model = session.get_one(Model, ("default", loser))
        verdict = (model.verdicts or {})["lstm"]
        model.verdicts = {"lstm": {**verdict, "sentence": "5\u202f% worse \u2013\r\nevil: 日本"}}
    table = client.get("/forecast", params={"model_id": loser}, headers={"accept": "text/csv"})
    assert table.status_code == 200
    assert own_headers(table.headers)["warning"] == "5 % worse ? evil: ??"


def test_fallback_serves_the_baseline_with_its_own_intervals(client: TestClient, loser: str) -> None:
    warned = client.get("/forecast", params={"model_id": loser}).json()["forecasts"]
    client.patch(f"/models/{loser}", json={"on_loss": "fallback"})
    fallen = client.get("/forecast", params={"model_id": loser}).json()["forecasts"]
    assert {(each["method"], each["verdict"], each["warning"]) for each in fallen} == {
        ("drift", "loses", None)
    }
    for before, after in zip(warned, fallen, strict=True):
        slopes = [
            later - first for first, later in zip(after["forecast"], after["forecast"][1:], strict=False)
        ]
        assert slopes == pytest.approx([slopes[0]] * 2)
        assert after["intervals"]["80"] != before["intervals"]["80"]


def test_refusal_explains_itself_and_ends_with_the_setting(client: TestClient, loser: str) -> None:
    client.patch(f"/models/{loser}", json={"on_loss": "refuse"})
    for accept in ("application/json", "text/csv"):
        refused = client.get("/forecast", params={"model_id": loser}, headers={"accept": accept})
        assert refused.status_code == 409
        assert refused.json()["detail"].startswith(SENTENCE)
        assert f"PATCH /models/{loser}" in refused.json()["detail"]
    client.patch(f"/models/{loser}", json={"on_loss": "warn"})
    assert client.get("/forecast", params={"model_id": loser}).status_code == 200


def test_model_falls_back_by_default(client: TestClient, database: Database) -> None:
    model_id = trained(database, dataset(database).id)
    assert client.get(f"/models/{model_id}").json()["on_loss"] == "fallback"


@pytest.mark.parametrize(
    ("outcome", "effect", "method"),
    [
        ("undecided", 11.7, "drift"),
        ("undecided", None, "drift"),
        ("undecided", 1.0, "drift"),
        ("undecided", 0.9, "lstm"),
        ("undecided", 0.25, "lstm"),
        ("loses", 0.3, "drift"),
    ],
)
def test_network_that_is_much_worse_is_never_served_in_silence(
    client: TestClient, database: Database, outcome: str, effect: float | None, method: str
) -> None:
    model_id = judged(database, outcome, on_loss="fallback", effect=effect)
    forecasts = client.get("/forecast", params={"model_id": model_id}).json()["forecasts"]
    warning = SENTENCE if method == "lstm" else f"{SENTENCE} Answered by drift instead."
    found = {(each["method"], each["verdict"], each["warning"]) for each in forecasts}
    assert found == {(method, outcome, warning)}


@pytest.mark.parametrize(("effect", "method"), [(11.7, "lstm"), (480.0, "drift"), (None, "drift")])
def test_single_pair_decides_who_answers_from_a_hundred_times_the_error_on(
    client: TestClient, database: Database, effect: float | None, method: str
) -> None:
    model_id = judged(database, "undecided", on_loss="fallback", effect=effect, pairs=1)
    forecasts = client.get("/forecast", params={"model_id": model_id}).json()["forecasts"]
    assert {each["method"] for each in forecasts} == {method}
    assert all(each["warning"].startswith(SENTENCE) for each in forecasts)


@pytest.mark.parametrize(
    ("outcome", "effect"), [("undecided", 0.24), ("undecided", -0.3), ("ties", 0.05), ("beats", -0.3)]
)
def test_network_that_is_little_worse_or_better_carries_no_warning(
    client: TestClient, database: Database, outcome: str, effect: float
) -> None:
    model_id = judged(database, outcome, on_loss="fallback", effect=effect)
    forecasts = client.get("/forecast", params={"model_id": model_id}).json()["forecasts"]
    assert {(each["method"], each["warning"]) for each in forecasts} == {("lstm", None)}


def test_undecided_network_that_is_much_worse_warns_in_every_table(
    client: TestClient, database: Database
) -> None:
    params = {"model_id": judged(database, "undecided", effect=0.4)}
    lines = client.get("/forecast", params=params, headers={"accept": "application/x-ndjson"})
    assert {json.loads(line)["warning"] for line in lines.text.splitlines()} == {SENTENCE}
    for kind in ("text/csv", "application/vnd.apache.arrow.stream"):
        table = client.get("/forecast", params=params, headers={"accept": kind})
        assert own_headers(table.headers)["warning"] == SENTENCE


@pytest.mark.parametrize("outcome", ["beats", "ties", "undecided"])
def test_model_that_does_not_lose_is_served_whatever_its_on_loss(
    client: TestClient, database: Database, outcome: str
) -> None:
    model_id = judged(database, outcome, on_loss="refuse")
    forecasts = client.get("/forecast", params={"model_id": model_id}).json()["forecasts"]
    found = {(each["method"], each["verdict"], each["warning"]) for each in forecasts}
    assert found == {("lstm", outcome, None)}


@pytest.mark.parametrize("baseline", BASELINES)
def test_every_baseline_can_be_the_fallback(
    client: TestClient, database: Database, loser: str, baseline: str
) -> None:
    fall_back(database, loser, baseline)
    (first, *_) = client.get("/forecast", params={"model_id": loser}).json()["forecasts"]
    assert (first["method"], len(first["forecast"])) == (baseline, 3)


@pytest.mark.parametrize(("baseline", "sizes"), [("theta", [3]), ("ets", [2, 1])])
def test_table_by_a_slow_method_comes_in_small_pages(
    database: Database, loser: str, monkeypatch: pytest.MonkeyPatch, baseline: str, sizes: list[int]
) -> None:
    fall_back(database, loser, baseline)
    monkeypatch.setattr(compute, "SLOW_PAGE", 2)
    pages = table(database, ForecastRequest(model_id=loser))
    assert [len(page) for page in pages] == sizes


def test_no_connection_is_held_while_a_forecast_is_computed(
    database: Database, loser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    def watched(*arguments: Any, **options: Any) -> QuantileForecast:
        held.append(database.reader.pool.checkedout())  # type: ignore[attr-defined]  # a queue's
        return compute_quantile_forecast(*arguments, **options)

    monkeypatch.setattr(quantile_forecasts, "compute_quantile_forecast", watched)
    with database.write() as session:
        session.query(StoredForecasts).delete()
    monkeypatch.setattr(compute, "PAGE", 2)
    assert len(list(table(database, ForecastRequest(model_id=loser)))) == 2
    assert held == [0, 0]


def test_intervals_from_few_windows_are_not_calibrated(client: TestClient, loser: str) -> None:
    """Four series have fewer than twenty windows, at any level."""
    params: dict[str, str | list[int]] = {"model_id": loser, "level": [50, 99]}
    (first, *_) = client.get("/forecast", params=params).json()["forecasts"]
    assert {level: each["calibrated"] for level, each in first["intervals"].items()} == {
        "50": False,
        "99": False,
    }


def test_model_from_before_backtests_forecasts_without_verdict_or_calibration(
    client: TestClient, database: Database
) -> None:
    model_id = trained(database, dataset(database).id, on_loss="refuse")
    with database.write() as session:
        model = session.get_one(Model, ("default", model_id))
        model.served, model.methods, model.verdicts, model.backtest = "lstm", None, None, None
    (first, *_) = client.get("/forecast", params={"model_id": model_id}).json()["forecasts"]
    assert (first["method"], first["verdict"], first["warning"]) == ("lstm", None, None)
    assert not first["intervals"]["80"]["calibrated"]
