"""Forecasts up to a time: series with different ends meet in one table."""

from typing import Any
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.intake.reader import read_rows
from app.intake.time.axis import TimeAxis
from tests.factories import dataset, trained, trends


def months(last: int, first: int = 1) -> list[str]:
    return [f"{2020 + (i - 1) // 12}-{(i - 1) % 12 + 1:02}" for i in range(first, last + 1)]


def rows(**last_months: int) -> list[dict[str, Any]]:
    return [
        {"unique_id": name, "ds": f"{month}-01", "y": float(i % 12)}
        for name, last in last_months.items()
        for i, month in enumerate(months(last))
    ]


@pytest.fixture
def dataset_id(client: TestClient) -> str:
    """Two series of months, which end with July 2023 and October 2023."""
    return str(client.post("/datasets", json={"observations": rows(july=43, october=46)}).json()["id"])


def ask(client: TestClient, dataset_id: str, **params: Any) -> dict[str, Any]:
    answer = client.get("/forecast", params={"dataset_id": dataset_id, **params})
    return {"status": answer.status_code, "etag": answer.headers.get("etag"), **answer.json()}


def times(answer: dict[str, Any]) -> dict[str, tuple[str | int, int]]:
    """The last time of each series, and how many it has."""
    return {each["unique_id"]: (each["ds"][-1], len(each["forecast"])) for each in answer["forecasts"]}


def test_series_with_different_ends_meet(client: TestClient, dataset_id: str) -> None:
    answer = ask(client, dataset_id, until="2023-12")
    assert times(answer) == {"july": ("2023-12-01", 5), "october": ("2023-12-01", 2)}


def test_table_ends_there_too(client: TestClient, dataset_id: str) -> None:
    table = client.get("/forecast", params={"dataset_id": dataset_id, "until": "2023-12", "format": "csv"})
    ends = [line.split(",")[1] for line in table.text.splitlines()[1:]]
    assert (len(ends), max(ends)) == (7, "2023-12-01")


def test_numbers_are_those_of_the_horizon_that_it_is(client: TestClient, dataset_id: str) -> None:
    params = {"unique_id": "october", "level": 80}
    until, horizon = (ask(client, dataset_id, **params, **far) for far in ({"until": "2023"}, {"horizon": 2}))
    assert until["forecasts"][0]["forecast"] == horizon["forecasts"][0]["forecast"]


def test_series_that_is_known_beyond_it_has_no_steps(client: TestClient, dataset_id: str) -> None:
    first, second = ask(client, dataset_id, until="2023-09")["forecasts"]
    assert (len(first["forecast"]), second["ds"], second["forecast"]) == (2, [], [])


def test_two_times_have_two_entity_tags(client: TestClient, dataset_id: str) -> None:
    tags = [ask(client, dataset_id, until=until)["etag"] for until in ("2023-11", "2023-12", "2023-11")]
    assert tags[0] == tags[2] != tags[1]


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"until": "2023-12", "horizon": 2}, "Give one of horizon and until."),
        ({"until": "2023-07"}, "Give a later until: series 'july' is known up to 2023-07-01"),
        ({"until": "soon"}, "such as 2025-12"),
        ({"until": "2023-13"}, "until=2023-13 is no period"),
        ({"until": "2099"}, "series 'july', which ends first, until is 917 steps away. "),
    ],
    ids=["both", "past", "text", "month 13", "far"],
)
def test_time_that_cannot_be_reached_is_refused(
    client: TestClient, dataset_id: str, params: dict[str, Any], says: str
) -> None:
    refused = ask(client, dataset_id, **params)
    assert (refused["status"], says in refused["detail"]) == (422, True)
    assert "?until" in [part["pointer"] for part in refused["errors"]]


@pytest.mark.usefixtures("brief_trainings")
def test_time_past_the_model_names_the_series_and_what_reaches(
    client: TestClient, database: Database
) -> None:
    dataset_id = dataset(database, trends(count=2)).id
    trained(database, dataset_id)
    assert times(ask(client, dataset_id, until="2001"))["series 1"] == (2001, 2)
    detail = ask(client, dataset_id, until="2004")["detail"]
    assert "series 'series 0', which ends first, until is 5 steps away" in detail
    assert "at most 3 steps" in detail
    assert "model_id=pretrained" in detail


@pytest.mark.parametrize("with_dataset", [True, False])
def test_series_sent_along_meet_as_well(client: TestClient, dataset_id: str, *, with_dataset: bool) -> None:
    body = {"observations": rows(march=39, may=41), "until": "2023-08"}
    answer = client.post("/forecast", json=body | ({"dataset_id": dataset_id} if with_dataset else {}))
    assert times(answer.json()) == {"march": ("2023-08-01", 5), "may": ("2023-08-01", 3)}


def test_rows_sent_along_are_read_once(
    client: TestClient, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = Mock(wraps=read_rows)
    monkeypatch.setattr("app.services.forecasting.ad_hoc.read_rows", reading)
    body = {"observations": rows(march=39), "until": "2023-08", "dataset_id": dataset_id}
    assert client.post("/forecast", json=body).status_code == 200
    assert reading.call_count == 1


@pytest.mark.parametrize("far", [{"until": "2099-01"}, {"until": "2023-12", "horizon": 1}, {"until": "x"}])
def test_refusal_points_into_the_body(client: TestClient, far: dict[str, Any]) -> None:
    refused = client.post("/forecast", json={"observations": rows(march=39), **far})
    assert refused.status_code == 422
    assert "#/until" in [part["pointer"] for part in refused.json()["errors"]]


@pytest.mark.parametrize(
    ("kind", "frequency", "zone", "until", "last"),
    [
        ("datetime", "D", None, "2024-02", "2024-02-29"),
        ("datetime", "ME", None, "2024-02", "2024-02-29"),
        ("datetime", "h", None, "2024-02-01", "2024-02-01T23:00:00"),
        ("datetime", "h", "Europe/Berlin", "2024-02-01T12", "2024-02-01T12:00:00+01:00"),
        ("datetime", "h", "Europe/Berlin", "2024-02-01T11:00Z", "2024-02-01T12:00:00+01:00"),
        ("integer", 1, None, "31", 31),
        ("year", "YS", None, "2030", 2030),
    ],
)
def test_last_step_is_the_last_of_the_period(
    kind: Any, frequency: str | int, zone: str | None, until: str, last: str | int
) -> None:
    axis = TimeAxis(kind, frequency, zone)
    ends = axis.ordinals([{"integer": 7, "year": 2020}.get(kind, "2024-01-31")])
    (steps,) = axis.steps_until(ends, axis.last_of(until)).tolist()
    assert axis.format(axis.future(int(ends[0]), steps))[-1] == last
