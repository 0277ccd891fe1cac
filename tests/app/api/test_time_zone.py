"""A dataset in a zone is forecast, appended to and corrected in its local time."""

from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from tests.factories import SQLITE_ALONE, only

pytestmark = SQLITE_ALONE

BERLIN = "Europe/Berlin"
# To the first 02:00 of the night in which it comes twice.
LOCAL = [str(time)[:16] for time in pd.date_range("2022-10-01", periods=24 * 29 + 3, freq="h", tz=BERLIN)]


def rows_of(*times: str) -> list[dict[str, Any]]:
    return [{"ds": time, "y": float(i % 24)} for i, time in enumerate(times)]


@pytest.fixture
def dataset_id(client: TestClient) -> str:
    body = {"time_zone": BERLIN, "observations": rows_of(*LOCAL)}
    return str(client.post("/datasets", json=body).json()["id"])


def append(client: TestClient, dataset_id: str, *times: str) -> Any:
    return client.post(f"/datasets/{dataset_id}/observations", json={"observations": rows_of(*times)})


def stored(client: TestClient, dataset_id: str) -> list[str]:
    path = f"/datasets/{dataset_id}/observations"
    times: list[str] = client.get(path, params={"unique_id": "series", "limit": 1000}).json()["ds"]
    return times


def test_forecast_goes_through_the_change_of_the_clock(client: TestClient, dataset_id: str) -> None:
    answer = client.get("/forecast", params={"dataset_id": dataset_id, "horizon": 2})
    assert only(answer)["ds"] == ["2022-10-30T02:00:00+01:00", "2022-10-30T03:00:00+01:00"]
    table = client.get(f"/forecast?dataset_id={dataset_id}", headers={"accept": "text/csv"})
    assert ",2022-10-30T02:00:00+01:00," in table.text


def test_rows_of_a_form_are_read_in_the_zone(client: TestClient) -> None:
    table = "ds,y\n" + "".join(f"{time},{i % 24}\n" for i, time in enumerate(LOCAL))
    answer = client.post("/datasets", files={"file": ("t.csv", table)}, data={"time_zone": BERLIN})
    assert answer.json()["profile"]["end"] == "2022-10-30T02:00:00+02:00"


@pytest.mark.parametrize(
    "times",
    [
        ("2022-10-30T02:00:00+01:00", "2022-10-30T03:00:00+01:00"),
        ("2022-10-30T01:00:00Z", "2022-10-30T02:00:00Z"),
        ("2022-10-30 02:00", "2022-10-30 02:00", "2022-10-30 03:00"),
    ],
)
def test_rows_with_and_without_offset_append(
    client: TestClient, dataset_id: str, times: tuple[str, ...]
) -> None:
    assert append(client, dataset_id, *times).json()["appended"] == 2
    assert stored(client, dataset_id)[-2:] == ["2022-10-30T02:00:00+01:00", "2022-10-30T03:00:00+01:00"]


def test_lone_row_at_a_time_that_comes_twice_is_refused(client: TestClient, dataset_id: str) -> None:
    answer = append(client, dataset_id, "2022-10-30 02:00", "2022-10-30 03:00")
    assert answer.status_code == 422
    assert "write them with their offset" in answer.json()["detail"]
    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/observations/0/ds"]


def test_days_of_a_zone_take_days_and_its_midnights(client: TestClient) -> None:
    days = [f"2022-03-{day:02}" for day in range(1, 27)]
    body = {"time_zone": BERLIN, "observations": rows_of(*days)}
    dataset_id = str(client.post("/datasets", json=body).json()["id"])
    more = ("2022-03-27", "2022-03-28T00:00:00+02:00", "2022-03-28T22:00:00Z")
    for day in more:
        assert append(client, dataset_id, day).json()["appended"] == 1
    assert stored(client, dataset_id)[-3:] == ["2022-03-27", "2022-03-28", "2022-03-29"]


def test_rows_sent_for_a_forecast_are_in_the_zone_of_the_dataset(client: TestClient, dataset_id: str) -> None:
    for times in (LOCAL[:200], [f"2022-10-09T{hour:02}:00:00Z" for hour in range(24)]):
        body = {"dataset_id": dataset_id, "horizon": 1, "observations": rows_of(*times)}
        assert only(client.post("/forecast", json=body))["ds"][0].endswith(":00:00+02:00")


def test_rows_by_themselves_may_be_in_a_zone(client: TestClient) -> None:
    body = {"time_zone": BERLIN, "horizon": 1, "observations": rows_of(*LOCAL)}
    assert only(client.post("/forecast", json=body))["ds"] == ["2022-10-30T02:00:00+01:00"]


def test_chart_of_a_zone_is_drawn(client: TestClient, dataset_id: str) -> None:
    query = f"dataset_id={dataset_id}&unique_id=series&horizon=3"
    answer = client.get(f"/forecast?{query}", headers={"accept": "image/svg+xml"})
    assert answer.status_code == 200


def test_unknown_zone_is_refused_with_close_names(client: TestClient) -> None:
    body = {"time_zone": "Europe/Berln", "observations": rows_of(*LOCAL)}
    answer = client.post("/datasets", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {
        "pointer": "#/time_zone",
        "detail": "Europe/Berlin or America/Belem",
    }
