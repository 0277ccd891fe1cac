"""Requests generated from OpenAPI are answered as it says."""

import os
import subprocess
import sys
from pathlib import Path
from string import Template

import pytest

from app.db.engine import Database
from tests.factories import dataset, queued_job, scheduled, trained
from tests.processes import running_api

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("brief_trainings")]
SECONDS = os.environ.get("FUZZ_SECONDS", "50")  # for each kind of database
CONFIG = Path("schemathesis.toml")
PROGRAM = str(Path(sys.executable).with_name("schemathesis"))
BOUNDS = ["--max-time", SECONDS, "--no-color"]


def found(database: Database) -> dict[str, str]:
    """Fill a database, and return what the configuration of the calls knows of it."""
    dataset_id = dataset(database).id
    return {
        "FUZZ_DATASET": dataset_id,
        "FUZZ_MODEL": trained(database, dataset_id),
        "FUZZ_JOB": queued_job(database, dataset_id).job_id,
        "FUZZ_SCHEDULE": scheduled(database, dataset_id),
    }


def test_requests_generated_from_openapi_meet_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    config = tmp_path / CONFIG.name
    config.write_text(Template(CONFIG.read_text()).substitute(found(database)))
    with running_api(database_url, tmp_path, max_trainings=1_000_000) as service:
        call = [PROGRAM, "--config-file", str(config), "run", f"{service.url}/openapi.json", *BOUNDS]
        started = len(service.log.read_text())
        made = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Traceback" not in service.log.read_text()[started:]
