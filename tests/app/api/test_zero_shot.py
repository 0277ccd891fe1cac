"""Forecasts before any training, by the pretrained network."""

import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import numpy as np
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.db.tables import Model
from app.main import create_app
from app.observability import metrics
from app.schemas import examples
from app.schemas.forecast import HORIZON
from app.services.forecasting import compute, pretrained, resolve
from app.services.forecasting.resolve import backtest_pretrained
from app.services.registry.served_method import ServedMethod
from app.settings import Settings
from benchmarks.process_tree import eventually
from models.choices import MAX_PRETRAINED_HORIZON, Outcome
from models.evaluation.verdict import Verdict
from models.horizon import MAX_DEFAULT_HORIZON, MIN_DEFAULT_HORIZON
from tests.factories import dataset, filled_app, only, trained, trends, upload

pytestmark = pytest.mark.usefixtures("brief_trainings")
Params = dict[str, str | int | list[str]]
Body = dict[str, Any]
LATER = {"unique_id": "new 0", "y": 1}
MONTHS = [f"{year}-{month:02}-01" for year in range(2015, 2024) for month in range(1, 13)]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """An app with a dataset that nothing was trained on, and the dataset's id; the tests only look."""

    def fill(database: Database) -> str:
        return dataset(database, trends(count=8)).id

    with filled_app(tmp_path_factory.mktemp("zero"), fill) as ready:
        yield ready


Ready = tuple[TestClient, str]


@pytest.fixture
def backtests(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The horizon of each backtest."""
    seen: list[int] = []

    def watched(database: Database, plan: resolve.Plan, *others: Any) -> ServedMethod:
        seen.append(plan.horizon)
        return backtest_pretrained(database, plan, *others)

    monkeypatch.setattr(resolve, "backtest_pretrained", watched)
    return seen


def ask(client: TestClient, dataset_id: str, **params: Any) -> Body:
    whole = {"dataset_id": dataset_id, "unique_id": "series 1"} | params
    answer = client.get("/forecast", params=whole)
    assert answer.status_code == 200, answer.text
    return only(answer)


def append(client: TestClient, dataset_id: str) -> None:
    """Let the first series fall to 1."""
    rows = {"observations": [{"unique_id": "series 0", "ds": 2000, "y": 1.0}]}
    assert client.post(f"/datasets/{dataset_id}/observations", json=rows).status_code == 200


def months(count: int = 1, length: int = 96) -> list[Body]:
    """Rows of monthly series with a season."""
    noise = np.random.default_rng(3).normal(0, 2, (count, length))
    waves = 100 + 20 * np.sin(np.arange(length) * 2 * np.pi / 12) + noise
    return [
        {"unique_id": f"new {i}", "ds": ds, "y": y}
        for i, wave in enumerate(waves)
        for ds, y in zip(MONTHS, wave.tolist(), strict=False)
    ]


def post(client: TestClient, accept: str = "*/*", **body: Any) -> httpx2.Response:
    whole = {"observations": months()} | body
    return client.post("/forecast", json=whole, headers={"accept": accept})


def refusal(response: httpx2.Response) -> tuple[str, str]:
    """Where, and what."""
    assert response.status_code == 422
    return response.json()["errors"][0]["pointer"], response.json()["detail"]


def test_dataset_is_forecast_before_any_training(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    answer = ask(client, dataset_id)
    assert (answer["model_id"], answer["method"]) == ("pretrained", "pretrained")
    assert (answer["dataset_id"], answer["dataset_version"]) == (dataset_id, 1)
    assert answer["ds"] == [2000, 2001, 2002, 2003, 2004, 2005]
    assert len(answer["forecast"]) == 6


def test_dataset_whose_models_are_not_promoted_is_forecast(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database).id
    trained(database, dataset_id, promote="never")
    assert ask(client, dataset_id)["model_id"] == "pretrained"


def test_champion_is_served_once_trained(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database).id
    assert ask(client, dataset_id)["model_id"] == "pretrained"
    model_id = trained(database, dataset_id)  # past the app, as a worker does
    eventually(lambda: ask(client, dataset_id)["model_id"] == model_id)


def test_promoted_model_is_served_at_once(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database).id
    model_id = trained(database, dataset_id, promote="never")
    assert ask(client, dataset_id)["model_id"] == "pretrained"
    client.post(f"/models/{model_id}/promote")
    assert ask(client, dataset_id)["model_id"] == model_id


def test_pretrained_network_is_served_beside_a_champion_if_named(
    client: TestClient, database: Database
) -> None:
    dataset_id = dataset(database).id
    before = ask(client, dataset_id)
    trained(database, dataset_id)
    assert ask(client, dataset_id, model_id="pretrained") == before


def test_champion_that_refuses_still_refuses(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database).id
    model_id = trained(database, dataset_id, method="network", on_loss="refuse")
    with database.write() as session:
        verdict = {**examples.VERDICT, "outcome": "loses"}
        session.get_one(Model, ("default", model_id)).verdicts = {"lstm": verdict}
    refused = client.get("/forecast", params={"dataset_id": dataset_id})
    assert (refused.status_code, model_id in refused.json()["detail"]) == (409, True)


def test_appended_value_is_what_the_next_forecast_follows(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database).id
    before = ask(client, dataset_id, unique_id="series 0")
    append(client, dataset_id)
    after = ask(client, dataset_id, unique_id="series 0")
    assert (before["ds"][0], after["ds"][0], after["dataset_version"]) == (2000, 2001, 2)
    assert after["forecast"][0] < before["forecast"][0]
    assert ask(client, dataset_id, unique_id="series 0", dataset_version=1) == before


def test_deleted_dataset_has_no_forecast(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database).id
    ask(client, dataset_id)
    client.delete(f"/datasets/{dataset_id}")
    assert client.get("/forecast", params={"dataset_id": dataset_id}).status_code == 404


def test_dataset_deleted_while_it_is_read_is_a_404(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = dataset(database).id

    def late(*arguments: Any) -> ServedMethod:
        client.delete(f"/datasets/{dataset_id}")
        return backtest_pretrained(*arguments)

    monkeypatch.setattr(resolve, "backtest_pretrained", late)
    assert client.get("/forecast", params={"dataset_id": dataset_id}).status_code == 404


def test_second_response_is_cached_and_has_an_etag(client: TestClient) -> None:
    params = {"dataset_id": upload(client)["id"]}
    first, before = client.get("/forecast", params=params), metrics.FROM_RESPONSE_CACHE._value.get()
    assert client.get("/forecast", params=params).content == first.content
    assert metrics.FROM_RESPONSE_CACHE._value.get() == before + 1
    known = {"if-none-match": first.headers["etag"]}
    assert client.get("/forecast", params=params, headers=known).status_code == 304


def test_other_weights_give_another_tag(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    client, dataset_id = ready
    before = client.get("/forecast", params={"dataset_id": dataset_id, "level": 60}).headers["etag"]
    monkeypatch.setattr(pretrained, "_weights_sha256", lambda: "0" * 64)
    settings = Settings(database_url=client.app.state.resources.database.url, device="cpu")  # type: ignore[attr-defined]  # an app of ours
    with TestClient(create_app(settings)) as restarted:
        after = restarted.get("/forecast", params={"dataset_id": dataset_id, "level": 60}).headers["etag"]
    assert before != after


def test_past_is_backtested_once_for_concurrent_requests(
    client: TestClient, database: Database, backtests: list[int]
) -> None:
    dataset_id = dataset(database).id
    with ThreadPoolExecutor(6) as callers:
        list(callers.map(lambda level: ask(client, dataset_id, level=level), range(60, 66)))
    assert backtests == [6]
    ask(client, dataset_id, horizon=2)
    ask(client, dataset_id, horizon=2, level=90)
    append(client, dataset_id)
    ask(client, dataset_id)
    assert backtests == [6, 2, 6]


def test_shorter_horizon_has_the_medians_of_the_longer(ready: Ready) -> None:
    full, short = ask(*ready), ask(*ready, horizon=2)
    assert short["forecast"] == pytest.approx(full["forecast"][:2])
    assert len(short["ds"]) == 2


def test_horizon_reaches_as_far_as_the_network_was_trained(ready: Ready) -> None:
    assert len(ask(*ready, horizon=MAX_PRETRAINED_HORIZON)["forecast"]) == MAX_PRETRAINED_HORIZON


def test_horizon_past_that_is_pointed_at(ready: Ready) -> None:
    client, dataset_id = ready
    params: Params = {"dataset_id": dataset_id, "horizon": MAX_PRETRAINED_HORIZON + 1}
    pointer, detail = refusal(client.get("/forecast", params=params))
    assert pointer == "?horizon"
    assert f"at most {MAX_PRETRAINED_HORIZON} steps" in detail
    assert "POST /train" in detail


def test_described_limits_are_those_of_the_network() -> None:
    assert all(
        str(number) in HORIZON
        for number in (MAX_PRETRAINED_HORIZON, MIN_DEFAULT_HORIZON, MAX_DEFAULT_HORIZON)
    )


def test_pretrained_without_a_dataset_asks_for_one(ready: Ready) -> None:
    pointer, detail = refusal(ready[0].get("/forecast", params={"model_id": "pretrained"}))
    assert (pointer, "dataset_id" in detail) == ("?dataset_id", True)


def test_intervals_are_calibrated_where_the_past_has_windows_enough(ready: Ready) -> None:
    intervals = ask(*ready, level=[50, 85, 95, 99])["intervals"]
    assert {level: each["calibrated"] for level, each in intervals.items()} == {
        "50": True,
        "85": True,
        "95": True,
        "99": False,
    }
    assert all(0 < each["coverage"] < 1 for each in intervals.values())
    assert {each["untested"] for each in intervals.values()} == {None}


def test_intervals_of_short_series_are_the_networks_own(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1.0, 2.0, 4.0]})["id"]
    answer = ask(client, dataset_id, unique_id="a")
    assert not answer["intervals"]["80"]["calibrated"]
    assert answer["intervals"]["80"]["untested"] == "not tested"
    assert answer["intervals"]["80"]["lo"][0] < answer["intervals"]["80"]["hi"][0]
    assert (answer["verdict"], answer["warning"]) == (None, None)


SENTENCE = "On its last steps it was so."


@pytest.mark.parametrize(
    ("outcome", "effect", "method", "warning"),
    [
        ("beats", -0.5, "pretrained", None),
        ("ties", 0.05, "pretrained", None),
        ("undecided", 0.2, "pretrained", None),
        ("undecided", 0.5, "pretrained", SENTENCE),
        ("undecided", 1.5, "drift", f"{SENTENCE} Answered by drift instead."),
        ("loses", 0.42, "drift", f"{SENTENCE} Answered by drift instead."),
        ("loses", 0.1, "drift", None),
    ],
)
def test_best_that_is_known_answers_and_says_what_the_verdict_was(  # noqa: PLR0913 - the case, by name
    client: TestClient,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    *,
    outcome: Outcome,
    effect: float,
    method: str,
    warning: str | None,
) -> None:
    verdict = Verdict(outcome, "drift", 8, "series", "MASE", effect, effect, None, 8, 1, 0.01, SENTENCE)
    monkeypatch.setattr("models.evaluation.assessment.judge", lambda *_, **__: verdict)
    params = {"dataset_id": dataset(database).id}
    answer = ask(client, **params)
    assert (answer["method"], answer["verdict"], answer["warning"]) == (method, outcome, warning)
    headers = client.get("/forecast", params=params, headers={"accept": "text/csv"}).headers
    assert (headers["gatecast-method"], headers["gatecast-verdict"]) == (method, outcome)
    assert headers.get("gatecast-warning") == warning


def test_simple_method_that_answers_has_calibrated_intervals_of_its_own(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = Verdict("loses", "naive", 8, "series", "MASE", 2.0, 2.0, None, 8, 1, 0.01, SENTENCE)
    monkeypatch.setattr("models.evaluation.assessment.judge", lambda *_, **__: verdict)
    answer = ask(client, dataset(database, trends(count=24)).id)
    assert answer["forecast"] == [answer["forecast"][0]] * len(answer["forecast"])
    assert answer["intervals"]["80"]["calibrated"]


def test_every_table_holds_every_series_and_the_same_figures(
    ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, dataset_id = ready
    monkeypatch.setattr(compute, "PAGE", 3)
    csv_table, lines, arrow = (
        client.get("/forecast", params={"dataset_id": dataset_id}, headers={"accept": kind})
        for kind in ("text/csv", "application/x-ndjson", "application/vnd.apache.arrow.stream")
    )
    medians = [float(row["forecast"]) for row in csv.DictReader(io.StringIO(csv_table.text))]
    assert (len(medians), csv_table.headers["gatecast-method"]) == (8 * 6, "pretrained")
    forecasts = [value for line in lines.text.splitlines() for value in json.loads(line)["forecast"]]
    assert forecasts == medians
    assert pa.ipc.open_stream(arrow.content).read_all()["forecast"].to_pylist() == medians


def test_series_are_paged_by_name(ready: Ready) -> None:
    client, dataset_id = ready
    first = client.get("/forecast", params={"dataset_id": dataset_id, "limit": 5}).json()
    second = client.get("/forecast", params={"dataset_id": dataset_id, "cursor": first["next"]}).json()
    names = [item["unique_id"] for item in first["forecasts"] + second["forecasts"]]
    assert names == [f"series {i}" for i in range(8)]


def test_one_series_comes_as_a_chart(ready: Ready) -> None:
    client, dataset_id = ready
    params = {"dataset_id": dataset_id, "unique_id": "series 1"}
    chart = client.get("/forecast", params=params, headers={"accept": "image/png"})
    assert (chart.content[:4], chart.headers["gatecast-method"]) == (b"\x89PNG", "pretrained")


def test_concurrent_requests_of_different_horizons_get_their_own(ready: Ready) -> None:
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda steps: ask(*ready, horizon=steps, level=70), (3, 5, 7, 9)))
    assert [len(answer["forecast"]) for answer in answers] == [3, 5, 7, 9]


@pytest.mark.parametrize("call", [("GET", ""), ("DELETE", ""), ("POST", "/promote")])
def test_pretrained_is_no_model_to_read_or_change(ready: Ready, call: tuple[str, str]) -> None:
    method, rest = call
    assert ready[0].request(method, f"/models/pretrained{rest}").status_code == 404


def test_history_in_the_body_needs_neither_dataset_nor_model(client: TestClient) -> None:
    answer = only(post(client))
    assert (answer["model_id"], answer["method"]) == ("pretrained", "pretrained")
    assert (answer["dataset_id"], answer["dataset_version"]) == (None, None)
    assert (answer["frequency"], answer["ds"][0], len(answer["ds"])) == ("MS", "2023-01-01", 12)


def test_history_in_the_body_is_forecast_as_if_uploaded(client: TestClient) -> None:
    rows = months(8)
    dataset_id = client.post("/datasets", json={"name": "months", "observations": rows}).json()["id"]
    stored = client.get("/forecast", params={"dataset_id": dataset_id}).json()["forecasts"]
    brought = post(client, observations=rows[::-1]).json()["forecasts"]
    elsewhere = {"dataset_id": None, "dataset_version": None}
    assert brought == [item | elsewhere for item in stored]
    assert brought[0]["intervals"]["80"]["calibrated"]


def test_sample_of_many_series_is_the_same_wherever_they_are(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "BACKTEST_SERIES", 3)
    rows = [row | {"y": row["y"] * (1 + int(row["unique_id"][4:]))} for row in months(8)]
    dataset_id = client.post("/datasets", json={"name": "months", "observations": rows}).json()["id"]
    stored = client.get("/forecast", params={"dataset_id": dataset_id}).json()["forecasts"]
    brought = post(client, observations=rows).json()["forecasts"]
    fields = ("forecast", "intervals", "method", "verdict", "warning")
    assert [[item[name] for name in fields] for item in brought] == [
        [item[name] for name in fields] for item in stored
    ]


def test_sample_is_drawn_by_hash_so_that_no_name_comes_first() -> None:
    names = [f"{region} {number:03}" for region in ("east", "west") for number in range(500)]
    chosen = pretrained.sample(names)
    assert (len(chosen), sorted(set(chosen))) == (pretrained.BACKTEST_SERIES, chosen)
    assert 90 < sum(names[at].startswith("east") for at in chosen) < 160
    assert {names[::-1][at] for at in pretrained.sample(names[::-1])} == {names[at] for at in chosen}
    assert pretrained.sample(names[:9]) == list(range(9))


def test_pretrained_may_be_named_with_history_in_the_body(ready: Ready) -> None:
    assert post(ready[0], model_id="pretrained").content == post(ready[0]).content


def test_history_is_read_onto_the_steps_of_a_dataset_that_is_named(ready: Ready) -> None:
    client, dataset_id = ready
    years = [{"unique_id": "new", "ds": 2000 + 2 * i, "y": 10.0 + i} for i in range(6)]
    pointer, detail = refusal(post(client, dataset_id=dataset_id, observations=years))
    assert (pointer, "forecasts steps of 'YS'" in detail) == ("#/observations", True)
    gaps = [{"unique_id": "new", "ds": 2001 + 2 * i, "y": None} for i in range(5)]
    answer = only(post(client, dataset_id=dataset_id, model_id="pretrained", observations=years + gaps))
    assert (answer["model_id"], answer["frequency"], answer["ds"][0]) == ("pretrained", "YS", 2011)


def test_history_in_the_body_comes_in_every_format(ready: Ready) -> None:
    table = post(ready[0], "text/csv", observations=months(2), horizon=3)
    assert len(table.text.splitlines()) == 1 + 2 * 3
    assert table.headers["gatecast-method"] == "pretrained"
    assert post(ready[0], "image/png").content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("wrong", "pointer", "expected"),
    [
        ({"horizon": MAX_PRETRAINED_HORIZON + 1}, "#/horizon", f"at most {MAX_PRETRAINED_HORIZON}"),
        ({"observations": [{"ds": 2000, "y": 1}]}, "#/observations/0", "1 value; a forecast needs 2"),
        ({"observations": [*months(), {**LATER, "ds": "soon"}]}, "#/observations/96/ds", "cannot be read"),
        ({"observations": [*months(), {**LATER, "ds": ""}]}, "#/observations/96", "no time"),
        (
            {"observations": [{"ds": f"2024-{day}", "y": 1} for day in ("01-01", "01-02", "06-13")]},
            "#/observations",
            "take no regular step",
        ),
        (
            {"observations": [*months(), *({"ds": ds, "y": 1} for ds in MONTHS[::3])]},
            "#/observations",
            "take other steps (QS-OCT) than the rest (MS)",
        ),
    ],
    ids=["horizon", "short", "unreadable", "timeless", "irregular", "mixed"],
)
def test_unusable_history_is_pointed_at(ready: Ready, wrong: Body, pointer: str, expected: str) -> None:
    found, detail = refusal(post(ready[0], **wrong))
    assert (found, expected in detail) == (pointer, True), detail
