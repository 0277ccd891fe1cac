"""Nobody sees another workspace, and every route authenticates the caller."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.deps import get_principal
from app.db.engine import Database
from app.db.tables import Base, Owned
from app.errors import AppError
from app.main import create_app
from app.services.shared.byte_budget import ByteBudget
from app.settings import Settings
from tests.factories import dataset, queued_job, scheduled, trained, upload, workspace

pytestmark = pytest.mark.usefixtures("brief_trainings")

PUBLIC = {"/healthz", "/readyz", "/metrics"}
CALLS = [
    (method.upper(), path)
    for path, methods in create_app(Settings()).openapi()["paths"].items()
    for method in methods
    if path not in PUBLIC
]


class NobodyMayPass(AppError):
    status = 418


class NothingInMemory:
    """All that may be touched before: what was answered to the same caller, which is nothing here."""

    @property
    def forecasts(self) -> "NothingInMemory":
        return self

    @property
    def responses(self) -> "NothingInMemory":
        return self

    @property
    def feed(self) -> "NothingInMemory":
        return self

    @property
    def body_bytes(self) -> ByteBudget:
        return ByteBudget(1)

    @property
    def is_silent(self) -> bool:
        return False

    def find(self, _raw_key: object) -> None:
        return None


def _refuse() -> None:
    raise NobodyMayPass("Nobody.")


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_route_authenticates_before_it_does_anything(method: str, path: str) -> None:
    api = create_app(Settings(database_url="sqlite:///unused.db"))
    api.dependency_overrides[get_principal] = _refuse
    api.state.resources = NothingInMemory()
    assert TestClient(api).request(method, path).status_code == NobodyMayPass.status


def test_stranger_gets_404_on_every_id(database: Database, api: FastAPI, client: TestClient) -> None:
    dataset_id = dataset(database).id
    model_id = trained(database, dataset_id)
    job_id = queued_job(database, dataset_id).job_id
    schedule_id = scheduled(database, dataset_id)
    stranger = workspace(database)
    api.dependency_overrides[get_principal] = lambda: stranger
    calls = [
        client.get(f"/datasets/{dataset_id}"),
        client.get(f"/datasets/{dataset_id}/series"),
        client.get(f"/datasets/{dataset_id}/observations", params={"unique_id": "series 0"}),
        client.delete(f"/datasets/{dataset_id}"),
        client.post("/train", json={"dataset_id": dataset_id, "horizon": 3}),
        client.get(f"/jobs/{job_id}"),
        client.get(f"/jobs/{job_id}/events"),
        client.post(f"/jobs/{job_id}/cancel"),
        client.post(
            "/schedules", json={"dataset_id": dataset_id, "cron": "0 6 * * *", "train": {"horizon": 3}}
        ),
        client.get(f"/schedules/{schedule_id}"),
        client.patch(f"/schedules/{schedule_id}", json={"paused": True}),
        client.delete(f"/schedules/{schedule_id}"),
        client.get(f"/models/{model_id}"),
        client.get(f"/models/{model_id}/backtest"),
        client.get(f"/models/{model_id}/backtest/series"),
        client.patch(f"/models/{model_id}", json={"name": "mine now"}),
        client.post(f"/models/{model_id}/promote"),
        client.delete(f"/models/{model_id}"),
        client.get("/forecast", params={"dataset_id": dataset_id}),
        client.get("/forecast", params={"model_id": model_id}),
    ]
    assert [response.status_code for response in calls] == [404] * len(calls)


def test_stranger_sees_empty_lists(database: Database, api: FastAPI, client: TestClient) -> None:
    dataset_id = dataset(database).id
    trained(database, dataset_id)
    scheduled(database, dataset_id)
    stranger = workspace(database)
    api.dependency_overrides[get_principal] = lambda: stranger
    nouns = ("datasets", "jobs", "models", "schedules")
    assert [client.get(f"/{noun}").json()[noun] for noun in nouns] == [[], [], [], []]


def test_same_idempotency_key_is_free_in_another_workspace(
    database: Database, api: FastAPI, client: TestClient
) -> None:
    client.headers["Idempotency-Key"] = "one"
    mine = upload(client)["id"]
    stranger = workspace(database)
    api.dependency_overrides[get_principal] = lambda: stranger
    assert upload(client)["id"] != mine


@pytest.mark.parametrize("table", Owned.__subclasses__(), ids=lambda table: table.__tablename__)
def test_owned_table_has_the_workspace_in_every_unique_key(table: type[Owned]) -> None:
    schema = Base.metadata.tables[table.__tablename__]
    unique = [index.columns for index in schema.indexes if index.unique]
    assert not schema.c.workspace_id.nullable
    assert all("workspace_id" in key for key in [schema.primary_key.columns, *unique])
