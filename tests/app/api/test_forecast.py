"""Forecasts over HTTP."""

import csv
import io
import json
from collections.abc import Iterator

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.db.tables import Blob, Model, StoredForecasts
from app.services.forecasting import compute
from app.services.forecasting.request import ForecastRequest
from app.services.shared.paging import encode_cursor
from models.choices import MAX_PRETRAINED_HORIZON
from tests.factories import dataset, filled_app, only, table, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """An app whose dataset has been trained on, with the dataset's id; the tests only look."""

    def fill(database: Database) -> str:
        dataset_id = dataset(database, trends(count=3)).id
        trained(database, dataset_id)
        return dataset_id

    with filled_app(tmp_path_factory.mktemp("forecast"), fill) as ready:
        yield ready


ONE_SERIES = "\n".join(["year,value", *(f"{year},{year % 5}" for year in range(1980, 2000))]).encode()
Ready = tuple[TestClient, str]
Params = dict[str, str | int | list[int] | list[str]]


def test_one_series_comes_as_a_page_too(ready: Ready) -> None:
    client, dataset_id = ready
    answer = only(client.get("/forecast", params={"dataset_id": dataset_id, "unique_id": "series 1"}))
    assert answer["unique_id"] == "series 1"
    assert (answer["dataset_version"], answer["method"]) == (1, "lstm")
    assert answer["ds"] == [2000, 2001, 2002]
    assert len(answer["forecast"]) == 3


def test_several_series_come_as_a_list_by_name(ready: Ready) -> None:
    client, dataset_id = ready
    params = {"dataset_id": dataset_id, "unique_id": ["series 2", "series 0"]}
    answer = client.get("/forecast", params=params).json()
    assert [item["unique_id"] for item in answer["forecasts"]] == ["series 0", "series 2"]


def test_every_series_is_paged_by_name(ready: Ready) -> None:
    client, dataset_id = ready
    first = client.get("/forecast", params={"dataset_id": dataset_id, "limit": 2}).json()
    second = client.get("/forecast", params={"dataset_id": dataset_id, "cursor": first["next"]}).json()
    names = [item["unique_id"] for item in first["forecasts"] + second["forecasts"]]
    assert names == ["series 0", "series 1", "series 2"]
    assert second["next"] is None


def test_requested_levels_widen_around_the_median(ready: Ready) -> None:
    client, dataset_id = ready
    params: Params = {"dataset_id": dataset_id, "unique_id": "series 0", "level": [50, 99]}
    answer = only(client.get("/forecast", params=params))
    narrow, wide = answer["intervals"]["50"], answer["intervals"]["99"]
    assert wide["lo"][0] < narrow["lo"][0] < answer["forecast"][0] < narrow["hi"][0] < wide["hi"][0]


def test_shorter_horizon_is_the_beginning_of_the_longer(ready: Ready) -> None:
    client, dataset_id = ready
    params = {"dataset_id": dataset_id, "unique_id": "series 0"}
    full = only(client.get("/forecast", params=params))
    short = only(client.get("/forecast", params={**params, "horizon": 2}))
    assert short["forecast"] == full["forecast"][:2]


def test_csv_holds_every_series_with_the_same_figures(ready: Ready) -> None:
    client, dataset_id = ready
    params: Params = {"dataset_id": dataset_id, "level": 80}
    table = client.get("/forecast", params=params, headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(table.text)))
    page = client.get("/forecast", params=params).json()["forecasts"]
    assert table.text.startswith("unique_id,ds,forecast,mean,lo-80,hi-80\n")
    assert [float(row["forecast"]) for row in rows] == [value for item in page for value in item["forecast"]]


def test_named_model_forecasts(ready: Ready) -> None:
    client, dataset_id = ready
    model_id = client.get("/models").json()["models"][0]["id"]
    by_model = client.get("/forecast", params={"model_id": model_id}).json()
    assert by_model == client.get("/forecast", params={"dataset_id": dataset_id}).json()


def test_trained_model_is_the_champion(ready: Ready) -> None:
    client, dataset_id = ready
    (model,) = client.get("/models", params={"dataset_id": dataset_id}).json()["models"]
    assert (model["champion"], model["preset"], model["horizon"]) == (True, "quick", 3)
    assert client.get(f"/models/{model['id']}").json().items() >= model.items()
    assert client.get(f"/datasets/{dataset_id}").json()["champion_id"] == model["id"]


def test_model_has_the_trial_of_its_architecture(ready: Ready) -> None:
    (model,) = ready[0].get("/models").json()["models"]
    (trial,) = model["trials"]
    assert model["architecture"] == trial["architecture"] == "lstm"
    assert 0 < trial["smape"] < 2
    assert 0 < trial["mase"] < 2


def test_unknown_series_is_a_404_that_names_it(ready: Ready) -> None:
    client, dataset_id = ready
    response = client.get("/forecast", params={"dataset_id": dataset_id, "unique_id": "nobody"})
    assert response.status_code == 404
    assert "nobody" in response.json()["errors"][0]["detail"]


def test_horizon_past_the_model_says_how_far_it_reaches_and_that_the_pretrained_network_goes_on(
    ready: Ready,
) -> None:
    client, dataset_id = ready
    response = client.get("/forecast", params={"dataset_id": dataset_id, "horizon": 4})
    assert response.status_code == 422
    assert "at most 3" in response.json()["detail"]
    assert "Ask with model_id=pretrained, or train" in response.json()["detail"]


def test_horizon_past_the_pretrained_network_leaves_a_training(ready: Ready) -> None:
    client, dataset_id = ready
    refused = client.get(
        "/forecast", params={"dataset_id": dataset_id, "horizon": MAX_PRETRAINED_HORIZON + 1}
    )
    assert "pretrained" not in refused.json()["detail"]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({}, "?dataset_id"),
        ({"dataset_id": "x", "horizon": 0}, "?horizon"),
        ({"dataset_id": "x", "level": 49}, "?level/0"),
        ({"dataset_id": "x", "level": 100}, "?level/0"),
        ({"dataset_id": "x", "limit": 0}, "?limit"),
    ],
)
def test_bad_parameter_is_pointed_at(ready: Ready, params: Params, pointer: str) -> None:
    response = ready[0].get("/forecast", params=params)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_other_media_type_is_not_acceptable(ready: Ready) -> None:
    client, dataset_id = ready
    response = client.get("/forecast", params={"dataset_id": dataset_id}, headers={"accept": "image/gif"})
    assert response.status_code == 406
    assert "text/csv, application/x-ndjson" in response.json()["detail"]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("text/csv;q=0.1, application/json", "application/json"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
        ("text/csv", "text/csv; charset=utf-8"),
    ],
)
def test_preference_decides_between_media_types(ready: Ready, accept: str, chosen: str) -> None:
    client, dataset_id = ready
    response = client.get("/forecast", params={"dataset_id": dataset_id}, headers={"accept": accept})
    assert response.headers["content-type"] == chosen


def test_every_table_holds_the_same_figures(ready: Ready) -> None:
    client, dataset_id = ready
    tables = {
        kind: client.get("/forecast", params={"dataset_id": dataset_id}, headers={"accept": kind}).content
        for kind in ("text/csv", "application/x-ndjson", "application/vnd.apache.arrow.stream")
    }
    table, lines, arrow = tables.values()
    medians = [float(row["forecast"]) for row in csv.DictReader(io.StringIO(table.decode()))]
    assert [value for line in lines.splitlines() for value in json.loads(line)["forecast"]] == medians
    assert pa.ipc.open_stream(arrow).read_all()["forecast"].to_pylist() == medians


@pytest.mark.parametrize(("kind", "start"), [("image/png", b"\x89PNG"), ("image/svg+xml", b"<?xml")])
def test_one_series_comes_as_a_chart(ready: Ready, kind: str, start: bytes) -> None:
    client, dataset_id = ready
    params = {"dataset_id": dataset_id, "unique_id": "series 1"}
    chart = client.get("/forecast", params=params, headers={"accept": kind})
    assert (chart.headers["content-type"], chart.headers["gatecast-method"]) == (kind, "lstm")
    assert chart.content.startswith(start)


@pytest.mark.parametrize("names", [[], ["series 0", "series 1"]], ids=["all", "two"])
def test_chart_of_several_series_is_refused(ready: Ready, names: list[str]) -> None:
    client, dataset_id = ready
    params: Params = {"dataset_id": dataset_id, "unique_id": names}
    refused = client.get("/forecast", params=params, headers={"accept": "image/png"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "?unique_id"


def test_chart_of_the_only_series_needs_no_name(client: TestClient) -> None:
    dataset_id = client.post("/datasets", files={"file": ("a.csv", ONE_SERIES)}).json()["id"]
    chart = client.get("/forecast", params={"dataset_id": dataset_id, "format": "svg"})
    assert chart.content.startswith(b"<?xml")


def test_only_series_needs_no_name_anywhere(client: TestClient) -> None:
    dataset_id = client.post("/datasets", files={"file": ("a.csv", ONE_SERIES)}).json()["id"]
    answer = only(client.get("/forecast", params={"dataset_id": dataset_id}))
    observed = client.get(f"/datasets/{dataset_id}/observations").json()
    assert observed["unique_id"] == answer["unique_id"]
    assert observed["y"] == [float(year % 5) for year in range(1980, 2000)]


def test_observations_of_several_series_need_a_name_as_json(ready: Ready) -> None:
    client, dataset_id = ready
    refused = client.get(f"/datasets/{dataset_id}/observations")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "?unique_id")


def test_page_after_the_last_series_is_empty(ready: Ready) -> None:
    client, dataset_id = ready
    params = {"dataset_id": dataset_id, "cursor": encode_cursor("series 9")}
    assert client.get("/forecast", params=params).json() == {"forecasts": [], "next": None}


def test_csv_error_is_a_problem_document(ready: Ready) -> None:
    response = ready[0].get("/forecast", params={"dataset_id": "none"}, headers={"accept": "text/csv"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_horizon_past_the_champion_names_a_model_that_reaches(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database).id
    far = trained(database, dataset_id, horizon=4)
    trained(database, dataset_id, horizon=2, promote="always")
    response = client.get("/forecast", params={"dataset_id": dataset_id, "horizon": 4})
    assert response.status_code == 422
    assert f"model_id={far}" in response.json()["detail"]


def test_table_comes_from_one_model_whatever_is_trained_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "PAGE", 1)
    dataset_id = dataset(database).id
    trained(database, dataset_id, seed=1)
    pages = table(database, ForecastRequest(dataset_id=dataset_id))
    first = next(pages)
    trained(database, dataset_id, seed=2, promote="always")
    assert {page.model_id for page in [first, *pages]} == {first.model_id}


def test_damaged_weights_are_not_served(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database).id
    model_id = trained(database, dataset_id)
    with database.write() as session:
        key = session.query(Model.weights_key).filter_by(id=model_id).scalar()
        session.query(Blob).filter_by(key=key).update({"data": b"other bytes"})
    assert client.get("/forecast", params={"dataset_id": dataset_id}).status_code == 200  # it is stored
    with database.write() as session:
        session.query(StoredForecasts).delete()
    response = client.get("/forecast", params={"dataset_id": dataset_id, "horizon": 1})
    assert response.status_code == 500
    assert "retry-after" not in response.headers
    assert "`gatecast check`" in response.json()["detail"]
