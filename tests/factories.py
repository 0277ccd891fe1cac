"""Things to test with: plain functions whose defaults are enough for most tests."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from fastapi.testclient import TestClient

from app.auth import OWNER, Principal
from app.db.engine import Database
from app.db.tables import Workspace
from app.intake.reader import Columns, read_csv
from app.queue import JobRef
from app.schemas.datasets import DatasetOut
from app.schemas.train import TrainRequest
from app.services import datasets, training

Series = Mapping[str, Sequence[float | None]]


def trends(count: int = 3, length: int = 40) -> dict[str, list[float]]:
    """Series that an LSTM learns in a moment: growing lines with a little noise."""
    noise = np.random.default_rng(7).normal(0, 0.5, (count, length))
    lines = 100 + 5 * np.arange(count)[:, None] + (1 + np.arange(count)[:, None]) * np.arange(length)
    return {f"series {i}": (lines[i] + noise[i]).tolist() for i in range(count)}


def csv_bytes(series: Series | None = None, first_year: int = 1960) -> bytes:
    """A table `unique_id,ds,y` of yearly series."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["unique_id", "ds", "y"])
    for unique_id, values in (series or trends()).items():
        writer.writerows((unique_id, first_year + i, "" if y is None else y) for i, y in enumerate(values))
    return buffer.getvalue().encode()


def upload(client: TestClient, series: Series | None = None, **fields: str) -> dict[str, Any]:
    """Upload series over HTTP and return the answer."""
    response = client.post("/datasets", files={"file": ("test.csv", csv_bytes(series))}, data=fields)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


def dataset(database: Database, series: Series | None = None, principal: Principal = OWNER) -> DatasetOut:
    """Store a dataset, past HTTP."""
    intake = read_csv(csv_bytes(series), Columns())
    with database.write() as session:
        return datasets.create(session, principal, "test", intake, "0" * 64)


def queued_job(database: Database, dataset_id: str, principal: Principal = OWNER, **request: Any) -> JobRef:
    """Write down a training that nobody was told of: a test begins it itself."""
    asked = TrainRequest(**{"dataset_id": dataset_id, "horizon": 3, "preset": "quick", **request})
    with database.write() as session:
        return training.ask(session, principal, asked)


def trained(database: Database, dataset_id: str, principal: Principal = OWNER, **request: Any) -> str:
    """Train at once, in this process, and return the model's id."""
    asked = TrainRequest(**{"dataset_id": dataset_id, "horizon": 3, "preset": "quick", **request})
    return str(training.perform_here(database, principal, asked, "cpu").model_id)


def workspace(database: Database, name: str = "other") -> Principal:
    """Make a second workspace and return its owner."""
    with database.write() as session:
        session.add(Workspace(id=name))
    return Principal(workspace_id=name)
