"""The walk through the code names files that exist, and keeps within its bounds."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
BOUNDS = {"A cached GET": 6, "A GET that is not in memory": 22, "An upload": 20, "A training": 32}


def test_drawing_has_every_room_and_no_other() -> None:
    drawn = set(re.findall(r"[\w.]+(?:/|\.py)(?= |$)", TEXT.split("```")[1], flags=re.MULTILINE))
    paths = [path for package in ("app", "models") for path in (ROOT / package).rglob("[a-z]*")]
    rooms = {f"{path.name}/" for path in paths if path.is_dir()} | {"app/", "models/"}
    files = {path.name for path in paths if path.suffix == ".py"}
    assert drawn <= rooms | files
    assert {f"{path.name}/" for path in paths if path.is_dir() and path.parent.parent == ROOT} <= drawn


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`((?:app|models)/[\w/]+(?:\.py|/))`", TEXT))))
def test_named_file_exists(named: str) -> None:
    assert (ROOT / named).exists()


@pytest.mark.parametrize(("path", "bound"), BOUNDS.items())
def test_path_stays_within_its_bound(path: str, bound: int) -> None:
    section = TEXT.split(f"## {path}\n")[1].split("\n## ")[0]
    files = re.findall(r"^\d+\. `([\w/]+\.py)`", section, flags=re.MULTILINE)
    assert len(files) == len(set(files)) <= bound
