"""Times at which a series never has a value have no forecast, in no format."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from app.auth import OWNER
from app.db.engine import Database
from app.digest import sha256
from app.intake.reader import ReadOptions, read_csv
from app.services.datasets import catalog
from app.services.datasets.staging import StagedDataset, Upload, stored
from tests.factories import filled_app, only, trained

Row = dict[str, Any]
SUNDAY = 6
ROWS = [
    {"unique_id": name, "ds": str(day.date()), "y": float(100 + 10 * day.weekday() + number % 3)}
    for name, shut in (("shop", (SUNDAY,)), ("web", ()))
    for number, day in enumerate(pd.date_range("2026-01-01", "2026-03-21"))
    if day.weekday() not in shut
]
AHEAD = ["2026-03-22", "2026-03-23", "2026-03-24"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with filled_app(tmp_path_factory.mktemp("closed"), lambda _: "") as (client, _):
        yield client


@pytest.fixture(scope="module")
def dataset_id(client: TestClient) -> str:
    uploaded: str = client.post("/datasets", json={"observations": ROWS}).json()["id"]
    return uploaded


def get(client: TestClient, dataset_id: str, accept: str = "application/json", **params: Any) -> Any:
    wanted = {"dataset_id": dataset_id, "horizon": 3, **params}
    answer = client.get("/forecast", params=wanted, headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    return answer


def test_closed_day_is_left_out_and_the_others_stay(client: TestClient, dataset_id: str) -> None:
    shop, web = get(client, dataset_id).json()["forecasts"]
    assert (shop["ds"], web["ds"]) == (AHEAD[1:], AHEAD)
    assert [len(shop["forecast"]), *(len(side) for side in _bounds(shop))] == [2] * 5
    alone = only(get(client, dataset_id, unique_id="shop"))
    assert (alone["ds"], alone["forecast"]) == (shop["ds"], pytest.approx(shop["forecast"], rel=1e-6))


def _bounds(item: Row) -> list[list[float]]:
    return [interval[side] for interval in item["intervals"].values() for side in ("lo", "hi")]


def test_tables_have_no_row_for_it(client: TestClient, dataset_id: str) -> None:
    expected = [("shop", AHEAD[1]), ("shop", AHEAD[2]), *(("web", ds) for ds in AHEAD)]
    medians = [one for item in get(client, dataset_id).json()["forecasts"] for one in item["forecast"]]
    table = pd.read_csv(io.BytesIO(get(client, dataset_id, "text/csv").content))
    assert list(zip(table["unique_id"], table["ds"], strict=True)) == expected
    assert table["forecast"].tolist() == pytest.approx(medians)
    stream = get(client, dataset_id, "application/vnd.apache.arrow.stream").content
    batches = pa.ipc.open_stream(stream).read_all()
    assert (
        list(
            zip(
                batches["unique_id"].to_pylist(),
                [str(ds.date()) for ds in batches["ds"].to_pylist()],
                strict=True,
            )
        )
        == expected
    )
    assert batches["forecast"].to_pylist() == pytest.approx(medians)


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "image/svg+xml"])
def test_forecast_of_nothing_but_closed_days_is_empty(
    client: TestClient, dataset_id: str, accept: str
) -> None:
    answer = get(client, dataset_id, accept, unique_id="shop", horizon=1)
    if accept == "application/json":
        assert (only(answer)["ds"], only(answer)["forecast"]) == ([], [])
    if accept == "text/csv":
        assert len(answer.text.splitlines()) == 1


def test_chart_is_drawn_without_it(client: TestClient, dataset_id: str) -> None:
    assert get(client, dataset_id, "image/svg+xml", unique_id="shop").content.startswith(b"<?xml")


def test_sent_rows_are_answered_alike(client: TestClient) -> None:
    answer = client.post("/forecast", json={"observations": ROWS, "horizon": 3}).json()
    assert [item["ds"] for item in answer["forecasts"]] == [AHEAD[1:], AHEAD]


@pytest.mark.usefixtures("brief_trainings")
def test_trained_model_has_no_forecast_for_it_either(tmp_path: Path) -> None:
    with filled_app(tmp_path, _trained_on_rows) as (client, dataset_id):
        shop, web = get(client, dataset_id, horizon=2).json()["forecasts"]
    assert (shop["ds"], web["ds"]) == (AHEAD[1:2], AHEAD[:2])


def _trained_on_rows(database: Database) -> str:
    table = pd.DataFrame(ROWS).to_csv(index=False).encode()
    upload = Upload("shops", read_csv(table, ReadOptions()), sha256(table))
    staged = StagedDataset(database, "test", OWNER, upload)
    with stored(staged), database.write() as session:
        dataset_id = catalog.create(session, staged).id
    trained(database, dataset_id)
    return dataset_id
