"""Event streams across a stop and a restart of the service."""

import time
from pathlib import Path

import httpx2
import pytest

from benchmarks.process_tree import eventually
from gatecast_client import Client
from tests.acceptance.trainings import queued
from tests.processes import running_api, started

pytestmark = pytest.mark.long


def test_open_stream_does_not_delay_a_stop_and_sends_no_false_end(database_url: str, tmp_path: Path) -> None:
    with running_api(database_url, tmp_path) as api, Client(api.url) as caller:
        path = f"{api.url}/jobs/{queued(caller).id}/events"
        with httpx2.Client() as http, http.sse(path) as source:
            events = iter(source)
            assert next(events).event == "progress"
            began = time.monotonic()
            api.process.terminate()
            assert list(events) == []
            assert time.monotonic() - began < 1
        assert api.process.wait(timeout=10) == 0
    log = api.log.read_text()
    assert [word for word in ("ERROR", "WARNING", "Traceback", "Cancel") if word in log] == []


def test_stream_resumes_after_a_restart(database_url: str, tmp_path: Path) -> None:
    with running_api(database_url, tmp_path) as first, Client(first.url) as caller:
        job = queued(caller)
        events = caller.events(job.id)
        assert next(events).state == "queued"
        first.process.terminate()
        assert first.process.wait(timeout=10) == 0
        port = first.url.rpartition(":")[2]
        with started("api", database_url, tmp_path / "second.log", port=port):
            eventually(caller.is_ready)
            ended = caller.cancel(job.id)
            assert list(events) == [ended]
