"""The layout of the source: no folder holds more files than one look takes in."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAX_FILES = 15
FOLDERS = sorted(
    {file.parent for package in ("app", "models", "client/src") for file in (ROOT / package).rglob("*.py")}
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_folder_holds_at_most_15_files(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= MAX_FILES
