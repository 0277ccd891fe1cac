"""Uploads of many series: others write meanwhile, and an aborted one leaves nothing."""

import threading
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from app.db.engine import Database
from app.db.tables import Dataset, Draft, Series
from benchmarks.process_tree import eventually
from gatecast_client import Client
from tests.processes import Service, running_service

pytestmark = pytest.mark.long
MANY = 60_000


def table(series: int) -> bytes:
    rows = (f"s{i},{year},{i}.5" for i in range(series) for year in (2000, 2001))
    return "\n".join(["unique_id,ds,y", *rows]).encode()


def in_background(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def is_under_way(database: Database) -> bool:
    with database.read() as session:
        return session.query(Draft).count() > 0


def upload(service: Service, order: list[str]) -> None:
    try:
        httpx2.post(f"{service.url}/datasets", files={"file": ("many.csv", table(MANY))}, timeout=60)
        order.append("upload")
    except httpx2.HTTPError:
        order.append("cut off")


def test_one_row_does_not_wait_for_an_upload_of_many_series(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    order: list[str] = []
    with running_service(database_url, tmp_path) as service, Client(service.url) as caller:
        small = caller.upload(table(1), "small").id
        uploading = in_background(lambda: upload(service, order))
        eventually(lambda: is_under_way(database), within_s=60)
        row = {"observations": [{"unique_id": "s0", "ds": 2002, "y": 1.0}]}
        answer = httpx2.post(f"{service.url}/datasets/{small}/observations", json=row, timeout=60)
        order.append("row")
        uploading.join(60)
        shown = {each.series for each in caller.datasets()}
    assert (answer.status_code, order, shown) == (200, ["row", "upload"], {1, MANY})


def test_upload_that_was_killed_is_swept_by_the_next_start(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with running_service(database_url, tmp_path) as service:
        uploading = in_background(lambda: upload(service, []))
        eventually(lambda: is_under_way(database), within_s=60)
        service.kill_everything()
        uploading.join(60)
    assert rows(database) > 0
    with running_service(database_url, tmp_path):
        eventually(lambda: rows(database) == 0, within_s=60)


def rows(database: Database) -> int:
    with database.read() as session:
        return sum(session.query(each).count() for each in (Dataset, Draft, Series))
