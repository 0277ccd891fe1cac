"""The fast path of a forecast: it answers as the router would."""

import pytest
from fastapi.testclient import TestClient

from app.api.middleware import fast_path
from app.db.engine import Database
from tests.factories import dataset, trained

pytestmark = pytest.mark.usefixtures("brief_trainings")


def without_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_path, "METHOD", "none")


def test_forecast_is_the_one_that_the_router_gives(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = dataset(database).id
    trained(database, dataset_id)
    path = f"/forecast?dataset_id={dataset_id}&unique_id=series+1&horizon=2"
    short = client.get(path)
    without_fast_path(monkeypatch)
    routed = client.get(f"{path}&level=80&level=95")
    assert (short.status_code, short.content) == (routed.status_code, routed.content)


@pytest.mark.parametrize("query", ["", "?dataset_id=none", "?dataset_id=none&level=7"])
def test_refusal_is_the_one_that_the_router_gives(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    short = client.get(f"/forecast{query}")
    without_fast_path(monkeypatch)
    routed = client.get(f"/forecast{query}")
    assert (short.status_code, short.json()) == (routed.status_code, routed.json())


def test_other_method_of_the_path_is_refused_as_elsewhere(client: TestClient) -> None:
    refused = client.put("/forecast")
    assert (refused.status_code, refused.headers["content-type"]) == (405, "application/problem+json")
