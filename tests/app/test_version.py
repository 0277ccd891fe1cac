"""The hash of a release."""

from pathlib import Path

import pytest

from app import version


def digest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(version, "CODE", (folder,))
    return version.release.__wrapped__()


def test_release_is_another_once_its_code_or_a_library_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inner").mkdir()
    file = tmp_path / "inner" / "calibration.py"
    file.write_text("FACTOR = 1")
    first = digest(tmp_path, monkeypatch)
    assert digest(tmp_path, monkeypatch) == first
    file.write_text("FACTOR = 2")
    second = digest(tmp_path, monkeypatch)
    monkeypatch.setitem(version.VERSIONS, "torch", "99")
    assert len({first, second, digest(tmp_path, monkeypatch)}) == 3


def test_release_is_made_of_all_our_code() -> None:
    assert all((folder / "__init__.py").is_file() for folder in version.CODE)
