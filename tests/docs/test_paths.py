"""Files and folders that the documentation names exist."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, name

NAMED = re.compile(r"`((?:app|models|tests|benchmarks|migrations|examples)/[\w/.{},-]*)`")


def paths_in(text: str) -> Iterator[str]:
    """Yield the paths in a text; `app/{queue,blobs}.py` is two."""
    for named in NAMED.findall(text):
        pieces = [piece.strip("{}").split(",") for piece in re.split(r"(\{[^}]*\})", named)]
        yield from map("".join, product(*pieces))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_paths_that_a_page_names_exist(page: Path) -> None:
    assert [path for path in paths_in(page.read_text(encoding="utf-8")) if not (ROOT / path).exists()] == []
