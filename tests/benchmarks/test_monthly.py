"""Addresses that no cache has an answer for, and calls for series the service never saw."""

import json
from pathlib import Path

import pandas as pd

from benchmarks.monthly import Monthly, Walk


def test_no_address_of_a_walk_repeats() -> None:
    walk = Walk("ds", ["a", "b/c"], horizon=3)
    paths = {walk.path(number) for number in range(len(walk))}
    assert len(paths) == len(walk) == 2 * 45 * 3


def test_names_are_percent_encoded() -> None:
    assert "&unique_id=b%2Fc%20%26d&" in Walk("ds", ["b/c &d"]).path(0)


def test_walk_goes_on_where_it_was(tmp_path: Path) -> None:
    walk, file = Walk("ds", ["a", "b"]), tmp_path / "paths"
    walk.position = 3
    assert walk.write(file, 2) == 2
    assert file.read_text().splitlines() == [walk.path(3), walk.path(4)]


def test_walk_that_ends_writes_what_there_is(tmp_path: Path) -> None:
    walk = Walk("ds", ["a"], horizon=1)
    walk.position = len(walk) - 1
    assert walk.write(tmp_path / "paths", 100) == 1


def test_ad_hoc_series_have_names_of_their_own() -> None:
    rows = pd.DataFrame({"unique_id": ["a", "b"], "ds": ["1980-01-01", "1980-01-01"], "y": [1.0, 2.0]})
    body = json.loads(Monthly(rows).ad_hoc_body("ds", 1))
    assert body["observations"] == [{"unique_id": "ad hoc a", "ds": "1980-01-01", "y": 1.0}]
