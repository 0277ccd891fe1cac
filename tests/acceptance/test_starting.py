"""How the service starts, in any folder, and with what status it exits."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.server import free_port
from benchmarks.process_tree import eventually
from gatecast_client import Client
from tests.factories import csv_bytes, trends
from tests.processes import running_api, started

pytestmark = pytest.mark.long
COMMAND = Path(sys.executable).with_name("gatecast")
PLANTED = ("app.py", "models.py", "migrations/__init__.py", "struct.py", "statsforecast.py", "torch.py")


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder with files by the names of modules, which leave a trace when they are run."""
    for name in PLANTED:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"import os\nos.mkdir({str(tmp_path / 'sprung')!r})\n")
    return tmp_path


@pytest.fixture
def trapped_url(trap: Path, sqlite_url: str) -> Iterator[str]:
    """A service that was started in that folder."""
    port = str(free_port())
    environment = {**os.environ, "GATECAST_DATABASE_URL": sqlite_url, "GATECAST_DEVICE": "cpu"}
    process = subprocess.Popen([COMMAND, "serve", "--port", port], cwd=trap, env=environment)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert process.wait(timeout=15) == 0


def test_training_runs_nothing_of_the_folder_where_the_service_was_started(
    trap: Path, trapped_url: str
) -> None:
    with Client(trapped_url) as caller:
        eventually(caller.is_ready)
        dataset = caller.upload(csv_bytes(trends(count=2)), "trends")
        job = caller.wait(caller.train(dataset.id, horizon=3, preset="quick").id)
    assert (job.state, (trap / "sprung").exists()) == ("succeeded", False)


@pytest.mark.parametrize("options", [("serve",), ("api", "--workers", "2")], ids=" ".join)
def test_port_in_use_ends_the_start_before_anything_is_made(tmp_path: Path, options: tuple[str, ...]) -> None:
    database, log = tmp_path / "new.db", tmp_path / "log"
    command, *more = options
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with started(command, f"sqlite:///{database}", log, "--port", port, *more) as process:
            assert process.wait(timeout=15) == 2
    assert log.read_text().startswith(f"gatecast: Port {port} of 127.0.0.1 cannot be used: ")
    assert not database.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_service_exits_with_0(sqlite_url: str, tmp_path: Path, number: int) -> None:
    with running_api(sqlite_url, tmp_path) as api:
        api.process.send_signal(number)
        assert api.process.wait(timeout=15) == 0
