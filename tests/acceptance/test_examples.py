"""The example scripts run as they are written."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.client import Client
from tests.factories import csv_bytes
from tests.processes import running_service

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(script: str, *arguments: object) -> str:
    command = [sys.executable, str(EXAMPLES / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=EXAMPLES.parent).stdout


def test_core_is_used_without_a_service() -> None:
    assert run("core_only.py").splitlines()[-1].startswith("step 6: ")


@pytest.mark.long
def test_file_is_forecast_and_drawn(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_bytes(csv_bytes())
    with running_service(sqlite_url, tmp_path) as service, Client(service.url) as client:
        printed = run("forecast_a_file.py", file, service.url)
        run("fan_chart.py", service.url, client.datasets()[0].id, "series 0", tmp_path / "chart.png")
    assert printed.startswith("series 0 2004: ")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
