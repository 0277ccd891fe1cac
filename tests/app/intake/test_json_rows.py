"""Rows of a JSON body are read as those of a file, with pointers into the body."""

import numpy as np
import pytest

from app.errors import BadInput
from app.intake.reader import ReadOptions, read_rows
from app.schemas.datasets import ObservationIn

Row = tuple[str | int, str | int, float | None]


def rows(*cells: Row) -> list[ObservationIn]:
    return [ObservationIn(unique_id=name, ds=ds, y=y) for name, ds, y in cells]


def test_rows_become_series() -> None:
    observations = rows((7, "2024-01-01", 1), (7, "2024-01-02", None), (7, "2024-01-03", 3))
    intake = read_rows(observations, ReadOptions(frequency="D"))
    assert intake.frame.unique_ids == ("7",)
    np.testing.assert_array_equal(intake.frame.y, [1, np.nan, 3])
    assert intake.profile.detected.format == "json"


def test_series_without_a_name_has_one() -> None:
    observations = [ObservationIn(ds=year, y=year) for year in (1960, 1961)]
    intake = read_rows(observations, ReadOptions())
    assert intake.frame.unique_ids == ("series",)
    assert intake.profile.frequency == "YS"


@pytest.mark.parametrize(("ds", "y", "pointer"), [("soon", 1.0, "ds"), ("2024-01-03", float("inf"), "y")])
def test_wrong_cell_is_pointed_at(ds: str, y: float, pointer: str) -> None:
    observations = rows(("a", "2024-01-01", 1), ("a", "2024-01-02", 2), ("a", ds, y))
    with pytest.raises(BadInput, match="observation 2") as caught:
        read_rows(observations, ReadOptions())
    assert [error.pointer for error in caught.value.errors] == [f"#/observations/2/{pointer}"]


def test_repair_tells_the_index_of_the_observation() -> None:
    intake = read_rows(
        rows(("a", 1, 1), ("a", 2, 2), ("a", 1, 3), ("a", "", 4)), ReadOptions(duplicates="last")
    )
    assert [(repair.kind, repair.row) for repair in intake.profile.repairs] == [
        ("refused", 3),
        ("duplicate", 0),
    ]


def test_no_rows_are_refused() -> None:
    with pytest.raises(BadInput, match="no observations"):
        read_rows([], ReadOptions())
