"""Requests that run when their process is stopped."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from app.db.engine import Database
from app.db.tables import IdempotencyKey
from benchmarks.process_tree import eventually
from gatecast_client import Client
from tests.factories import csv_bytes, trends
from tests.processes import Service, running_api

pytestmark = pytest.mark.long
KEY = {"Idempotency-Key": "one"}
FILE = csv_bytes(trends(count=1500))  # takes some tenths of a second to read


def sent(service: Service) -> httpx2.Response:
    """Upload under the key."""
    return httpx2.post(f"{service.url}/datasets", files={"file": ("a.csv", FILE)}, headers=KEY, timeout=30)


def is_claimed(database: Database) -> bool:
    with database.read() as session:
        return session.query(IdempotencyKey).count() == 1


@contextmanager
def no_dataset_may_be_stored(database: Database) -> Iterator[None]:
    """Hold up every call that has claimed its key."""
    with database.writer.connect() as connection:
        everything, one_table = "SELECT 1", "LOCK TABLE datasets IN EXCLUSIVE MODE"
        connection.execute(text(everything if database.is_sqlite else one_table))
        yield


@contextmanager
def call_in_work(service: Service, database: Database) -> Iterator["Future[httpx2.Response]"]:
    """Let a call be claimed and then be held up for as long as this lasts."""
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(sent, service)
        eventually(lambda: is_claimed(database), pause_s=0.005)
        with no_dataset_may_be_stored(database):
            yield answer


def test_request_aborted_by_a_stop_is_repeated_once_with_its_key(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with running_api(database_url, tmp_path) as first, running_api(database_url, tmp_path) as second:
        with call_in_work(first, database) as answer:
            first.process.terminate()
            assert_refused(answer.result())
            assert first.process.wait(timeout=10) == 0
        assert sent(second).status_code == 201
        with Client(second.url) as client:
            assert len(list(client.datasets())) == 1


def assert_refused(answer: httpx2.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
