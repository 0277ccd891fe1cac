"""The same history has the same forecast, stored in a dataset or sent with the request."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.services.forecasting import pretrained
from models.config import HISTORY_LIMIT
from tests.factories import filled_app, trained

Row = dict[str, Any]
TWELVE_YEARS = 626  # weeks: more by two than twelve seasons of 52


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with filled_app(tmp_path_factory.mktemp("same"), lambda _: "") as (client, _):
        yield client


def history(times: Sequence[str | int], count: int = 1, season: int = 12) -> list[Row]:
    """Rows of seasonal series; the second begins a few steps later than the first, and so on."""
    noise = np.random.default_rng(5).normal(0, 1, (count, len(times)))
    wave = 100 + 10 * np.sin(np.arange(len(times)) * 2 * np.pi / season)
    return [
        {"unique_id": f"series {i:03}", "ds": ds, "y": float(wave[at] + noise[i, at])}
        for i in range(count)
        for at, ds in enumerate(times)
        if at >= 3 * i
    ]


def dates(frequency: str, length: int) -> list[str]:
    return [time.isoformat() for time in pd.date_range("2009-03-04", periods=length, freq=frequency)]


def stored(client: TestClient, rows: list[Row]) -> str:
    table = pd.DataFrame(rows).to_csv(index=False).encode()
    answer = client.post("/datasets", files={"file": ("same.csv", table)})
    assert answer.status_code == 201, answer.text
    dataset_id: str = answer.json()["id"]
    return dataset_id


def numbers(forecasts: list[Row]) -> list[tuple[list[str | int], Any]]:
    """The times of each series, and then its medians and bounds."""
    return [
        (
            each["ds"],
            [each["forecast"], *(bound for found in each["intervals"].values() for bound in _sides(found))],
        )
        for each in forecasts
    ]


def _sides(interval: Row) -> tuple[list[float], list[float]]:
    return interval["lo"], interval["hi"]


def assert_same(client: TestClient, rows: list[Row], kept_in: str, **named: str) -> None:
    kept = client.get("/forecast", params={"dataset_id": kept_in, "limit": 1000}).json()["forecasts"]
    brought = client.post("/forecast", json={"observations": rows, **named}).json()["forecasts"]
    assert [each["unique_id"] for each in brought] == [each["unique_id"] for each in kept]
    for (ds, ours), (other_ds, theirs) in zip(numbers(kept), numbers(brought), strict=True):
        assert ds == other_ds
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(dates("W-SUN", TWELVE_YEARS), id="weeks"),
        pytest.param(dates("2W-WED", 120), id="fortnights"),
        pytest.param(dates("D", 200), id="days"),
        pytest.param(dates("B", 200), id="business days"),
        pytest.param(dates("ME", 90), id="months"),
        pytest.param(dates("QE-DEC", 50), id="quarters"),
        pytest.param(dates("h", HISTORY_LIMIT + 300), id="more hours than are looked at"),
        pytest.param(range(10, 90), id="numbers"),
        pytest.param(range(1950, 2020), id="years"),
    ],
)
def test_stored_and_sent_series_get_the_same_forecast(client: TestClient, times: Sequence[str | int]) -> None:
    rows = history(times, count=2)
    dataset_id = stored(client, rows)
    assert_same(client, rows, dataset_id, dataset_id=dataset_id)
    assert_same(client, rows, dataset_id)


def test_more_series_than_are_backtested_get_the_same_forecast(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "BACKTEST_SERIES", 4)
    rows = history(range(1950, 1990), count=6)
    assert_same(client, rows, stored(client, rows))


@pytest.mark.usefixtures("brief_trainings")
def test_model_forecasts_stored_and_sent_weeks_alike(client: TestClient) -> None:
    rows = history(dates("W-SUN", TWELVE_YEARS), count=2, season=52)
    dataset_id = stored(client, rows)
    database: Database = client.app.state.resources.database  # type: ignore[attr-defined]  # an app of ours
    trained(database, dataset_id)
    assert_same(client, rows, dataset_id, dataset_id=dataset_id)
