"""`season_length`: given by upload, training and forecast, in place of what the time step suggests."""

from typing import Any

import httpx2
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from tests.factories import SQLITE_ALONE, only, trained

pytestmark = SQLITE_ALONE

Row = dict[str, Any]
MONTHS = 60


def season_of_twelve(times: list[Any]) -> list[Row]:
    wave = 100 + 20 * np.sin(2 * np.pi * np.arange(len(times)) / 12) + np.arange(len(times)) * 0.3
    return [{"unique_id": "shop", "ds": ds, "y": float(y)} for ds, y in zip(times, wave, strict=True)]


NUMBERED = season_of_twelve(list(range(1, MONTHS + 1)))
DATED = season_of_twelve(
    [str(date.date()) for date in pd.date_range("2015-01-01", periods=MONTHS, freq="MS")]
)


def csv_of(rows: list[Row]) -> bytes:
    return pd.DataFrame(rows).to_csv(index=False).encode()


def uploaded(client: TestClient, rows: list[Row], **fields: str) -> Any:
    return client.post("/datasets", files={"file": ("shop.csv", csv_of(rows))}, data=fields)


def seasons(answer: httpx2.Response) -> list[int]:
    assert answer.status_code == 201, answer.text
    return [season["length"] for season in answer.json()["profile"]["seasons"]]


def forecast(client: TestClient, **params: Any) -> list[float]:
    answer = client.get("/forecast", params={"unique_id": "shop", "horizon": 12, **params})
    assert answer.status_code == 200, answer.text
    medians: list[float] = only(answer)["forecast"]
    return medians


def test_months_behind_numbers_are_forecast_as_those_with_dates(client: TestClient) -> None:
    numbered = uploaded(client, NUMBERED, season_length="12").json()["id"]
    dated = uploaded(client, DATED).json()["id"]
    found, expected = (forecast(client, dataset_id=one) for one in (numbered, dated))
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_rows_sent_along_take_a_season_too(client: TestClient) -> None:
    bodies: list[Row] = [
        {"observations": NUMBERED, "season_length": 12, "horizon": 12},
        {"observations": NUMBERED, "season_length": [12], "horizon": 12},
        {"observations": DATED, "horizon": 12},
    ]
    one, several, dated = (only(client.post("/forecast", json=body))["forecast"] for body in bodies)
    assert one == several
    np.testing.assert_allclose(one, dated, rtol=0.01)


@pytest.mark.parametrize(
    ("given", "lengths"), [("", [12]), ("1", []), ("6", [6]), ("12,3", [3, 12]), ("12, 12", [12])]
)
def test_form_gives_one_several_or_no_season(client: TestClient, given: str, lengths: list[int]) -> None:
    answer = uploaded(client, DATED, season_length=given)
    assert seasons(answer) == lengths
    assert answer.json()["profile"]["season_length"] == (lengths or [1])[0]


@pytest.mark.parametrize(("given", "lengths"), [(None, [12]), (1, []), (6, [6]), ([12, 3], [3, 12])])
def test_json_gives_one_several_or_no_season(client: TestClient, given: Any, lengths: list[int]) -> None:
    body = {"observations": DATED, "season_length": given}
    assert seasons(client.post("/datasets", json=body)) == lengths


@pytest.mark.parametrize("wrong", ["0", "5001", "1,12", "12.5", "a year", "-7", "2,3,4,5,6", "7,,12"])
def test_wrong_season_in_a_form_is_pointed_at(client: TestClient, wrong: str) -> None:
    answer = uploaded(client, DATED, season_length=wrong)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, "#/season_length")
    assert error["detail"].startswith("season_length is a whole number of steps from 2 to 5,000")


@pytest.mark.parametrize("wrong", [0, 5001, [1, 12], 12.5, "12", True, [], [2, 3, 4, 5, 6]])
@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("/datasets", {"observations": DATED}),
        ("/forecast", {"observations": DATED}),
        ("/train", {"dataset_id": "ds_none", "horizon": 3}),
    ],
)
def test_wrong_season_in_json_is_pointed_at(client: TestClient, path: str, rest: Row, wrong: Any) -> None:
    answer = client.post(path, json={**rest, "season_length": wrong})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, "#/season_length")
    assert error["detail"].startswith("season_length is a whole number of steps from 2 to 5,000")


def test_dataset_s_forecast_with_other_seasons_is_refused(client: TestClient) -> None:
    dataset_id = uploaded(client, DATED).json()["id"]
    body = {"dataset_id": dataset_id, "observations": DATED, "season_length": 6}
    answer = client.post("/forecast", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/season_length")


def test_season_of_numbered_steps_is_found_in_the_values(client: TestClient) -> None:
    (season,) = uploaded(client, NUMBERED).json()["profile"]["seasons"]
    assert (season["length"], season["name"], season["found"]) == (12, "season", True)
    assert season["gain"] > 0.9


def test_stored_and_sent_rows_are_forecast_with_the_season_found(client: TestClient) -> None:
    stored = forecast(client, dataset_id=uploaded(client, NUMBERED).json()["id"])
    dated = forecast(client, dataset_id=uploaded(client, DATED).json()["id"])
    sent = only(client.post("/forecast", json={"observations": NUMBERED, "horizon": 12}))["forecast"]
    np.testing.assert_allclose(stored, dated, rtol=0.01)
    assert sent == stored


def test_no_season_is_looked_for_where_one_step_is_given(client: TestClient) -> None:
    assert seasons(uploaded(client, NUMBERED, season_length="1")) == []


def test_steps_with_a_calendar_keep_its_seasons_where_the_values_show_others(client: TestClient) -> None:
    rows = [{**row, "y": float(number % 5)} for number, row in enumerate(DATED)]
    (season,) = uploaded(client, rows).json()["profile"]["seasons"]
    assert (season["length"], season["found"]) == (12, False)
    assert season["reason"] == "no pattern that repeats clearly from cycle to cycle"


def test_season_is_found_when_appended_rows_make_a_series_long_enough(client: TestClient) -> None:
    dataset_id = uploaded(client, NUMBERED[:14]).json()["id"]
    assert client.get(f"/datasets/{dataset_id}").json()["profile"]["seasons"] == []
    answer = client.post(f"/datasets/{dataset_id}/observations", json={"observations": NUMBERED[14:]})
    profile = answer.json()["profile"]
    assert [season["length"] for season in profile["seasons"]] == [profile["season_length"]] == [12]
    assert client.get("/forecast", params={"dataset_id": dataset_id, "horizon": 12}).status_code == 200


def test_appended_rows_leave_the_season_found_as_it_is(client: TestClient) -> None:
    created = uploaded(client, NUMBERED).json()
    flat = [{"ds": MONTHS + number, "y": 100.0} for number in (1, 2, 3)]
    answer = client.post(f"/datasets/{created['id']}/observations", json={"observations": flat}).json()
    assert answer["profile"]["seasons"] == created["profile"]["seasons"]


def test_season_is_measured_once_appended_rows_make_two_cycles(client: TestClient) -> None:
    dataset_id = uploaded(client, DATED[:20]).json()["id"]
    answer = client.post(f"/datasets/{dataset_id}/observations", json={"observations": DATED[20:26]})
    (season,) = answer.json()["profile"]["seasons"]
    assert (season["found"], season["reason"]) == (True, None)


def test_appended_rows_keep_the_season_given(client: TestClient) -> None:
    dataset_id = uploaded(client, NUMBERED, season_length="12").json()["id"]
    more = {"observations": [{"ds": MONTHS + 1, "y": 120.0}]}
    profile = client.post(f"/datasets/{dataset_id}/observations", json=more).json()["profile"]
    assert [season["length"] for season in profile["seasons"]] == [12]


@pytest.mark.usefixtures("brief_trainings")
@pytest.mark.parametrize(("given", "lengths"), [(None, [12]), ([6], [6]), ([1], [])])
def test_training_learns_the_season_given(
    client: TestClient, database: Database, given: list[int] | None, lengths: list[int]
) -> None:
    dataset_id = uploaded(client, DATED).json()["id"]
    model_id = trained(database, dataset_id, season_length=given)
    model = client.get(f"/models/{model_id}").json()
    assert model["lineage"]["config"]["season_lengths"] == lengths
    assert len(forecast(client, model_id=model_id, horizon=3)) == 3


@pytest.mark.usefixtures("brief_trainings")
def test_model_of_numbers_with_a_season_forecasts_rows_of_its_own_places(
    client: TestClient, database: Database
) -> None:
    dataset_id = uploaded(client, NUMBERED).json()["id"]
    model_id = trained(database, dataset_id, season_length=[12])
    stored = forecast(client, model_id=model_id, horizon=3)
    answer = client.post("/forecast", json={"model_id": model_id, "observations": NUMBERED, "horizon": 3})
    assert only(answer)["forecast"] == stored


@pytest.mark.parametrize(
    ("months", "known"),
    [
        (14, {"found": False, "reason": "too short to know a season of a year: 14 of 18 steps"}),
        (24, {"found": True, "gain": 0.967, "reason": None}),
    ],
)
def test_profile_names_a_season_that_is_too_long_to_be_known(
    client: TestClient, months: int, known: Row
) -> None:
    (season,) = uploaded(client, DATED[:months]).json()["profile"]["seasons"]
    assert season == {"length": 12, "name": "year", "gain": None} | known
