"""Time limits on Postgres: no wait is endless."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import make_url, text

from app.db import postgres
from app.db.engine import Database
from app.db.postgres import Limits
from app.errors import Unavailable
from app.main import create_app
from app.queue import Queue
from app.services.jobs import workers
from app.services.shared.heartbeats import Heartbeat
from app.settings import Settings
from tests.factories import entered

BRIEF = Limits(0.3, 0.2, 0.2)


@pytest.fixture
def hasty(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database with short time limits."""
    for purpose in ("READING", "WRITING", "WATCHING"):
        monkeypatch.setattr(postgres, purpose, BRIEF)
    database = Database(postgres_url)
    yield database
    database.dispose()


@contextmanager
def held(url: str, statement: str) -> Iterator[None]:
    """Hold the locks of a statement, as a process frozen in a transaction does."""
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string()) as other:
        other.execute(statement)
        yield
        other.rollback()


def test_session_has_its_limits(postgres_url: str) -> None:
    database = Database(postgres_url)
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    limits = [
        [session.execute(text(f"SHOW {name}")).scalar() for name in names]
        for opened in (database.read, database.watch, database.write)
        for session in _opened(opened)
    ]
    assert limits == [["1min", "10s", "5min"], ["5s", "5s", "10s"], ["1min", "12s", "10s"]]
    with database.migrate() as connection:
        assert [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names] == ["0"] * 3
    database.dispose()


def _opened(opened: Any) -> Iterator[Any]:
    with opened() as session:
        yield session


def test_dead_connection_is_detected_by_both_ends(postgres_url: str) -> None:
    arguments = postgres.connect_args(make_url(postgres_url), postgres.WATCHING)
    assert {name: arguments[name] for name in ("keepalives", "keepalives_idle", "tcp_user_timeout")} == {
        "keepalives": 1,
        "keepalives_idle": 5,
        "tcp_user_timeout": 10_000,
    }
    assert "-c tcp_keepalives_idle=5" in arguments["options"]


def test_options_in_the_url_take_precedence(postgres_url: str) -> None:
    own = "keepalives_idle=60&options=-c%20lock_timeout%3D7s%20-c%20work_mem%3D9MB"
    database = Database(f"{postgres_url}?{own}")
    assert "keepalives_idle" not in postgres.connect_args(make_url(database.url), postgres.READING)
    with database.read() as session:
        shown = [session.execute(text(f"SHOW {name}")).scalar() for name in ("lock_timeout", "work_mem")]
    assert shown == ["7s", "9MB"]
    database.dispose()


def test_options_of_the_environment_are_kept(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=9MB")
    database = Database(postgres_url)
    with database.read() as session:
        assert session.execute(text("SHOW work_mem")).scalar() == "9MB"
    database.dispose()


def test_statement_that_takes_too_long_is_unavailable(hasty: Database) -> None:
    with pytest.raises(Unavailable, match="does not answer"), hasty.read() as session:
        session.execute(text("SELECT pg_sleep(60)"))


def test_idle_transaction_loses_its_locks(hasty: Database) -> None:
    with pytest.raises(Unavailable, match="does not answer"), hasty.write() as frozen:
        frozen.execute(text("UPDATE clock SET value = value + 1"))
        pid = frozen.execute(text("SELECT pg_backend_pid()")).scalar()
        other = Database(hasty.url)
        while _is_there(other, pid):
            pass
        other.dispose()
        frozen.execute(text("SELECT 1"))


def _is_there(database: Database, pid: Any) -> bool:
    with database.read() as session:
        return bool(session.execute(text(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}")).scalar())


def test_change_that_waits_too_long_for_a_lock_is_503(hasty: Database) -> None:
    with TestClient(create_app(Settings(database_url=hasty.url, device="cpu"))) as client:
        body = {"observations": [{"unique_id": "a", "ds": f"2026-01-0{day}", "y": 1} for day in range(1, 6)]}
        path = f"/datasets/{client.post('/datasets', json=body).json()['id']}/observations"
        more = {"observations": [{"unique_id": "a", "ds": "2026-01-06", "y": 2}]}
        with held(hasty.url, "UPDATE clock SET value = value"):
            answer = client.post(path, json=more)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "Another process holds" in answer.json()["detail"]
        assert client.post(path, json=more).status_code == 200


def test_frozen_process_blocks_no_poll_and_is_removed_once_its_lock_is_free(
    postgres_url: str,
) -> None:
    database, heartbeat = Database(postgres_url), Heartbeat(Database(postgres_url), "worker", "cpu")
    queue, frozen, api = Queue(database), entered(database), entered(database, "api", stopped=True)
    heartbeat.poll()
    dead = [process for process in heartbeat.others if process.id in (frozen, api)]
    with held(postgres_url, "UPDATE processes SET beat = beat"):
        assert workers.remove_dead(database, queue, dead) == []
    with held(postgres_url, f"UPDATE processes SET beat = beat WHERE id = '{api}'"):
        heartbeat.poll()  # which forgets what answered calls
    assert sorted(workers.remove_dead(database, queue, dead)) == sorted([frozen, api])
    queue.close()
    database.dispose()
    heartbeat._database.dispose()


class Silent:
    """A proxy that can swallow all that the server sends."""

    def __init__(self, url: str) -> None:
        server = make_url(url)
        self._server = (server.host, server.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = server.set(port=self._listener.getsockname()[1]).render_as_string()
        self.is_silent = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server:
            other = {client: server, server: client}
            while True:
                for end in select.select(list(other), [], [])[0]:
                    if not (data := end.recv(65536)):
                        return
                    if not self.is_silent.is_set():
                        other[end].sendall(data)


@pytest.fixture
def silent(postgres_url: str) -> Iterator[Silent]:
    silent = Silent(postgres_url)
    yield silent
    silent.close()


def test_connection_to_a_server_that_hangs_in_a_statement_is_closed(
    silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "GRACE_S", 0.1)
    monkeypatch.setattr(postgres, "READING", BRIEF)
    database = Database(silent.url)
    with pytest.raises(Unavailable, match="does not answer"), database.read() as session:
        session.execute(text("SELECT 1"))
        silent.is_silent.set()
        session.execute(text("SELECT 1"))
    database.dispose()


def test_connection_to_a_server_that_hangs_between_statements_is_replaced(
    silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PING_S", 0.1)
    database = Database(f"{silent.url}?connect_timeout=2")
    assert _answers(database)
    silent.is_silent.set()
    with pytest.raises(Unavailable, match="does not answer"):
        _answers(database)
    silent.is_silent.clear()
    assert _answers(database)
    database.dispose()


def _answers(database: Database) -> bool:
    with database.read() as session:
        return session.execute(text("SELECT 1")).scalar() == 1


def test_listening_waits_without_a_limit(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "PING_S", 0.05)
    database = Database(postgres_url)
    raw = database.writer.raw_connection()
    listening: Any = raw.driver_connection
    raw.detach()
    listening.set_autocommit(True)
    listening.execute("LISTEN news")
    teller = threading.Timer(0.3, lambda: _tell(database))
    teller.start()
    assert next(listening.notifies(stop_after=1)).payload == "x"
    listening.close()
    database.dispose()


def _tell(database: Database) -> None:
    with database.write() as session:
        session.execute(text("NOTIFY news, 'x'"))
