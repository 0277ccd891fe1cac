"""Small look-alikes of the files that docs/how-to/your-file.md names, from file to forecast."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from xlsxwriter import Workbook

from tests.factories import SQLITE_ALONE

pytestmark = SQLITE_ALONE

GERMAN = ["Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]
ETT = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
SEASON = np.array([0, 6, 20, 15, 9, 21, 36, 36, 24, 7, -8, 6])


def read(client: TestClient, file: bytes, **said: str) -> dict[str, Any]:
    """Upload a file, and return its dataset."""
    answer = client.post("/datasets", files={"file": ("file", file)}, data=said)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def forecasts(client: TestClient, dataset: dict[str, Any], horizon: int) -> dict[str, Any]:
    query = {"dataset_id": dataset["id"], "horizon": str(horizon)}
    page = client.get("/forecast", params=query).json()
    return {each["unique_id"]: each for each in page.get("forecasts", [page])}


def test_airline_passengers_go_on_with_trend_and_season(client: TestClient) -> None:
    months = pd.date_range("1949-01", periods=60, freq="MS")
    values = [112 + 2 * i + int(SEASON[i % 12]) for i in range(60)]
    lines = [f"{month:%Y-%m},{value}" for month, value in zip(months, values, strict=True)]
    found = forecasts(client, read(client, "\n".join(["Month,Passengers", *lines]).encode()), 12)
    assert found["Passengers"]["ds"][0] == "1954-01-01"
    assert found["Passengers"]["forecast"] == pytest.approx(112 + 2 * np.arange(60, 72) + SEASON, rel=0.1)


def test_m5_sales_are_a_series_for_each_id_with_static_columns(client: TestClient) -> None:
    header = ",".join(["id,item_id,dept_id,cat_id,store_id,state_id", *(f"d_{i}" for i in range(1, 57))])
    lines = [
        f"{dept}_{i:03}_CA_1_validation,{dept}_{i:03},{dept},FOODS,CA_1,CA,"
        + ",".join(str(i + (5 if day % 7 > 4 else 0)) for day in range(56))
        for dept in ("FOODS_1", "FOODS_2")
        for i in (1, 2, 3)
    ]
    dataset = read(client, "\n".join([header, *lines]).encode())
    found = forecasts(client, dataset, 7)
    assert len(found) == 6
    static = {each["name"] for each in dataset["profile"]["covariates"] if each["role"] == "static"}
    assert "dept_id" in static
    series = found["FOODS_1_003_CA_1_validation"]
    assert series["ds"] == [*range(57, 64)]
    assert series["forecast"] == pytest.approx([3, 3, 3, 3, 3, 8, 8], abs=1)


def test_etth1_is_seven_hourly_series_in_one_upload(client: TestClient) -> None:
    hours = pd.date_range("2016-07-01", periods=24 * 14, freq="h")
    lines = [
        f"{hour:%Y-%m-%d %H:%M:%S},"
        + ",".join(f"{(k + 1) * (10 + np.sin(i % 24 / 24 * 2 * np.pi)):.6f}" for k in range(7))
        for i, hour in enumerate(hours)
    ]
    data = "\n".join([f"date,{','.join(ETT)}", *lines]).encode()
    found = forecasts(client, read(client, data, layout="wide"), 24)
    assert set(found) == set(ETT)
    assert found["OT"]["ds"][0] == "2016-07-15T00:00:00"
    assert found["OT"]["forecast"][6] == pytest.approx(77, rel=0.05)


def test_one_column_of_etth1_has_the_six_others_beside_it(client: TestClient) -> None:
    hours = pd.date_range("2016-07-01", periods=48, freq="h")
    rng = np.random.default_rng(0)
    lines = [f"{hour},{','.join(f'{x:.4f}' for x in rng.normal(size=7))}" for hour in hours]
    dataset = read(client, "\n".join([f"date,{','.join(ETT)}", *lines]).encode(), target_column="OT")
    beside = [(each["name"], each["role"]) for each in dataset["profile"]["covariates"]]
    assert beside == [(name, "past") for name in ETT[:6]]


def test_a_german_workbook_with_months_in_columns_is_one_monthly_series(client: TestClient) -> None:
    file = io.BytesIO()
    with Workbook(file) as book:
        sheet = book.add_worksheet("Umsatz")
        sheet.write_row(0, 0, ["Umsatz in Tausend Euro"])
        sheet.write_row(2, 0, ["Jahr", *GERMAN])
        for year in range(4):
            cells = [f"1.{200 + 12 * year + int(SEASON[month])},5" for month in range(12)]
            sheet.write_row(3 + year, 0, [2020 + year, *cells])
    found = forecasts(client, read(client, file.getvalue()), 6)["value"]
    assert found["ds"][0] == "2024-01-01"
    assert found["forecast"] == pytest.approx(1248.5 + SEASON[:6], rel=0.05)
