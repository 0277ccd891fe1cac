"""The example scripts run as they are written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gatecast_client import Client
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
        run("fan_chart.py", service.url, next(client.datasets()).id, "series 0", tmp_path / "chart.png")
    assert printed.startswith("series 0 2004: ")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.long
def test_notebook_runs_from_its_first_cell_to_its_last(sqlite_url: str, tmp_path: Path) -> None:
    cells = json.loads((EXAMPLES / "client.ipynb").read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    with running_service(sqlite_url, tmp_path) as service, Client(service.url) as client:
        script = code.replace("http://127.0.0.1:8000", service.url)
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=False,
            cwd=EXAMPLES,
        )
        assert done.returncode == 0, done.stderr
        assert list(client.datasets()) == []  # it cleans up behind itself
    assert "series" in done.stdout
