"""Concurrent reads: all are served, and none delays another request."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.database_reader import CONCURRENT_READS, DatabaseReader
from app.db import engine
from app.db.engine import Database, Session
from app.db.tables import Workspace
from tests.factories import upload


def count(session: Session) -> int:
    return session.query(Workspace).count()


def checked_out(database: Database) -> int:
    pool: Any = database.reader.pool
    return int(pool.checkedout())


def test_more_reads_than_connections_are_all_served(api: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "READING", 2)
    with TestClient(api) as client, ThreadPoolExecutor(60) as callers:
        statuses = callers.map(lambda _: client.get("/jobs").status_code, range(120))
        assert set(statuses) == {200}


def test_response_holds_no_connection(database: Database) -> None:
    async def main() -> int:
        read = DatabaseReader(database)
        assert await read(count) == 1
        return checked_out(database)

    assert asyncio.run(main()) == 0


def test_readers_leave_connections_to_others(database: Database) -> None:
    looking, go_on = threading.Semaphore(0), threading.Event()

    def look(session: Session) -> None:
        count(session)
        looking.release()
        go_on.wait()

    async def main() -> int:
        read = DatabaseReader(database)
        readers = asyncio.gather(*(read(look) for _ in range(100)))
        for _ in range(CONCURRENT_READS):
            await asyncio.to_thread(looking.acquire)
        held = checked_out(database)
        go_on.set()
        await readers
        return held

    assert asyncio.run(main()) == CONCURRENT_READS < engine.READING


def test_cancelled_read_releases_its_place(database: Database) -> None:
    async def main() -> list[int]:
        read = DatabaseReader(database)
        readers = [asyncio.create_task(read(count)) for _ in range(20)]
        await asyncio.sleep(0)
        for reader in readers[::2]:
            reader.cancel()
        return await asyncio.gather(*readers[1::2])

    assert asyncio.run(asyncio.wait_for(main(), 30)) == [1] * 10


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_answers_while_every_reader_is_busy(client: TestClient, api: FastAPI, path: str) -> None:
    with ExitStack() as readers:
        for _ in range(engine.READING):
            readers.enter_context(api.state.resources.database.reader.connect())
        assert client.get(path).status_code == 200


def test_rows_are_written_while_every_reader_is_busy(client: TestClient, api: FastAPI) -> None:
    with ExitStack() as readers:
        for _ in range(engine.READING):
            readers.enter_context(api.state.resources.database.reader.connect())
        assert upload(client)["id"]
