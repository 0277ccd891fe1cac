"""Processes that cannot be started, or die, are started again."""

import threading
import time
from multiprocessing.context import SpawnProcess
from typing import Any

import pytest

from app.worker import supervisor
from app.worker.supervisor import CONTEXT, Supervisor


def test_process_that_could_not_be_started_is_started_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults, started = iter([OSError("Too many open files")]), threading.Event()

    def made(**facts: Any) -> SpawnProcess:
        if (fault := next(faults, None)) is not None:
            raise fault
        started.set()
        return SpawnProcess(**facts)

    monkeypatch.setattr(CONTEXT, "Process", made, raising=False)
    monkeypatch.setattr(supervisor, "RESTART_PAUSE_S", 0.01)
    kept = Supervisor("sleeper", time.sleep, (60,), 1, 0.1)
    kept.start()
    assert started.wait(60)
    kept.stop()
    assert "Starting the sleeper failed" in caplog.text
