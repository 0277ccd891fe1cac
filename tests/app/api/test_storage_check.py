"""A full disk: uploads are refused before the body is read."""

import sqlite3
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from app.api.http import uploads
from app.db.engine import Database, translate_errors
from app.errors import InsufficientStorage, Unavailable
from app.settings import Settings
from tests.factories import csv_bytes, upload


def full_sqlite() -> Exception:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count = 1")
    try:
        connection.execute("CREATE TABLE t AS SELECT randomblob(100000)")
    except sqlite3.OperationalError as error:
        return error
    finally:
        connection.close()
    raise AssertionError


@pytest.mark.parametrize("error", [full_sqlite(), psycopg.errors.DiskFull()], ids=["sqlite", "postgres"])
def test_full_disk_raises_insufficient_storage(error: Exception) -> None:
    with pytest.raises(InsufficientStorage, match="Make room"), translate_errors():
        raise OperationalError("INSERT", {}, error)


def test_other_errors_do_not_count_as_a_full_disk() -> None:
    with pytest.raises(Unavailable) as caught, translate_errors():
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))
    assert not isinstance(caught.value, InsufficientStorage)


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    return Settings(database_url=sqlite_url, device="cpu")


@pytest.mark.parametrize("path", ["/datasets", "/datasets/{}/observations"])
def test_body_without_storage_is_refused_before_it_is_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    dataset_id = upload(client)["id"]
    monkeypatch.setattr(Database, "free_bytes", property(lambda _: 16 * 1024 * 1024))
    monkeypatch.setattr(uploads, "read_csv", _never)
    response = client.post(path.format(dataset_id), files={"file": ("a.csv", csv_bytes())})
    assert response.status_code == 507, response.text
    assert response.json()["type"] == "urn:gatecast:problem:insufficient-storage"
    assert "retry-after" not in response.headers
    assert "deleting datasets" in response.json()["detail"]


def test_requests_that_store_nothing_work_with_a_full_disk(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = upload(client)["id"]
    monkeypatch.setattr(Database, "free_bytes", property(lambda _: 0))
    assert client.get("/forecast", params={"dataset_id": dataset_id}).status_code == 200
    assert client.delete(f"/datasets/{dataset_id}").status_code == 204


def _never(*_: Any) -> Any:
    raise AssertionError
