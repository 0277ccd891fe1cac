"""The client, against the app in memory."""

import pytest
from fastapi.testclient import TestClient

from app.client import Client, ServiceError
from app.db.engine import Database
from tests.factories import dataset, judged_model, publish, trained


@pytest.fixture
def caller(client: TestClient) -> Client:
    caller = Client("http://testserver")
    caller._http = client
    return caller


@pytest.mark.usefixtures("brief_trainings")
def test_backtest_is_read_across_pages(
    caller: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = trained(database, dataset(database).id)
    whole = list(caller.backtest(model_id))
    monkeypatch.setattr("app.client.client.PAGE", 5)
    assert len(whole) > 5
    assert list(caller.backtest(model_id)) == whole


def test_model_is_changed_promoted_and_deleted(caller: Client, database: Database) -> None:
    dataset_id = dataset(database).id
    with database.write() as session:
        first, second = (publish(session, judged_model(dataset_id)) for _ in range(2))
    changed = caller.update_model(second, on_loss="refuse", name="winter")
    assert (changed.on_loss, changed.name, changed.champion) == ("refuse", "winter", False)
    assert caller.promote(second).champion
    caller.delete_model(second)
    assert caller.model(first).champion
    with pytest.raises(ServiceError, match=second):
        caller.model(second)


def test_training_is_asked_for_with_every_wish(caller: Client, database: Database) -> None:
    job = caller.train(
        dataset(database).id,
        horizon=3,
        preset="quick",
        method="blend",
        on_loss="fallback",
        promote="never",
        seed=4,
    )
    asked = job.request
    assert (asked.method, asked.on_loss, asked.promote, asked.seed) == ("blend", "fallback", "never", 4)
