"""Connections that send too much, too slowly or nothing at all, over raw sockets."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from benchmarks.process_tree import eventually
from tests.processes import Service, running_api

pytestmark = pytest.mark.long
KIB = 1024
HOST = b"Host: localhost\r\n"


@pytest.fixture(scope="module")
def service(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("connections")
    (folder / "test.db").write_bytes(sqlite_template.read_bytes())
    # Under a usual file limit, of which half is kept for all else.
    with running_api(
        f"sqlite:///{folder / 'test.db'}", folder, within=["prlimit", "--nofile=256:1024"]
    ) as service:
        yield service


def connect(service: Service) -> socket.socket:
    where = urlsplit(service.url)
    return socket.create_connection((str(where.hostname), where.port or 80), timeout=20)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: str
    problem: dict[str, Any]


def rest(caller: socket.socket) -> bytes:
    """Read to the end of a connection."""
    parts = []
    with suppress(ConnectionResetError):
        while part := caller.recv(KIB * KIB):
            parts.append(part)
    return b"".join(parts)


def refusal(caller: socket.socket) -> Answer:
    """Read the answer with which a connection ends."""
    head, _, body = rest(caller).partition(b"\r\n\r\n")
    status, _, headers = head.decode().partition("\r\n")
    return Answer(int(status.split()[1]), headers, json.loads(body))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /healthz?" + b"a" * 65 * KIB + b" HTTP/1.1\r\n" + HOST, 414),
        (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 65 * KIB + b"\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(b"X%d: a\r\n" % i for i in range(101)), 431),
        (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X" * 400 * KIB, 431),
        (b"\r\n" * 40 * KIB, 431),
        (
            b"POST /train HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 400 * KIB,
            431,
        ),
        (
            b"POST /train HTTP/1.1\r\n"
            + HOST
            + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: "
            + b"a" * 400 * KIB,
            431,
        ),
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    ],
    ids=["line", "header", "headers", "name", "nothing", "extension", "trailer", "garbage", "space"],
)
def test_head_past_its_bounds_is_refused_and_the_connection_ends(
    service: Service, sent: bytes, status: int
) -> None:
    with connect(service) as caller:
        caller.sendall(sent)
        answer = refusal(caller)
    assert (answer.status, answer.problem["status"]) == (status, status)
    assert "content-type: application/problem+json" in answer.headers
    assert "connection: close" in answer.headers
    assert "x-content-type-options: nosniff" in answer.headers


def test_head_within_its_bounds_is_answered(service: Service) -> None:
    fields = b"".join(b"X%d: %s\r\n" % (i, b"a" * 600) for i in range(98))
    with connect(service) as caller:
        caller.sendall(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n" + HOST + fields + b"\r\n")
        assert rest(caller).startswith(b"HTTP/1.1 200 OK")


def test_body_in_many_small_chunks_with_trailers_is_read(service: Service) -> None:
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in b'{"horizon": 5}' + b" " * 50 * KIB)
    head = b"POST /train HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n" + HOST
    with connect(service) as caller:
        caller.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nX: a\r\n\r\n")
        assert b"dataset_id" in refusal(caller).problem["detail"].encode()


def test_complete_request_is_answered_before_garbage_ends_the_connection(service: Service) -> None:
    with connect(service) as caller:
        caller.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\nGARBAGE\r\n\r\n")
        assert rest(caller).startswith(b"HTTP/1.1 200 OK")


def test_pipelined_requests_are_answered_in_order(service: Service) -> None:
    paths = [b"/healthz", b"/nowhere", b"/healthz"]
    with connect(service) as caller:
        caller.sendall(b"".join(b"GET %s HTTP/1.1\r\n%s\r\n" % (path, HOST) for path in paths))
        caller.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert re.findall(rb"HTTP/1.1 (\d+)", rest(caller)) == [b"200", b"404", b"200", b"200"]


def test_header_of_100_mib_holds_nobody_up(service: Service) -> None:
    began = time.monotonic()
    with connect(service) as caller, httpx2.Client(base_url=service.url) as other, suppress(OSError):
        caller.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: ")
        for _ in range(100):
            caller.sendall(b"a" * KIB * KIB)
            assert other.get("/healthz").elapsed.total_seconds() < 1
    assert time.monotonic() - began < 5


def test_what_does_not_come_whole_in_ten_seconds_is_hung_up_on(service: Service) -> None:
    """All at once: nothing, half a head, one that trickles in, and the second one of a connection."""
    began = time.monotonic()
    with ExitStack() as stack:
        silent, half, trickling, second = (stack.enter_context(connect(service)) for _ in range(4))
        half.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST)
        second.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert second.recv(KIB * KIB).startswith(b"HTTP/1.1 200 OK")
        second.sendall(b"GET /healthz HTTP/1.1\r\n")
        with suppress(OSError):
            while time.monotonic() - began < 9:
                trickling.sendall(b"G" if time.monotonic() - began < 0.1 else b"E")
                time.sleep(0.5)
        assert rest(silent) == b""
        assert [refusal(each).status for each in (half, second)] == [408, 408]
        assert 9.5 < time.monotonic() - began < 12


def is_answered(service: Service) -> bool:
    with suppress(httpx2.TransportError):
        return httpx2.get(f"{service.url}/healthz").status_code == 200
    return False


def test_half_open_connections_push_nobody_out_for_long(service: Service) -> None:
    """1,100 of them, where 1,024 files may be open."""
    with httpx2.Client(base_url=service.url) as known, ExitStack() as stack:
        assert known.get("/healthz").status_code == 200
        began = time.monotonic()
        for _ in range(1100):
            with suppress(OSError):
                half = stack.enter_context(connect(service))
                half.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert known.get("/healthz").status_code == 200
        with connect(service) as late:
            assert refusal(late).status == 503
        eventually(lambda: is_answered(service), within_s=12, pause_s=0.1)
        assert time.monotonic() - began < 15
        assert known.get("/readyz").status_code == 200
