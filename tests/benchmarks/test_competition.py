from pathlib import Path

import pandas as pd
import pytest

from benchmarks.competition import Part, read_parts


def rows(name: str, frequency: str, history: list[float], target: list[float]) -> pd.DataFrame:
    values = history + target
    return pd.DataFrame(
        {
            "unique_id": name,
            "frequency": frequency,
            "season_length": 4,
            "horizon": len(target),
            "t": range(len(values)),
            "y": values,
            "split": ["train"] * len(history) + ["test"] * len(target),
        }
    )


@pytest.fixture
def parts(tmp_path: Path) -> list[Part]:
    file = tmp_path / "Small.parquet"
    tables = [
        rows("b", "other", [1.0, 2.0], [3.0]),
        rows("d", "quarterly", [7.0, 8.0], [9.0, 10.0]),
        rows("c", "quarterly", [4.0, 5.0, 6.0], [11.0, 12.0]),
    ]
    pd.concat(tables).iloc[::-1].to_parquet(file)
    return read_parts(file)


def test_largest_frequency_comes_first(parts: list[Part]) -> None:
    assert [part.frequency for part in parts] == ["quarterly", "other"]


def test_targets_are_no_part_of_the_history(parts: list[Part]) -> None:
    assert parts[0].history.last(3).tolist()[0] == [4, 5, 6]
    assert parts[0].history.lengths.tolist() == [3, 2]
    assert parts[0].target.tolist() == [[11, 12], [9, 10]]


def test_horizon_and_season_come_from_the_file(parts: list[Part]) -> None:
    assert (parts[0].collection, parts[0].horizon, parts[0].season_length) == ("Small", 2, 4)
