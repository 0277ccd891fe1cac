"""The file of a model over HTTP: everything that its forecasts are made of, and nothing that changes."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.digest import sha256
from models.methods.combination import Method, forecast_by
from models.network.artifact import load
from models.panel import Panel
from tests.factories import dataset, filled_app, trained, trends

Ready = tuple[TestClient, str]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """An app with a trained model, and the model's id."""
    folder = tmp_path_factory.mktemp("artifact")
    with filled_app(folder, lambda database: trained(database, dataset(database).id, horizon=2)) as ready:
        yield ready


def unpacked(ready: Ready) -> tuple[dict[str, Any], bytes, str]:
    client, model_id = ready
    answer = client.get(f"/models/{model_id}/artifact")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        facts, weights, card = map(file.read, ("model.json", "weights.safetensors", "README.md"))
    return json.loads(facts), weights, card.decode()


def test_file_forecasts_without_the_service_as_the_service_does(ready: Ready) -> None:
    client, model_id = ready
    facts, weights, _ = unpacked(ready)
    method = Method.from_dict(facts["methods"][facts["served"]])
    panel = Panel.of(list(trends().values()))
    alone = forecast_by(method, load(weights, facts["artifact"]), panel, levels=[80])
    served = client.get("/forecast", params={"model_id": model_id, "level": 80}).json()["forecasts"]
    assert np.allclose(alone.median, [each["forecast"] for each in served], rtol=1e-6)
    assert np.allclose(alone.hi[80], [each["intervals"]["80"]["hi"] for each in served], rtol=1e-6)


def test_weights_are_the_stored_ones(ready: Ready) -> None:
    client, model_id = ready
    assert sha256(unpacked(ready)[1]) == client.get(f"/models/{model_id}").json()["weights_sha256"]


def test_card_says_how_good_the_model_is_and_how_to_load_it(ready: Ready) -> None:
    client, model_id = ready
    card = unpacked(ready)[2]
    sentences = [each["sentence"] for each in client.get(f"/models/{model_id}").json()["verdicts"].values()]
    assert [
        sentence for sentence in [*sentences, "| theta |", "network = load("] if sentence not in card
    ] == []


def test_browser_saves_it_under_the_name_of_the_model(ready: Ready) -> None:
    client, model_id = ready
    named = client.get(f"/models/{model_id}/artifact").headers["content-disposition"]
    assert named == f'attachment; filename="{model_id}.zip"'


def test_file_stays_the_same_when_the_model_is_renamed(ready: Ready) -> None:
    client, model_id = ready
    before = client.get(f"/models/{model_id}/artifact")
    client.patch(f"/models/{model_id}", json={"name": "another", "on_loss": "warn"})
    after = client.get(f"/models/{model_id}/artifact")
    assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])


def test_who_has_the_file_gets_it_no_second_time(ready: Ready) -> None:
    client, model_id = ready
    etag = client.get(f"/models/{model_id}/artifact").headers["etag"]
    again = client.get(f"/models/{model_id}/artifact", headers={"if-none-match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)


def test_unknown_model_is_not_found(ready: Ready) -> None:
    assert ready[0].get("/models/model_0/artifact").status_code == 404
