"""Models over HTTP: named, changed, promoted, deleted."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.schemas.choices import Promotion
from tests.factories import dataset, judged_model, publish


def published(database: Database, dataset_id: str, promotion: Promotion = "auto") -> str:
    with database.write() as session:
        return publish(session, judged_model(dataset_id), promotion=promotion)


@pytest.mark.parametrize("changes", [{"on_loss": "refuse"}, {"name": "best of May"}])
def test_change_is_stored_and_returned(
    client: TestClient, database: Database, changes: dict[str, str]
) -> None:
    model = published(database, dataset(database).id)
    before = client.get(f"/models/{model}").json()
    answer = client.patch(f"/models/{model}", json=changes).json()
    assert answer == {**before, **changes} == client.get(f"/models/{model}").json()


def test_empty_name_removes_the_name(client: TestClient, database: Database) -> None:
    model = published(database, dataset(database).id)
    client.patch(f"/models/{model}", json={"name": "a while"})
    assert client.patch(f"/models/{model}", json={"name": ""}).json()["name"] is None


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({}, "#/"),
        ({"on_loss": "cry"}, "#/on_loss"),
        ({"horizon": 4}, "#/horizon"),
        ({"name": "x" * 201}, "#/name"),
    ],
)
def test_change_of_nothing_or_of_what_is_fixed_is_refused(
    client: TestClient, database: Database, changes: dict[str, Any], pointer: str
) -> None:
    model = published(database, dataset(database).id)
    response = client.patch(f"/models/{model}", json=changes)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_promoted_model_is_champion_in_every_response(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database).id
    first, second = published(database, dataset_id), published(database, dataset_id, "never")
    assert client.post(f"/models/{second}/promote").json()["champion"]
    listed = {model["id"]: model["champion"] for model in client.get("/models").json()["models"]}
    assert listed == {first: False, second: True}
    assert client.get(f"/datasets/{dataset_id}").json()["champion_id"] == second


def test_deleted_model_is_removed(client: TestClient, database: Database) -> None:
    model = published(database, dataset(database).id)
    response = client.delete(f"/models/{model}")
    assert (response.status_code, response.content) == (204, b"")
    assert client.get(f"/models/{model}").status_code == 404
    assert client.delete(f"/models/{model}").status_code == 404


def test_dataset_without_its_champion_gets_no_model_that_was_never_promoted(
    client: TestClient, database: Database
) -> None:
    dataset_id = dataset(database).id
    champion, _ = published(database, dataset_id), published(database, dataset_id, "never")
    client.delete(f"/models/{champion}")
    assert client.get(f"/datasets/{dataset_id}").json()["champion_id"] is None
    (first, *_) = client.get("/forecast", params={"dataset_id": dataset_id}).json()["forecasts"]
    assert first["model_id"] == "pretrained"
