"""Errors as callers see them."""

from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.deps import get_principal
from app.errors import Unavailable
from app.main import create_app
from app.settings import Settings
from tests.factories import csv_bytes


@pytest.fixture
def api(sqlite_url: str) -> FastAPI:
    return create_app(Settings(database_url=sqlite_url, max_upload_mb=2, max_json_mb=1))


def test_error_is_a_problem_document(client: TestClient) -> None:
    response = client.get("/datasets/ds_none")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:gatecast:problem:not-found",
        "title": "There is nothing under this id",
        "status": 404,
        "detail": "There is no dataset ds_none. GET /datasets lists those there are.",
        "instance": "/datasets/ds_none",
        "errors": [],
    }


def test_unknown_path_points_to_the_documentation(client: TestClient) -> None:
    response = client.get("/nothing")
    assert response.status_code == 404
    assert "GET /docs" in response.json()["detail"]


def test_wrong_method_is_a_405_with_the_allowed_ones(client: TestClient) -> None:
    response = client.put("/datasets")
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["allow"]


def test_broken_json_is_pointed_at(client: TestClient) -> None:
    response = client.post("/train", content=b"{", headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert response.json()["errors"]


def test_internal_error_reveals_no_details(api: FastAPI, client: TestClient) -> None:
    def fail() -> None:
        raise RuntimeError("postgresql://me:secret@db")

    api.dependency_overrides[get_principal] = fail
    response = client.get("/datasets")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.json()["type"] == "urn:gatecast:problem:internal"


def test_body_over_the_limit_is_refused_with_the_setting_to_raise(client: TestClient) -> None:
    response = client.post("/datasets", files={"file": ("big.csv", b"0" * 3_000_000)})
    assert response.status_code == 413
    assert "GATECAST_MAX_UPLOAD_MB" in response.json()["detail"]


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/datasets", "application/json"),
        ("/datasets/none/observations", "application/json"),
        ("/forecast", "application/json"),
        ("/datasets", "text/plain"),
        ("/datasets/none/observations", "multipart/form-datax"),
    ],
)
def test_what_is_no_file_has_a_limit_of_its_own(client: TestClient, path: str, media_type: str) -> None:
    headers = {"content-type": media_type, "idempotency-key": "one"}
    response = client.post(path, content=b" " * 1_500_000, headers=headers)
    assert response.status_code == 413
    assert "Send a file" in response.json()["detail"]
    assert "GATECAST_MAX_JSON_MB" in response.json()["detail"]


def test_file_may_be_larger_than_json(client: TestClient) -> None:
    rows = b"ds,y\n" + b"".join(b"%d,1.%030d\n" % (day, day) for day in range(5000, 35_000))
    assert len(rows) > 1_100_000
    assert client.post("/datasets", files={"file": ("a.csv", rows)}).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/train"),
        ("POST", "/schedules"),
        ("PATCH", "/schedules/none"),
        ("PATCH", "/models/none"),
    ],
)
@pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data; boundary=x"])
def test_route_of_a_few_fields_refuses_a_long_body(
    client: TestClient, method: str, path: str, media_type: str
) -> None:
    body = b'{"dataset_id": "' + b"x" * 70_000 + b'"}'
    response = client.request(method, path, content=body, headers={"content-type": media_type})
    assert (response.status_code, "64 KiB" in response.json()["detail"]) == (413, True)


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer", "near"),
    [
        ("POST", "/train", {"dataset_id": "x", "horizn": 3}, "#/horizn", "horizon"),
        ("POST", "/schedules", {"train": {"horizn": 3}}, "#/train/horizn", "horizon"),
        ("PATCH", "/models/none", {"onloss": "warn"}, "#/onloss", "on_loss"),
        ("PATCH", "/schedules/none", {"pause": True}, "#/pause", "paused"),
        ("POST", "/datasets", {"nme": "x", "observations": []}, "#/nme", "name"),
        ("POST", "/forecast", {"levels": [80], "observations": []}, "#/levels", "level"),
        ("POST", "/datasets", {"observations": [{"uniqueid": 1}]}, "#/observations/0/uniqueid", "unique_id"),
    ],
)
def test_unknown_field_is_refused_with_the_nearest_name(  # noqa: PLR0913, PLR0917  # a row of the table above
    client: TestClient, method: str, path: str, body: Any, pointer: str, near: str
) -> None:
    errors = client.request(method, path, json=body).json()["errors"]
    details = {part["pointer"]: part["detail"] for part in errors}
    assert details[pointer] == f"This call knows no such field. Did you mean {near}?"


def test_unknown_field_of_a_form_is_refused_with_those_there_are(client: TestClient) -> None:
    files, fields = {"file": ("a.csv", csv_bytes())}, {"timecolumn": "ds", "qqq": "1"}
    near, far = client.post("/datasets", files=files, data=fields).json()["errors"]
    assert "Did you mean time_column?" in near["detail"]
    assert "It takes file, id_column, time_column," in far["detail"]


def test_many_errors_are_reported_in_a_short_list(client: TestClient) -> None:
    refused = client.post("/train", json=dict.fromkeys(("x" * 200 + str(i) for i in range(200)), 1))
    assert (refused.status_code, len(refused.json()["errors"])) == (422, 20)
    assert len(refused.text) < 15_000


def test_alive_without_a_database(tmp_path_factory: pytest.TempPathFactory) -> None:
    missing = tmp_path_factory.mktemp("x") / "missing" / "test.db"
    with TestClient(create_app(Settings(database_url=f"sqlite:///{missing}"))) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503


def test_unavailability_is_logged_as_a_fault_where_something_caused_it_alone(
    api: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(cause: Exception | None) -> None:
        raise Unavailable("Not now.") from cause

    for cause, faults in ((None, 0), (OSError("gone"), 1)):
        api.dependency_overrides[get_principal] = partial(refuse, cause)
        caplog.clear()
        assert client.get("/jobs").status_code == 503
        assert len([record for record in caplog.records if record.levelname == "ERROR"]) == faults
