"""Errors as callers see them."""

from functools import partial

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.deps import get_principal
from app.errors import Unavailable
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def api(sqlite_url: str) -> FastAPI:
    return create_app(Settings(database_url=sqlite_url, max_upload_mb=1))


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


def test_wrong_method_is_a_405_that_says_which_are_allowed(client: TestClient) -> None:
    response = client.put("/datasets")
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["allow"]


def test_broken_json_is_pointed_at(client: TestClient) -> None:
    response = client.post("/train", content=b"{", headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert response.json()["errors"]


def test_fault_of_ours_tells_nothing_of_the_inside(api: FastAPI, client: TestClient) -> None:
    def fail() -> None:
        raise RuntimeError("postgresql://me:secret@db")

    api.dependency_overrides[get_principal] = fail
    response = client.get("/datasets")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.json()["type"] == "urn:gatecast:problem:internal"


def test_body_over_the_limit_is_refused_with_the_setting_to_raise(client: TestClient) -> None:
    response = client.post("/datasets", files={"file": ("big.csv", b"0" * 2_000_000)})
    assert response.status_code == 413
    assert "GATECAST_MAX_UPLOAD_MB" in response.json()["detail"]


def test_json_over_the_limit_is_refused_as_well(client: TestClient) -> None:
    body = b'{"dataset_id": "' + b"x" * 2_000_000 + b'"}'
    response = client.post("/train", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 413


def test_alive_without_a_database(tmp_path_factory: pytest.TempPathFactory) -> None:
    missing = tmp_path_factory.mktemp("x") / "missing" / "test.db"
    with TestClient(create_app(Settings(database_url=f"sqlite:///{missing}"))) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503


def test_refusal_that_was_decided_is_logged_without_where_it_was_raised(
    api: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(cause: Exception | None) -> None:
        raise Unavailable("Not now.") from cause

    for cause, traced in ((None, False), (OSError("gone"), True)):
        api.dependency_overrides[get_principal] = partial(refuse, cause)
        caplog.clear()
        assert client.get("/jobs").status_code == 503
        assert [bool(record.exc_info) for record in caplog.records if "Not now." in record.message] == [
            traced
        ]
