"""A new product with a single row keeps no other series from being stored, trained on and forecast."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from tests.factories import appended, dataset, filled_app, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")
SERIES = {**trends(count=3), "new": [7.0]}


def forecasts(client: TestClient, dataset_id: str, **params: Any) -> list[dict[str, Any]]:
    answer = client.get("/forecast", params={"dataset_id": dataset_id, "horizon": 3, **params})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["forecasts"]
    return found


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    with filled_app(tmp_path_factory.mktemp("cold"), lambda database: dataset(database, SERIES).id) as ready:
        yield ready


def test_series_of_one_value_is_stored_and_noted(untrained: tuple[TestClient, str]) -> None:
    client, dataset_id = untrained
    profile = client.get(f"/datasets/{dataset_id}").json()["profile"]
    assert (profile["series"], profile["shortest"]) == (4, 1)
    assert "'new'" in profile["detected"]["notes"][-1]


def test_it_is_forecast_near_its_value_before_any_training(untrained: tuple[TestClient, str]) -> None:
    new = next(item for item in forecasts(*untrained) if item["unique_id"] == "new")
    assert new["ds"] == [1961, 1962, 1963]
    assert new["forecast"] == pytest.approx([7, 7, 7], rel=0.3)


def test_its_forecast_is_marked_and_that_of_others_is_not(untrained: tuple[TestClient, str]) -> None:
    client, dataset_id = untrained
    marked = {
        item["unique_id"]
        for item in forecasts(*untrained)
        if "A single value of this" in (item["warning"] or "")
    }
    alone = forecasts(*untrained, unique_id="new")[0]["warning"]
    table = client.get("/forecast", params={"dataset_id": dataset_id}, headers={"accept": "text/csv"})
    assert marked == {"new"}
    assert "A single value of this series is known" in alone
    assert "1 of these series has a single value" in table.headers["gatecast-warning"]


def test_training_passes_over_it_and_serves_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    def fill(database: Database) -> str:
        dataset_id = dataset(database, SERIES).id
        trained(database, dataset_id)
        return dataset_id

    with filled_app(tmp_path_factory.mktemp("trained"), fill) as (client, dataset_id):
        every = forecasts(client, dataset_id)
    assert [item["unique_id"] for item in every] == ["new", "series 0", "series 1", "series 2"]
    assert np.isfinite([item["forecast"] for item in every]).all()


def test_its_second_row_may_follow(tmp_path_factory: pytest.TempPathFactory) -> None:
    def fill(database: Database) -> str:
        dataset_id = dataset(database, {"old": [1.0, 2.0, 3.0]}).id
        appended(database, dataset_id, ("new", 1962, 5.0))
        appended(database, dataset_id, ("new", 1963, 6.0))
        return dataset_id

    with filled_app(tmp_path_factory.mktemp("later"), fill) as (client, dataset_id):
        series = client.get(f"/datasets/{dataset_id}/series").json()["series"]
    assert [(one["unique_id"], one["length"]) for one in series] == [("new", 2), ("old", 3)]
