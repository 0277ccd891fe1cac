"""Many uploads at once, each of many columns: they are all answered, and keep nobody waiting."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import httpx2
import pytest

from tests.processes import running_api

pytestmark = pytest.mark.long
UPLOADS, COLUMNS, ROWS = 45, 300, 10
ALL_WITHIN_S, SOON_S, LONGEST_S = 20.0, 0.25, 1.0


def wide_table() -> bytes:
    names = ["date", *(f"reading {i}" for i in range(COLUMNS - 1))]
    rows = ([f"2024-01-{day + 1:02}", *(str(day + i) for i in range(COLUMNS - 1))] for day in range(ROWS))
    return "\n".join(",".join(row) for row in chain([names], rows)).encode()


def waits_s(url: str, path: str, are_sent: threading.Event) -> list[float]:
    """How long answers to a path took, asked for again and again until all uploads are sent."""
    waits = []
    with httpx2.Client(base_url=url, timeout=60) as client:
        while not are_sent.wait(0.02):
            began = time.monotonic()
            assert client.get(path).status_code == 200
            waits.append(time.monotonic() - began)
    return sorted(waits)


def test_many_wide_uploads_at_once_keep_health_and_readiness_quick(database_url: str, tmp_path: Path) -> None:
    table, asked, are_sent = wide_table(), {"target_column": "reading 7"}, threading.Event()
    with (
        running_api(database_url, tmp_path) as service,
        httpx2.Client(base_url=service.url, timeout=60) as client,
        ThreadPoolExecutor(UPLOADS + 2) as pool,
    ):

        def send(_: int) -> int:
            return client.post("/datasets", files={"file": ("w.csv", table)}, data=asked).status_code

        began = time.monotonic()
        sent = [pool.submit(send, i) for i in range(UPLOADS)]
        looks = [pool.submit(waits_s, service.url, path, are_sent) for path in ("/healthz", "/readyz")]
        try:
            assert [each.result() for each in sent] == [201] * UPLOADS
        finally:
            are_sent.set()
        assert time.monotonic() - began < ALL_WITHIN_S
        for waits in (look.result() for look in looks):
            assert waits[len(waits) * 9 // 10] < SOON_S
            assert waits[-1] < LONGEST_S
