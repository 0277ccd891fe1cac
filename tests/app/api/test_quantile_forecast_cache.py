"""Cached quantile forecasts serve other horizons and levels, and never what has changed."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.db.tables import Model
from app.main import create_app
from app.observability import metrics
from app.schemas import examples
from app.settings import Settings
from tests.factories import dataset, only, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")
Names = str | list[str]


@pytest.fixture
def dataset_id(database: Database) -> str:
    dataset_id = dataset(database, trends(count=4)).id
    trained(database, dataset_id)
    return dataset_id


def ask(client: TestClient, unique_id: Names = "series 1", status: int = 200, **params: Any) -> Any:
    answer = client.get("/forecast", params={"unique_id": unique_id, **params})
    assert answer.status_code == status, answer.text
    return only(answer) if status == 200 and isinstance(unique_id, str) else answer.json()


def draw(client: TestClient, dataset_id: str) -> bytes:
    params = {"dataset_id": dataset_id, "unique_id": "series 1"}
    chart = client.get("/forecast", params=params, headers={"accept": "image/svg+xml"})
    assert chart.status_code == 200, chart.text
    return chart.content


def service_on(database: Database) -> TestClient:
    """One that has been asked nothing before."""
    return TestClient(create_app(Settings(database_url=database.url, device="cpu")))


def anew(database: Database, **params: Any) -> Any:
    with service_on(database) as client:
        return ask(client, **params)


@pytest.mark.parametrize(
    "other", [{"level": [66]}, {"horizon": 2}, {"horizon": 1, "level": [99, 50]}], ids=str
)
def test_other_request_for_a_series_needs_no_pass_and_has_the_same_bits(
    client: TestClient, database: Database, dataset_id: str, passes: list[int], other: dict[str, Any]
) -> None:
    ask(client, dataset_id=dataset_id)
    answer = ask(client, dataset_id=dataset_id, **other)
    assert passes == [1]
    assert answer == anew(database, dataset_id=dataset_id, **other)


def test_series_cached_one_by_one_are_served_together(
    client: TestClient, dataset_id: str, passes: list[int]
) -> None:
    alone = [ask(client, f"series {number}", dataset_id=dataset_id) for number in (0, 2)]
    together = ask(client, ["series 2", "series 0"], dataset_id=dataset_id)
    assert (together["forecasts"], passes) == (alone, [1, 1])


def test_series_with_one_uncached_take_one_pass(
    client: TestClient, dataset_id: str, passes: list[int]
) -> None:
    ask(client, "series 0", dataset_id=dataset_id)
    both = ask(client, ["series 0", "series 3"], dataset_id=dataset_id)
    assert [one["unique_id"] for one in both["forecasts"]] == ["series 0", "series 3"]
    assert passes == [1, 2]


def test_unknown_name_beside_a_known_one_is_a_404(client: TestClient, dataset_id: str) -> None:
    ask(client, dataset_id=dataset_id)
    ask(client, ["series 1", "series 9"], status=404, dataset_id=dataset_id)


def test_named_model_and_champion_share_cached_quantiles(
    client: TestClient, dataset_id: str, passes: list[int]
) -> None:
    model_id = ask(client, dataset_id=dataset_id)["model_id"]
    ask(client, model_id=model_id, level=[70])
    assert passes == [1]


def test_appended_value_is_used_and_the_old_version_stays_cached(
    client: TestClient, dataset_id: str, passes: list[int]
) -> None:
    before = ask(client, dataset_id=dataset_id)
    rows = {"observations": [{"unique_id": "series 1", "ds": 2000, "y": 1.0}]}
    client.post(f"/datasets/{dataset_id}/observations", json=rows)
    after = ask(client, dataset_id=dataset_id, level=[70])
    assert (before["ds"][0], after["ds"][0], after["forecast"] == before["forecast"]) == (2000, 2001, False)
    old = ask(client, dataset_id=dataset_id, dataset_version=1, level=[70])
    assert (old["forecast"], passes) == (before["forecast"], [1, 1])


def test_promoted_model_serves_its_own_numbers(
    client: TestClient, database: Database, dataset_id: str
) -> None:
    before = ask(client, dataset_id=dataset_id)
    other = trained(database, dataset_id, start="scratch", promote="never")
    client.post(f"/models/{other}/promote")
    after = ask(client, dataset_id=dataset_id, level=[70])
    assert after == anew(database, dataset_id=dataset_id, level=[70])
    assert (after["model_id"], after["forecast"] == before["forecast"]) == (other, False)


def test_fallback_serves_its_own_numbers(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database, trends(count=4)).id
    model_id = trained(database, dataset_id, method="network", on_loss="warn")
    with database.write() as session:
        verdict = {**examples.VERDICT, "outcome": "loses", "baseline": "drift"}
        session.get_one(Model, ("default", model_id)).verdicts = {"lstm": verdict}
    assert ask(client, dataset_id=dataset_id)["method"] == "lstm"
    client.patch(f"/models/{model_id}", json={"on_loss": "fallback"})
    after = ask(client, dataset_id=dataset_id, level=[70])
    assert after == anew(database, dataset_id=dataset_id, level=[70])
    assert after["method"] == "drift"


def test_deleted_model_is_not_served_from_the_cache(client: TestClient, dataset_id: str) -> None:
    model_id = ask(client, dataset_id=dataset_id)["model_id"]
    client.delete(f"/models/{model_id}")
    ask(client, status=404, model_id=model_id, level=[70])
    assert ask(client, dataset_id=dataset_id, level=[70])["model_id"] == "pretrained"


def test_deleted_dataset_is_not_served_from_the_cache(client: TestClient, dataset_id: str) -> None:
    ask(client, dataset_id=dataset_id)
    client.delete(f"/datasets/{dataset_id}")
    ask(client, status=404, dataset_id=dataset_id, level=[70])


def test_pretrained_network_runs_once_for_each_horizon(
    client: TestClient, database: Database, passes: list[int]
) -> None:
    """Its networks and its calibration are others for each."""
    dataset_id = dataset(database, trends(count=4)).id
    for horizon, level in ((4, 80), (4, 70), (5, 80), (5, 70)):
        answer = ask(client, dataset_id=dataset_id, horizon=horizon, level=[level])
        assert answer == anew(database, dataset_id=dataset_id, horizon=horizon, level=[level])
    assert sum(passes) == 2 + 4


def test_chart_is_drawn_from_cached_quantiles(
    client: TestClient, database: Database, dataset_id: str, passes: list[int]
) -> None:
    ask(client, dataset_id=dataset_id)
    chart = draw(client, dataset_id)
    assert passes == [1]
    with service_on(database) as other:
        assert chart == draw(other, dataset_id)


def test_forecasts_from_cached_quantiles_are_counted(client: TestClient, dataset_id: str) -> None:
    before = metrics.FROM_QUANTILE_FORECAST_CACHE._value.get()
    for level in (70, 71, 71):
        ask(client, dataset_id=dataset_id, level=[level])
    assert metrics.FROM_QUANTILE_FORECAST_CACHE._value.get() == before + 1
