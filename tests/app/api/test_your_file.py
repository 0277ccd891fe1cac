"""The files of docs/how-to/your-file.md: with one parameter at most they have the right forecasts."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.factories import SQLITE_ALONE

pytestmark = SQLITE_ALONE

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def forecasts(client: TestClient, file: str, horizon: int, **said: str) -> dict[str, Any]:
    """Upload a file, and return the forecast of each of its series."""
    table = (EXAMPLES / file).read_bytes()
    answer = client.post("/datasets", files={"file": (file, table)}, data=said)
    assert answer.status_code == 201, answer.text
    query = {"dataset_id": answer.json()["id"], "horizon": str(horizon)}
    page = client.get("/forecast", params=query).json()
    return {each["unique_id"]: each for each in page.get("forecasts", [page])}


def rows(file: str) -> list[list[str]]:
    return [line.split(",") for line in (EXAMPLES / file).read_text().splitlines()[1:]]


def test_receipts_become_daily_totals(client: TestClient) -> None:
    sold = [float(amount) for _, amount in rows("receipts.csv")]
    days = len({day for day, _ in rows("receipts.csv")})
    found = forecasts(client, "receipts.csv", 14, duplicates="sum")["amount"]["forecast"]
    assert sum(found) / 14 == pytest.approx(sum(sold) / days, rel=0.2)


def test_two_keys_make_a_series_of_each_pair(client: TestClient) -> None:
    found = forecasts(client, "two-keys.csv", 7, id_column="store_nbr,family")
    pairs = {f"{store} / {family}" for _, store, family, _ in rows("two-keys.csv")}
    assert set(found) == pairs
    of_two = [
        float(sales) for _, store, family, sales in rows("two-keys.csv") if (store, family) == ("2", "bread")
    ]
    assert found["2 / bread"]["forecast"][0] == pytest.approx(sum(of_two[-28:]) / 28, rel=0.2)


def test_prices_are_forecast_for_business_days(client: TestClient) -> None:
    found = forecasts(client, "prices.csv", 5, target_column="Close")["Close"]
    assert [date.fromisoformat(day).weekday() for day in found["ds"]] == [0, 1, 2, 3, 4]
    assert found["forecast"][0] == pytest.approx(float(rows("prices.csv")[-1][4]), rel=0.05)


def test_shop_closed_on_sundays_has_no_forecast_for_one(client: TestClient) -> None:
    found = forecasts(client, "six-days.csv", 14)["orders"]
    assert date.fromisoformat(found["ds"][0]) > date.fromisoformat(rows("six-days.csv")[-1][0])
    assert {date.fromisoformat(day).weekday() for day in found["ds"]} == {0, 1, 2, 3, 4, 5}


def test_months_across_with_german_numbers_are_one_monthly_series(client: TestClient) -> None:
    found = forecasts(client, "months-across.xlsx", 6)["value"]
    assert found["ds"][0] == "2024-01-01"
    assert found["forecast"][0] == pytest.approx(1029 + 60, rel=0.1)  # January 2023, and what a year adds


def test_a_gbk_export_with_amounts_in_yuan_is_a_monthly_series(client: TestClient) -> None:
    found = forecasts(client, "gbk-export.csv", 6)["销售额"]
    assert found["ds"][0] == "2024-01-01"
    assert found["forecast"][0] == pytest.approx(12000 + 150 * 60 - 2600, rel=0.1)  # its trend, in winter


def test_planned_prices_and_promotions_are_kept_ahead_of_the_sales(client: TestClient) -> None:
    table = (EXAMPLES / "promotions.csv").read_bytes()
    said = {"target_column": "sales"}
    answer = client.post("/datasets", files={"file": ("promotions.csv", table)}, data=said).json()
    found = [(each["name"], each["role"], each["ahead"]) for each in answer["profile"]["covariates"]]
    assert found == [("price", "future", 14), ("promotion", "future", 14)]
