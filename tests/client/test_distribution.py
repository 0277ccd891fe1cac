"""The client's wheel, in an environment of its own; `make` and the image install it with the service."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINNED = ("--find-links", str(ROOT / "wheels"), "--constraint", str(ROOT / "constraints.txt"))
PROGRAM = """
from gatecast_client import AsyncClient, Client

with Client("http://127.0.0.1:1") as client:
    names: list[str] = [each.name for each in client.datasets()]
    wrong: int = client.dataset("ds_1").name


async def first(caller: AsyncClient) -> str:
    return (await caller.upload(b"", season_length=[7, 365], duplicates="sum")).id
"""


def run(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the client's wheel and what it needs."""
    folder = tmp_path_factory.mktemp("alone")
    built = run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder / "wheel", ROOT / "client")
    assert built.returncode == 0, built.stderr
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = (folder / "wheel").glob("gatecast_client-*.whl")
    installed = run(sys.executable, "-m", "pip", "--python", python, "install", *PINNED, wheel)
    assert installed.returncode == 0, installed.stderr
    return python


@pytest.mark.long
def test_wheel_brings_a_client_and_little_else(environment: Path) -> None:
    packages = run(sys.executable, "-m", "pip", "--python", environment, "list", "--format", "freeze").stdout
    names = {line.split("==")[0] for line in packages.split()}
    assert {"gatecast-client", "httpx2", "pydantic"} <= names
    assert names.isdisjoint({"torch", "numpy", "pandas", "fastapi"})
    found = run(environment, "-c", "import gatecast_client as client; print(client.__version__)")
    assert (found.stdout.strip(), found.stderr) == ("0.1.0", "")


@pytest.mark.long
def test_type_checker_knows_the_calls_of_the_wheel(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    checked = run(
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--python-executable",
        environment,
        tmp_path / "program.py",
    )
    assert "Found 1 error" in checked.stdout
    assert 'has type "str", variable has type "int"' in checked.stdout


def test_image_has_what_the_install_of_the_client_reads() -> None:
    named = [
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("COPY client")
    ]
    copied = {word for line in named for word in line.split()[1:-1]}
    assert all((ROOT / path).exists() for path in copied)
    assert {
        "client/pyproject.toml",
        "client/LICENSE",
        "client/src/gatecast_client/_version.py",
        "client",
    } <= copied
