"""Clients generated from the service's OpenAPI compile and reach it, in TypeScript and in Python."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.processes import Service, running_service

pytestmark = pytest.mark.long
WALKS = Path(__file__).with_name("generated_clients")
GENERATOR = "openapi-python-client==0.29.1"


@pytest.fixture(scope="module")
def service(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    copy = shutil.copy(sqlite_template, folder / "clients.db")
    with running_service(f"sqlite:///{copy}", folder) as service:
        yield service


@pytest.fixture
def folder(service: Service, tmp_path: Path) -> Path:
    """A folder with the walks and the service's OpenAPI."""
    shutil.copytree(WALKS, tmp_path, dirs_exist_ok=True)
    described = httpx2.get(f"{service.url}/openapi.json").json()
    (tmp_path / "openapi.json").write_text(json.dumps(described))
    return tmp_path


def test_typescript_client_compiles_strictly_and_walks_from_upload_to_errors(
    service: Service, folder: Path
) -> None:
    if shutil.which("npm") is None:
        pytest.skip("no npm here (Debian: apt-get install nodejs npm)")
    call(folder, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
    made = ["--output", "api.d.ts", "--default-non-nullable", "false"]
    call(folder, "node_modules/.bin/openapi-typescript", "openapi.json", *made)
    call(folder, "node_modules/.bin/tsc", "--project", "tsconfig.json")
    call(folder, "node", "walk.js", service.url)


def test_python_client_is_made_without_a_warning_and_walks_from_upload_to_errors(
    service: Service, folder: Path
) -> None:
    call(folder, sys.executable, "-m", "venv", "venv")
    call(folder, "venv/bin/python", "-m", "pip", "install", "--quiet", GENERATOR)
    made = ["--path", "openapi.json", "--output-path", "generated", "--meta", "none", "--fail-on-warning"]
    call(folder, "venv/bin/openapi-python-client", "generate", *made)
    call(folder, "venv/bin/python", "walk.py", service.url)


def call(folder: Path, *command: str) -> None:
    """Run a command in a folder, with its tools on the path; what it prints shows why it failed."""
    path = os.pathsep.join([str(folder / "venv/bin"), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
