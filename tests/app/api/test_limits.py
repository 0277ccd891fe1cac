"""Limits: forecasts stay in the range that a dataset or a request gives, in every answer."""

import csv
import io
import json
import math
from typing import Any

import httpx2
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from app.auth import OWNER
from app.commands import offline
from app.db.engine import Database
from app.db.tables import Model
from app.schemas import examples
from app.schemas.choices import Limits
from app.services.forecasting.request import ForecastRequest
from app.settings import Settings
from tests.factories import csv_bytes, only, trained, trends, upload

pytestmark = pytest.mark.usefixtures("brief_trainings")
Body = dict[str, Any]
LOW, HIGH = 100.5, 139.5  # series 0 rises from 100 to 140


def forecast(client: TestClient, dataset_id: str, **params: Any) -> Body:
    query = {"dataset_id": dataset_id, "unique_id": "series 0", "horizon": 3, **params}
    answer = client.get("/forecast", params=query)
    assert answer.status_code == 200, answer.text
    return only(answer)


def numbers(answer: Body) -> list[float]:
    bounds = [answer["intervals"][level][side] for level in answer["intervals"] for side in ("lo", "hi")]
    return sum(bounds, list(answer["forecast"]))


def patched(client: TestClient, dataset_id: str, **changes: Any) -> httpx2.Response:
    return client.patch(f"/datasets/{dataset_id}", json=changes)


def rows() -> list[Body]:
    return [{"unique_id": "series 0", "ds": 1960 + i, "y": y} for i, y in enumerate(trends(1)["series 0"])]


@pytest.mark.parametrize("way", ["form", "json"])
def test_upload_gives_limits_that_its_forecasts_stay_in(client: TestClient, way: str) -> None:
    if way == "form":
        stored = upload(client, trends(1), lower=str(LOW), upper=str(HIGH), integer="true")
    else:
        body = {"observations": rows(), "lower": LOW, "upper": HIGH, "integer": True}
        stored = client.post("/datasets", json=body).json()
    assert (stored["lower"], stored["upper"], stored["integer"]) == (LOW, HIGH, True)
    found = numbers(forecast(client, stored["id"]))
    assert max(found) == 139.0
    assert all(value.is_integer() for value in found)


@pytest.mark.parametrize("by", ["network", "blend", "drift"])
def test_limits_hold_for_trained_networks_and_baselines(
    client: TestClient, database: Database, by: str
) -> None:
    dataset_id = upload(client, trends(8), upper=str(HIGH))["id"]
    method = "blend" if by == "blend" else "network"
    model_id = trained(database, dataset_id, on_loss="fallback", method=method)
    lost = {**examples.VERDICT, "outcome": "loses", "baseline": "drift"}
    with database.write() as session:
        model = session.get_one(Model, (OWNER.workspace_id, model_id))
        model.verdicts = {model.served: {**lost, "outcome": "loses" if by == "drift" else "ties"}}
    found = forecast(client, dataset_id, model_id=model_id)
    assert found["method"] == {"network": "lstm"}.get(by, by)
    assert max(numbers(found)) == HIGH


def test_change_of_limits_shows_at_once(client: TestClient) -> None:
    dataset_id = upload(client, trends(1))["id"]
    query = {"dataset_id": dataset_id, "unique_id": "series 0", "horizon": 3}
    before = client.get("/forecast", params=query)
    assert patched(client, dataset_id, upper=HIGH).json()["upper"] == HIGH
    headers = {"if-none-match": before.headers["etag"]}
    after = client.get("/forecast", params=query, headers=headers)
    assert (after.status_code, max(numbers(only(after)))) == (200, HIGH)
    assert patched(client, dataset_id, upper=None).json()["upper"] is None
    assert client.get("/forecast", params=query, headers=headers).status_code == 304


def test_every_format_has_the_same_numbers(client: TestClient) -> None:
    dataset_id = upload(client, trends(1), upper=str(HIGH), integer="true")["id"]
    query = {"dataset_id": dataset_id, "unique_id": "series 0", "horizon": 2, "level": 80}
    table, lines, arrow = (
        client.get("/forecast", params=query, headers={"accept": accept})
        for accept in ("text/csv", "application/x-ndjson", "application/vnd.apache.arrow.stream")
    )
    answer = forecast(client, dataset_id, horizon=2, level=80)
    assert json.loads(lines.text) == answer
    read = list(csv.DictReader(io.StringIO(table.text)))
    columns = pa.ipc.open_stream(arrow.content).read_all()
    for name, values in {"forecast": answer["forecast"], "hi-80": answer["intervals"]["80"]["hi"]}.items():
        assert [float(row[name]) for row in read] == values
        assert columns[name].to_pylist() == values


def test_table_of_every_series_stays_in_the_limits(client: TestClient) -> None:
    dataset_id = upload(client, trends(3), upper=str(HIGH))["id"]
    answer = client.get(
        "/forecast", params={"dataset_id": dataset_id, "horizon": 3}, headers={"accept": "text/csv"}
    )
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(found) == 9
    assert max(float(row["hi-95"]) for row in found) == HIGH


def test_request_gives_limits_of_its_own(client: TestClient) -> None:
    alone = client.post("/forecast", json={"observations": rows(), "horizon": 3, "upper": HIGH})
    assert max(numbers(only(alone))) == HIGH
    dataset_id = upload(client, trends(1), upper="120", integer="true")["id"]
    body = {"dataset_id": dataset_id, "observations": rows(), "horizon": 3}
    assert max(numbers(only(client.post("/forecast", json=body)))) == 120.0
    assert max(numbers(only(client.post("/forecast", json={**body, "upper": HIGH})))) == 139.0
    refused = client.post("/forecast", json={**body, "lower": 130.0})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["#/lower", "#/upper"]


def test_interval_of_whole_numbers_holds_those_that_it_held(client: TestClient) -> None:
    dataset_id = upload(client, trends(1))["id"]
    before = forecast(client, dataset_id)
    patched(client, dataset_id, integer=True)
    after = forecast(client, dataset_id)
    for level, was in before["intervals"].items():
        now = after["intervals"][level]
        assert now["lo"] == [math.ceil(bound) for bound in was["lo"]]
        assert now["hi"] == [math.floor(bound) for bound in was["hi"]]


def test_forecast_on_the_command_line_takes_limits(
    settings: Settings, client: TestClient, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lines.csv"
    file.write_bytes(csv_bytes(trends(1)))
    client.post("/datasets", files={"file": (file.name, file.read_bytes())}, data={"upper": "139.5"})
    highest = []
    for limits in (Limits(), Limits(upper=120.0), Limits(integer=True)):
        offline.forecast(settings, file, ForecastRequest(horizon=3, limits=limits))
        highest.append(max(float(line.split(",")[-1]) for line in capsys.readouterr().out.splitlines()[1:]))
    assert highest == [139.5, 120.0, 139.0]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"lower": "many"}, "#/lower"),
        ({"lower": "2", "upper": "1"}, "#/upper"),
        ({"lower": "0.2", "upper": "0.8", "integer": "true"}, "#/integer"),
        ({"integer": "perhaps"}, "#/integer"),
    ],
)
def test_wrong_limit_in_a_form_is_pointed_at(
    client: TestClient, fields: dict[str, str], pointer: str
) -> None:
    answer = client.post("/datasets", files={"file": ("a.csv", csv_bytes())}, data=fields)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"lower": "0"}, "#/lower"),
        ({"lower": 2, "upper": 1}, "#/upper"),
        ({"lower": 0.2, "upper": 0.8, "integer": True}, "#/integer"),
    ],
)
@pytest.mark.parametrize("path", ["/datasets", "/forecast"])
def test_wrong_limit_in_json_is_pointed_at(client: TestClient, path: str, fields: Body, pointer: str) -> None:
    answer = client.post(path, json={"observations": rows(), **fields})
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])


def test_patch_changes_what_it_names(client: TestClient) -> None:
    dataset_id = upload(client, trends(1), lower="0", upper="9")["id"]
    changed = patched(client, dataset_id, name="  lines ", lower=None, integer=True).json()
    assert (changed["name"], changed["lower"], changed["upper"], changed["integer"]) == (
        "lines",
        None,
        9.0,
        True,
    )
    same = patched(client, dataset_id, name=None, integer=None).json()
    assert same == changed == client.get(f"/datasets/{dataset_id}").json()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({}, "#/"), ({"name": " "}, "#/"), ({"lower": 10}, "#/lower"), ({"colour": "red"}, "#/colour")],
)
def test_patch_that_cannot_be_is_refused(client: TestClient, changes: Body, pointer: str) -> None:
    stored = upload(client, trends(1), upper="9")
    answer = patched(client, stored["id"], **changes)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])
    assert client.get(f"/datasets/{stored['id']}").json() == stored


def test_patch_of_an_unknown_dataset_is_not_found(client: TestClient) -> None:
    assert patched(client, "ds_none", name="a").status_code == 404


def test_patch_of_seasons_makes_a_version_whose_forecasts_follow_them(client: TestClient) -> None:
    wave = {"a": [float(10 + 5 * (i % 6 == 0)) for i in range(60)]}
    stored = upload(client, wave, season_length="1")
    query = {"unique_id": "a", "horizon": 6, "dataset_id": stored["id"]}
    flat = only(client.get("/forecast", params=query))["forecast"]
    changed = patched(client, stored["id"], season_length=6).json()
    assert (changed["version"], [one["length"] for one in changed["profile"]["seasons"]]) == (2, [6])
    seasonal = only(client.get("/forecast", params=query))["forecast"]
    assert seasonal[0] > 14 > max(seasonal[1:])
    assert only(client.get("/forecast", params={**query, "dataset_version": 1}))["forecast"] == flat
    assert patched(client, stored["id"], season_length=[6]).json()["version"] == 2


def test_appended_values_outside_the_limits_are_noted(client: TestClient) -> None:
    dataset_id = upload(client, trends(1), upper="200")["id"]
    more = {"observations": [{"ds": 2000, "y": 250.0}]}
    answer = client.post(f"/datasets/{dataset_id}/observations", json=more).json()
    (note,) = answer["detected"]["notes"]
    assert note.startswith("1 value is outside the limits, upper 200.")


def test_mean_stays_in_the_limits_and_is_not_rounded(client: TestClient) -> None:
    dataset_id = upload(client, trends(1))["id"]
    free = forecast(client, dataset_id)["mean"]
    patched(client, dataset_id, upper=HIGH, integer=True)
    assert forecast(client, dataset_id)["mean"] == [min(value, HIGH) for value in free]
