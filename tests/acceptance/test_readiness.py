"""Readiness while a process starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.server import free_port

pytestmark = pytest.mark.long

BROKEN = """
import sys
from app.server import serve
from app.services.forecasting import model_loading
from app.settings import Settings

def preload() -> None:
    raise OSError(24, "Too many open files")

model_loading.preload = preload
serve(Settings(database_url=sys.argv[1], port=int(sys.argv[2]), device="cpu"), with_worker=False)
"""


def test_process_that_cannot_import_forecasting_exits_with_a_status(tmp_path: Path) -> None:
    """Else it would answer each forecast with 500, for ever, and look ready."""
    words = [sys.executable, "-c", BROKEN, f"sqlite:///{tmp_path / 'test.db'}", str(free_port())]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "Forecasting cannot be imported; this process ends." in ended.stderr
    assert "Too many open files" in ended.stderr
