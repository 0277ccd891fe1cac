"""Every answer has the mean beside the median."""

import csv
import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from tests.factories import SQLITE_ALONE, only, trained, upload

pytestmark = SQLITE_ALONE

Body = dict[str, Any]


def orders() -> list[float]:
    return [float(count) for count in np.random.default_rng(4).poisson(0.3, 80)]


def fetched(client: TestClient, accept: str, **params: Any) -> Any:
    answer = client.get("/forecast", params=params, headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    return answer


def test_demand_that_comes_seldom_has_a_mean_where_the_median_is_0(client: TestClient) -> None:
    dataset_id = upload(client, {"part": orders()})["id"]
    found = only(fetched(client, "application/json", dataset_id=dataset_id, unique_id="part", horizon=4))
    assert found["forecast"] == [0.0] * 4
    assert all(found["intervals"][level]["lo"] == [0.0] * 4 for level in ("80", "95"))
    assert all(bound.is_integer() for bound in found["intervals"]["95"]["hi"])
    assert found["mean"] == pytest.approx([np.mean(orders())] * 4, rel=0.3)


def test_mean_is_the_same_in_every_format(client: TestClient) -> None:
    dataset_id = upload(client, {"a": orders(), "b": [float(i) for i in range(60)]})["id"]
    query: Body = {"dataset_id": dataset_id, "horizon": 3}
    means = [
        mean
        for one in fetched(client, "application/json", **query).json()["forecasts"]
        for mean in one["mean"]
    ]
    table = csv.DictReader(io.StringIO(fetched(client, "text/csv", **query).text))
    lines = fetched(client, "application/x-ndjson", **query).text.splitlines()
    stream = fetched(client, "application/vnd.apache.arrow.stream", **query).content
    assert len(means) == 6
    assert [float(row["mean"]) for row in table] == means
    assert [mean for line in lines for mean in json.loads(line)["mean"]] == means
    assert pa.ipc.open_stream(stream).read_all()["mean"].to_pylist() == means


@pytest.mark.usefixtures("brief_trainings")
def test_mean_of_a_trained_model_is_kept_and_sent_alike(client: TestClient, database: Database) -> None:
    dataset_id = upload(client, {"a": orders(), "b": [float(i % 9) for i in range(80)]})["id"]
    model_id = trained(database, dataset_id)
    query = {"model_id": model_id, "unique_id": "a"}
    first = only(fetched(client, "application/json", **query))["mean"]
    assert only(fetched(client, "application/json", **query, horizon=2))["mean"] == first[:2]
    rows = [{"unique_id": "new", "ds": 1960 + i, "y": y} for i, y in enumerate(orders())]
    sent = only(client.post("/forecast", json={"model_id": model_id, "observations": rows}))
    assert sent["mean"] == first


def test_profile_counts_intermittent_series_as_rows_come(client: TestClient) -> None:
    body = upload(client, {"part": orders(), "steady": [float(5 + i % 3) for i in range(60)]})
    assert body["profile"]["intermittent"] == 1
    new = [{"unique_id": "rare", "ds": 1960 + i, "y": y} for i, y in enumerate(orders())]
    path = f"/datasets/{body['id']}/observations"
    assert client.post(path, json={"observations": new}).json()["profile"]["intermittent"] == 2
    sold = [{"unique_id": "part", "ds": 1960 + i, "y": 4.0} for i in range(80)]
    assert client.post(path, json={"observations": sold}).json()["profile"]["intermittent"] == 1


@pytest.mark.usefixtures("brief_trainings")
def test_verdict_on_intermittent_demand_is_by_pinball_loss_against_methods_of_demand(
    client: TestClient, database: Database
) -> None:
    rng = np.random.default_rng(6)
    parts = {f"part {i}": [float(count) for count in rng.poisson(0.5, 80)] for i in range(8)}
    dataset_id = upload(client, parts)["id"]
    model_id = trained(database, dataset_id)
    model = client.get(f"/models/{model_id}").json()
    assert {"croston_sba", "tsb", "history"} < model["backtest"]["measures"].keys()
    assert model["verdict"]["measure"] == "pinball"
    assert "(pinball)" in model["verdict"]["sentence"]
    found = only(fetched(client, "application/json", dataset_id=dataset_id, unique_id="part 1"))
    assert all(mean > 0 for mean in found["mean"])
