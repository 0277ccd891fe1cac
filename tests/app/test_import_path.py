"""The service runs its own packages, wherever it is started."""

import subprocess
import sys
from pathlib import Path

import pytest

from app import import_path
from app.errors import CannotStart
from app.settings import PREFIX


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that is set here is taken back afterwards."""
    monkeypatch.setenv(import_path.SAFE_PATH, "")


def test_own_packages_are_found() -> None:
    import_path.check()


@pytest.mark.parametrize("planted", ["models.py", "models/__init__.py", "app/__init__.py"])
def test_foreign_package_on_the_path_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, planted: str
) -> None:
    (tmp_path / planted).parent.mkdir(exist_ok=True)
    (tmp_path / planted).write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CannotStart, match=rf"{planted.partition('/')[0].removesuffix('.py')}.*PYTHONPATH"):
        import_path.check()


def test_child_processes_do_not_import_from_the_working_folder(tmp_path: Path) -> None:
    import_path.check()
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    done = subprocess.run([sys.executable, "-c", "import json"], cwd=tmp_path, check=False)
    assert done.returncode == 0


def start(*command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_module_run_by_its_name_imports_nothing_else_of_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text("raise SystemExit(3)")
    (tmp_path / "pydantic.py").write_text("raise SystemExit(3)")
    done = start(sys.executable, "-m", "app", "--version", folder=tmp_path)
    assert (done.returncode, done.stdout.split()[0]) == (0, "gatecast")


def test_start_is_refused_in_a_sentence_where_a_foreign_package_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "models.py").write_text("raise SystemExit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(f"{PREFIX}PORT", "1")
    done = start(sys.executable, "-m", "app", "api", folder=import_path.ROOT)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"`models` in {tmp_path}" in done.stderr
