"""The methods of each path: HEAD, OPTIONS and 405."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.db.tables import StoredForecasts
from app.services.forecasting import compute
from tests.factories import SQLITE_ALONE, dataset, queued_job, trained, upload

pytestmark = [pytest.mark.usefixtures("brief_trainings"), SQLITE_ALONE]
FIXED = ["/datasets", "/jobs", "/models", "/workers", "/healthz", "/metrics", "/docs", "/openapi.json"]


def heads(client: TestClient, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    answer = client.head(path, headers=headers)
    return answer.status_code, {**answer.headers}, answer.content


@pytest.mark.parametrize("path", FIXED)
def test_head_has_the_headers_of_get_and_no_body(client: TestClient, path: str) -> None:
    got = client.get(path)
    status, headers, content = heads(client, path)
    assert (status, headers["content-type"], content) == (200, got.headers["content-type"], b"")


@pytest.mark.parametrize("path", ["/datasets/none", "/forecast", "/nowhere"])
def test_head_is_refused_as_get_is(client: TestClient, path: str) -> None:
    got = client.get(path)
    assert heads(client, path) == (got.status_code, {**got.headers}, b"")


def test_head_of_a_forecast_has_the_headers_of_every_way_to_it(
    client: TestClient, database: Database
) -> None:
    dataset_id = dataset(database).id
    trained(database, dataset_id)
    path = f"/forecast?dataset_id={dataset_id}&unique_id=series+1"
    first, from_memory, got = heads(client, path), heads(client, path), client.get(path)
    assert first == from_memory == (200, {**got.headers}, b"")
    unchanged = heads(client, path, **{"if-none-match": got.headers["etag"]})
    assert (unchanged[0], unchanged[1]["etag"]) == (304, got.headers["etag"])


def test_head_of_a_table_makes_no_more_than_its_first_part(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch, passes: list[int]
) -> None:
    monkeypatch.setattr(compute, "PAGE", 1)
    dataset_id = dataset(database).id
    trained(database, dataset_id)
    with database.write() as session:
        session.query(StoredForecasts).delete()
    passes.clear()
    path = f"/forecast?dataset_id={dataset_id}"
    status, headers, content = heads(client, path, accept="text/csv")
    assert (status, headers["content-type"], content) == (200, "text/csv; charset=utf-8", b"")
    assert len(passes) < 3
    client.get(path, headers={"accept": "text/csv"})
    assert len(passes) > 3


def test_head_of_a_stream_of_events_ends(client: TestClient, database: Database) -> None:
    job = queued_job(database, dataset(database).id)
    status, headers, content = heads(client, f"/jobs/{job.job_id}/events")
    assert (status, headers["content-type"].partition(";")[0], content) == (200, "text/event-stream", b"")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/datasets", "GET, HEAD, OPTIONS, POST"),
        ("/datasets/any", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/models/any", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/forecast", "GET, HEAD, OPTIONS, POST"),
        ("/train", "OPTIONS, POST"),
        ("/docs", "GET, HEAD, OPTIONS"),
    ],
)
def test_every_method_of_a_path_is_named(client: TestClient, path: str, methods: str) -> None:
    refused, options = client.put(path), client.options(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, methods)
    assert methods in refused.json()["detail"]
    assert (options.status_code, options.headers["allow"], options.content) == (204, methods, b"")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_comparison_is_no_model_to_change(client: TestClient, method: str) -> None:
    refused = client.request(method, "/models/compare", params={"model_id": ["model_0", "model_0"]})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_options_of_no_path_is_a_404(client: TestClient) -> None:
    assert client.options("/nowhere").status_code == 404


def test_allow_is_what_the_documentation_describes(client: TestClient) -> None:
    described: dict[str, Any] = json.loads(client.get("/openapi.json").content)["paths"]
    allowed = {path: client.options(path).headers["allow"].split(", ") for path in described}
    assert {path: {*methods} - {"HEAD", "OPTIONS"} for path, methods in allowed.items()} == {
        path: {method.upper() for method in operations} for path, operations in described.items()
    }


def test_slash_at_the_end_leads_nowhere_and_the_path_without_it_is_named(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    for path in ("/datasets", f"/datasets/{dataset_id}", "/forecast"):
        answer = client.get(f"{path}/", follow_redirects=False)
        assert (answer.status_code, "location" in answer.headers) == (404, False)
        assert f"but {path}, without the slash" in answer.json()["detail"]


def test_file_of_the_documentation_names_its_methods_where_another_is_refused(client: TestClient) -> None:
    answer = client.post("/static-offline-docs/swagger-ui.css")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
