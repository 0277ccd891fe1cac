"""What the pages tell their readers to type, call and set exists; the calls are made as they are written."""

import importlib.util
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from app.cli import app as cli
from app.main import create_app
from app.settings import PREFIX, Settings
from gatecast_client import Client
from tests.docs.pages import GUIDES, ROOT, commands, name, shell_blocks
from tests.processes import running_service

COMMANDS = typer.main.get_command(cli).commands  # type: ignore[attr-defined]  # a group, since there are many
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
PATHS = {
    re.sub(r"{\w+}", "{}", path): item for path, item in create_app(Settings()).openapi()["paths"].items()
}
UNDOCUMENTED = {"/metrics", "/docs", "/redoc"}
CURL = 'curl() { command curl --fail-with-body "$@"; }\n'  # an error ends the page


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_typed_commands_are_there(page: Path) -> None:
    assert [line for line in commands(page.read_text()) if not _is_there(line)] == []


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_named_calls_are_there(page: Path) -> None:
    named = re.findall(r"\b(GET|POST|PATCH|DELETE) (/[\w{}/]*)", page.read_text())
    wanted = {(method.lower(), re.sub(r"{\w+}", "{}", path)) for method, path in named}
    assert {
        (method, path)
        for method, path in wanted
        if path not in UNDOCUMENTED and method not in PATHS.get(path, {})
    } == set()


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_named_settings_are_there(page: Path) -> None:
    named = set(re.findall(rf"`{PREFIX}([A-Z0-9_]+)(?:=[^`]*)?`", page.read_text())) - {"PORT_8000_TCP"}
    assert {setting.lower() for setting in named} <= set(Settings.model_fields)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A service, and what the pages go on from: its address, a dataset, a finished job, two models."""
    folder = tmp_path_factory.mktemp("pages")
    with (
        running_service(f"sqlite:///{folder / 'pages.db'}", folder) as running,
        Client(running.url) as client,
    ):
        dataset = client.upload((ROOT / "examples" / "population.csv").read_bytes(), "population")
        job = client.wait(client.train(dataset.id, 5, "quick").id)
        other = client.wait(client.train(dataset.id, 5, "quick", promote="never", seed=1).id)
        known = {"DATASET": dataset.id, "JOB": job.id, "MODEL": str(job.model_id)}
        yield {"URL": running.url, "OTHER": str(other.model_id), **known}


@pytest.mark.long
@pytest.mark.parametrize("page", [page for page in GUIDES if "\ncurl" in page.read_text()], ids=name)
def test_calls_are_answered_as_they_are_written(page: Path, service: dict[str, str], tmp_path: Path) -> None:
    blocks = [block for block in shell_blocks(page.read_text()) if "curl " in block]
    script = CURL + "\n".join(blocks).replace("http://127.0.0.1:8000", service["URL"])
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, **service},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def _is_there(line: str) -> bool:
    words = _words(line)
    match words:
        case ["gatecast", "--version"]:
            return True
        case ["gatecast", command, *rest] if command.islower():
            options = {option for parameter in COMMANDS[command].params for option in parameter.opts}
            return {word for word in rest if word.startswith("--")} <= {*options, "--help"}
        case ["make", target, *_]:
            return target in TARGETS or "=" in target
        case ["python", "-m", module, *_]:
            return importlib.util.find_spec(module) is not None
        case ["python", script, *_]:
            return (ROOT / script).exists()
    return True


def _words(line: str) -> list[str]:
    """Return a command's words without the variables before it; none where it is no command but code."""
    try:
        words = shlex.split(line)
    except ValueError:
        return []
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    return words
