"""Slow uploads and ad hoc forecasts wait among themselves, and delay no other request."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api.http import uploads
from app.intake.reader import read_csv
from app.services.forecasting import ad_hoc
from tests.factories import SQLITE_ALONE, csv_bytes, upload

pytestmark = SQLITE_ALONE

CALLERS = 50  # more than there are threads that all calls share
ROWS = [{"ds": year, "y": float(year % 7)} for year in range(1990, 2020)]


@dataclass
class Stop:
    """Work that stands still until it is let go."""

    work: Callable[..., Any]
    go_on: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    at_once: int = 0
    most: int = 0

    def __call__(self, *args: Any) -> Any:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.begun.set()
        self.go_on.wait()
        self.at_once -= 1
        return self.work(*args)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CALLERS + 10) as pool:
        yield pool


def status(future: "Future[Any]") -> int:
    """The status of an answer that is there soon, whoever else waits."""
    return int(future.result(timeout=20).status_code)


def send(client: TestClient) -> Any:
    return client.post("/datasets", files={"file": ("test.csv", csv_bytes())})


def test_no_request_waits_for_uploads_being_parsed(
    client: TestClient, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = upload(client)["id"]
    stop = Stop(read_csv)
    monkeypatch.setattr(uploads, "read_csv", stop)
    sent = [pool.submit(send, client) for _ in range(CALLERS)]
    try:
        stop.begun.wait(20)
        others = [
            pool.submit(client.get, path) for path in ("/readyz", "/datasets", f"/datasets/{dataset_id}")
        ]
        others.append(pool.submit(client.post, "/forecast", json={"observations": ROWS}))
        others.append(pool.submit(client.post, "/train", json={"dataset_id": dataset_id, "horizon": 3}))
        assert [status(other) for other in others] == [200, 200, 200, 200, 202]
    finally:
        stop.go_on.set()
    assert [status(each) for each in sent] == [201] * CALLERS
    assert stop.most == 2


def test_no_request_waits_for_ad_hoc_forecasts(
    client: TestClient, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = upload(client)["id"]
    stop = Stop(ad_hoc.forecast_pretrained)
    monkeypatch.setattr(ad_hoc, "forecast_pretrained", stop)
    sent = [pool.submit(client.post, "/forecast", json={"observations": ROWS}) for _ in range(CALLERS)]
    try:
        stop.begun.wait(20)
        assert status(pool.submit(client.get, f"/forecast?dataset_id={dataset_id}&unique_id=series 1")) == 200
        assert status(pool.submit(send, client)) == 201
    finally:
        stop.go_on.set()
    assert [status(each) for each in sent] == [200] * CALLERS
    assert stop.most == 4
