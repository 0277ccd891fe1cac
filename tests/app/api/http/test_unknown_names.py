"""Query parameters that a route does not have."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.middleware import fast_path
from app.main import create_app
from app.settings import Settings
from tests.factories import csv_bytes


@pytest.fixture
def api(sqlite_url: str) -> FastAPI:
    return create_app(Settings(database_url=sqlite_url))


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/datasets?limits=3", "limit"),
        ("/datasets/none/observations?uniqueid=a", "unique_id"),
        ("/models?dataset=x", "dataset_id"),
        ("/models/none/backtest?curser=3", "cursor"),
        ("/forecast?dataset_id=x&horizn=3", "horizon"),
    ],
)
@pytest.mark.parametrize("way", ["GET", "none"], ids=["short", "routed"])
def test_unknown_parameter_is_refused_with_the_nearest_name(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str, nearest: str, way: str
) -> None:
    monkeypatch.setattr(fast_path, "METHOD", way)
    refused = client.get(path)
    assert refused.status_code == 422
    (part,) = refused.json()["errors"]
    assert part["pointer"] == f"?{path.partition('?')[2].rpartition('&')[2].partition('=')[0]}"
    assert f"Did you mean {nearest}?" in part["detail"]


def test_parameter_without_a_near_name_is_refused_with_all_there_are(client: TestClient) -> None:
    (part,) = client.get("/jobs?xyz=1").json()["errors"]
    assert "It takes limit, cursor." in part["detail"]


def test_route_without_parameters_says_so(client: TestClient) -> None:
    assert "takes no query parameters" in client.get("/healthz?a=1").json()["detail"]


def test_upload_with_an_unknown_parameter_stores_nothing(client: TestClient) -> None:
    refused = client.post("/datasets?nme=x", files={"file": ("a.csv", csv_bytes())})
    assert (refused.status_code, client.get("/datasets").json()["datasets"]) == (422, [])


@pytest.mark.parametrize("path", ["/forecast?dataset_id=x&", "/jobs?", "/schedules/none?"])
def test_long_unknown_name_is_shortened(client: TestClient, path: str) -> None:
    refused = client.get(f"{path}{'x' * 5000}=1")
    assert (refused.status_code, len(refused.text) < 1000) == (422, True)
