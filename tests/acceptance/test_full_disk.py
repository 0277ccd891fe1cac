"""A disk that is full when a model is to be stored, and has space again later."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.engine import Database
from app.db.tables import Model
from benchmarks import postgres
from benchmarks.process_tree import eventually
from gatecast_client import Client
from tests.acceptance.trainings import queued, under_way
from tests.processes import Service, running_service

pytestmark = pytest.mark.long
MEBIBYTE = 1024 * 1024


@pytest.fixture
def disk() -> Iterator[Path]:
    """A disk of its own, small enough to be filled in a moment, that a server's user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="gatecast-disk-"))
    folder.chmod(0o755)
    mount = ["mount", "-t", "tmpfs", "-o", "size=160m,mode=777", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a disk can be mounted here by root alone")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def fill(disk: Path) -> Path:
    """Leave no byte free, and return the file that takes them."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (MEBIBYTE, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def train_on_a_full_disk(service: Service, caller: Client, disk: Path) -> str:
    job = queued(caller, "balanced", series=3)
    under_way(caller, job.id)
    filler = fill(disk)
    eventually(lambda: "does not take the model" in service.log.read_text(), within_s=120)
    filler.unlink()
    return str(caller.wait(job.id).model_id)


def models(database_url: str) -> list[str]:
    database = Database(database_url)
    with database.read() as session:
        found = [model.id for model in session.query(Model)]
    database.dispose()
    return found


def test_model_is_stored_once_the_disk_of_sqlite_has_space_again(disk: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{disk / 'gatecast.db'}"
    with running_service(url, tmp_path) as service, Client(service.url) as caller:
        assert [train_on_a_full_disk(service, caller, disk)] == models(url)


def test_model_is_stored_once_the_disk_of_postgres_has_space_again(
    postgres_programs: Path, disk: Path, tmp_path: Path
) -> None:
    with postgres.running_server(postgres_programs, disk) as server:
        url = f"{server.url}/postgres"
        with running_service(url, tmp_path) as service, Client(service.url) as caller:
            assert [train_on_a_full_disk(service, caller, disk)] == models(url)
