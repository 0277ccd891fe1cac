"""`POST /forecast`: series that are sent with the request."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import httpx2
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.db.tables import Model
from app.schemas import examples
from tests.factories import dataset, filled_app, only, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")
Body = dict[str, Any]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """An app whose dataset has been trained on, with the dataset's id; the tests only look."""

    def fill(database: Database) -> str:
        dataset_id = dataset(database).id
        trained(database, dataset_id)
        return dataset_id

    with filled_app(tmp_path_factory.mktemp("ad_hoc"), fill) as ready:
        yield ready


Ready = tuple[TestClient, str]


def rows(count: int = 1, first_year: int = 1960) -> list[Body]:
    """The rows of the series that were trained on, under other names."""
    return [
        {"unique_id": f"new {name[-1]}", "ds": first_year + i, "y": y}
        for name, values in trends(count).items()
        for i, y in enumerate(values)
    ]


def post(ready: Ready, accept: str = "*/*", **body: Any) -> httpx2.Response:
    client, dataset_id = ready
    whole = {"dataset_id": dataset_id, "observations": rows()} | body
    return client.post("/forecast", json=whole, headers={"accept": accept})


def pointers(response: httpx2.Response) -> list[str]:
    assert response.headers["content-type"] == "application/problem+json"
    return [error["pointer"] for error in response.json()["errors"]]


def test_sent_series_gets_the_forecast_of_a_stored_one(ready: Ready) -> None:
    client, dataset_id = ready
    params = {"dataset_id": dataset_id, "unique_id": "series 0"}
    stored = only(client.get("/forecast", params=params))
    elsewhere = {"unique_id": "new 0", "dataset_id": None, "dataset_version": None}
    assert only(post(ready)) == stored | elsewhere


@pytest.mark.parametrize("preference", ["dataset_id", "model_id"])
def test_forecast_on_either_database(client: TestClient, database: Database, preference: str) -> None:
    dataset_id = dataset(database).id
    ids = {"dataset_id": dataset_id, "model_id": trained(database, dataset_id)}
    answer = client.post("/forecast", json={preference: ids[preference], "observations": rows()})
    assert (answer.status_code, only(answer)["model_id"]) == (200, ids["model_id"])


def test_several_series_come_as_a_page_by_name(ready: Ready) -> None:
    answer = post(ready, observations=rows(3)[::-1], horizon=2, level=[50]).json()
    assert [item["unique_id"] for item in answer["forecasts"]] == ["new 0", "new 1", "new 2"]
    assert [len(item["forecast"]) for item in answer["forecasts"]] == [2, 2, 2]
    assert [list(item["intervals"]) for item in answer["forecasts"]] == [["50"]] * 3
    assert answer["next"] is None


def test_times_follow_each_series_own_end(ready: Ready) -> None:
    later = [row | {"unique_id": "z"} for row in rows(first_year=1980)]
    early, late = post(ready, observations=rows() + later).json()["forecasts"]
    assert (early["ds"], late["ds"]) == ([2000, 2001, 2002], [2020, 2021, 2022])
    assert early["forecast"] == late["forecast"]


def test_every_table_holds_the_same_figures(ready: Ready) -> None:
    table = post(ready, "text/csv", observations=rows(2))
    arrow = post(ready, "application/vnd.apache.arrow.stream", observations=rows(2))
    lines = post(ready, "application/x-ndjson", observations=rows(2))
    medians = [float(row["forecast"]) for row in csv.DictReader(io.StringIO(table.text))]
    assert table.headers["gatecast-method"] == "lstm"
    assert pa.ipc.open_stream(arrow.content).read_all()["forecast"].to_pylist() == medians
    assert len(lines.text.splitlines()) == 2


def test_one_series_comes_as_a_chart(ready: Ready) -> None:
    assert post(ready, "image/png").content.startswith(b"\x89PNG")
    assert "new 0" in post(ready, "image/svg+xml").text


def test_chart_of_several_series_is_refused(ready: Ready) -> None:
    refused = post(ready, "image/png", observations=rows(2))
    assert (refused.status_code, pointers(refused)) == (422, ["#/observations"])
    assert "unique_id" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"horizon": 4}, "#/horizon"),
        ({"horizon": 0}, "#/horizon"),
        ({"level": [49]}, "#/level/0"),
        ({"level": []}, "#/level"),
        ({"observations": []}, "#/observations"),
        ({"observations": [{"ds": 2000, "y": "many"}]}, "#/observations/0/y"),
        ({"observations": [{"ds": 2000, "y": 1, "z": [1]}]}, "#/observations/0/z"),
        ({"observations": [{"ds": 2000, "y": 1, "yy": 1}]}, "#/observations/0/yy"),
        ({"observations": [{"ds": 2000, "y": 1}]}, "#/observations/0"),
        ({"observations": [{"ds": f"2024-01-0{i}", "y": i} for i in (1, 2)]}, "#/observations"),
        ({"colour": "blue"}, "#/colour"),
    ],
)
def test_unusable_input_is_pointed_at(ready: Ready, wrong: Body, pointer: str) -> None:
    refused = post(ready, **wrong)
    assert (refused.status_code, pointers(refused)) == (422, [pointer])


@pytest.mark.parametrize("literal", ["1e400", "-Infinity", "NaN"])
def test_number_that_is_not_finite_is_pointed_at(ready: Ready, literal: str) -> None:
    client, dataset_id = ready
    cells = ", ".join(f'{{"ds": {year}, "y": {y}}}' for year, y in ((2000, 1), (2001, 2), (2002, literal)))
    body = f'{{"dataset_id": "{dataset_id}", "observations": [{cells}]}}'
    refused = client.post("/forecast", content=body, headers={"content-type": "application/json"})
    assert (refused.status_code, pointers(refused)) == (422, ["#/observations/2/y"])


@pytest.mark.parametrize(
    ("content_type", "status"), [("text/csv", 415), ("", 415), ("application/json; charset=utf-8", 422)]
)
def test_body_must_be_json(ready: Ready, content_type: str, status: int) -> None:
    refused = ready[0].post("/forecast", content=b"a,b", headers={"content-type": content_type})
    assert refused.status_code == status


@pytest.mark.parametrize("wanted", [{"model_id": "model_none"}, {"dataset_id": "ds_none"}])
def test_model_that_is_not_there_is_a_404(ready: Ready, wanted: Body) -> None:
    refused = ready[0].post("/forecast", json=wanted | {"observations": rows()})
    assert refused.status_code == 404
    assert str(*wanted.values()) in refused.json()["detail"]


def test_model_that_loses_warns_falls_back_or_refuses(client: TestClient, database: Database) -> None:
    model_id = trained(database, dataset(database).id, method="network")
    with database.write() as session:
        verdict = {**examples.VERDICT, "outcome": "loses", "baseline": "drift"}
        session.get_one(Model, ("default", model_id)).verdicts = {"lstm": verdict}
    found: list[list[object]] = []
    for on_loss in ("warn", "fallback", "refuse"):
        client.patch(f"/models/{model_id}", json={"on_loss": on_loss})
        answer = client.post("/forecast", json={"model_id": model_id, "observations": rows()})
        found.append([answer.status_code])
        if answer.status_code == 200:
            found[-1] += [only(answer)["method"], only(answer)["warning"]]
    assert found == [[200, "lstm", verdict["sentence"]], [200, "drift", None], [409]]
