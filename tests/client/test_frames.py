"""DataFrames in, DataFrames out."""

import builtins
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from gatecast_client import Client, ForecastWarning, MissingPandas
from tests.factories import dataset, trained

BOUNDS = ["lo-80", "hi-80", "lo-95", "hi-95"]


@pytest.fixture
def caller(client: TestClient) -> Client:
    return Client("http://testserver", http=client)


def days(zone: str | None = None) -> pd.DataFrame:
    """Two series of sixty days, one value missing."""
    ds = pd.date_range("2024-03-01", periods=60, freq="D", tz=zone)
    parts = [
        pd.DataFrame({"unique_id": name, "ds": ds, "y": [float(i % 7) for i in range(60)]}) for name in "ab"
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[3, "y"] = float("nan")
    return frame


def test_forecast_of_a_frame_has_a_row_for_each_series_and_time(caller: Client) -> None:
    frame = caller.forecast(days(), horizon=24, level=[80, 95])
    assert list(frame.columns) == ["unique_id", "ds", "forecast", "mean", *BOUNDS]
    assert list(frame.groupby("unique_id").size()) == [24, 24]
    assert frame["ds"].iloc[0] == pd.Timestamp("2024-04-30")
    assert (frame["lo-95"] <= frame["lo-80"]).all()


def test_times_come_back_in_the_zone_that_they_were_sent_in(caller: Client) -> None:
    zone = "Europe/Berlin"
    ds = pd.date_range("2024-03-29", periods=60, freq="h", tz=zone)
    sent = pd.DataFrame({"ds": ds, "y": [float(i % 24) for i in range(60)]})
    frame = caller.forecast(sent, horizon=2)
    assert list(frame["ds"]) == [ds[-1] + pd.Timedelta(hours=step) for step in (1, 2)]
    assert str(frame["ds"].dt.tz) == zone


def test_forecast_of_a_dataset_equals_its_plain_objects(caller: Client, database: Database) -> None:
    dataset_id = dataset(database).id
    frame = caller.forecast(dataset_id, horizon=3)
    plain = list(caller.forecasts(dataset_id, horizon=3))
    assert list(frame["mean"]) == [value for each in plain for value in each.mean]
    assert list(frame["hi-95"]) == [value for each in plain for value in each.intervals["95"].hi]
    assert list(frame["ds"]) == [year for each in plain for year in each.ds]


def test_series_by_time_is_uploaded_and_forecast(caller: Client) -> None:
    months = pd.date_range("2020-01-31", periods=40, freq="ME")
    sales = pd.Series([float(i % 12) for i in range(40)], index=months, name="sales")
    stored = caller.upload(sales, "shop")
    assert (stored.name, stored.profile.series, stored.profile.observations) == ("shop", 1, 40)
    assert list(caller.forecast(sales, horizon=2)["ds"]) == [
        pd.Timestamp("2023-05-31"),
        pd.Timestamp("2023-06-30"),
    ]


def test_uploaded_frame_keeps_every_digit(caller: Client) -> None:
    frame = days()
    frame["y"] = frame["y"] / 3 + 1e-9
    stored = caller.upload(frame, "thirds")
    assert caller.observations(stored, "b").y == list(frame.loc[frame["unique_id"] == "b", "y"])
    assert caller.observations(stored, "a").y[3] is None


def test_rows_of_a_frame_are_appended(caller: Client) -> None:
    stored = caller.upload(days(), "days")
    more = pd.DataFrame({"unique_id": ["a", "b"], "ds": pd.Timestamp("2024-04-30"), "y": [1.0, 2.0]})
    assert caller.append(stored, more).appended == 2


@pytest.mark.usefixtures("brief_trainings")
def test_backtest_has_a_column_for_each_method_and_its_bounds(caller: Client, database: Database) -> None:
    model_id = trained(database, dataset(database).id)
    frame, rows = caller.backtest(model_id), list(caller.backtest_rows(model_id))
    assert list(frame["ds"]) == [row.ds for row in rows]
    assert list(frame["lstm-lo-80"]) == [row.methods["lstm"].intervals["80"].lo for row in rows]
    assert {"unique_id", "cutoff", "step", "y", "naive"} <= set(frame.columns)


def test_what_the_service_warns_of_is_a_warning(caller: Client) -> None:
    rows = [{"ds": i, "y": i, "price": i % 3} for i in range(9)]
    with pytest.warns(ForecastWarning, match=r"\('price'\)") as seen:
        caller.forecast(rows, horizon=2)
    assert seen[0].filename == __file__


def test_frame_without_pandas_is_refused_with_the_way_round(
    caller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *more: Any, **rest: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *more, **rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingPandas, match=r"gatecast-client\[pandas\].*`forecasts`"):
        caller.forecast("ds_1")
