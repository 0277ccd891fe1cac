"""Reading costs as much as there is to read: four times the columns or rows, four times the work.

Work is counted in calls, so that no clock decides.
"""

import contextlib
import cProfile
import pstats
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.errors import BadInput
from app.intake.reader import ReadOptions, read_csv

Maker = Callable[[int], str]


def work(text: str, **columns: str) -> int:
    """Return the number of calls that it takes to read a file, or to refuse it."""
    data, profile = text.encode(), cProfile.Profile()
    with contextlib.suppress(BadInput), profile:
        read_csv(data, replace(ReadOptions(), **columns))  # type: ignore[arg-type]  # names of columns
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def wide(name: str, *rows: str) -> Maker:
    """A file of days with very many columns, all named and filled alike."""

    def make(count: int) -> str:
        header = ["date", *(name.format(i) for i in range(count))]
        lines = [[f"2024-01-{i % 5 + 1:02}", *([row] * count)] for i, row in enumerate(rows)]
        return "\n".join(",".join(line) for line in [header, *lines])

    return make


def long(header: str, row: str) -> Maker:
    """A file with very many rows; `{i}` is the number of one, `{half}` half of it."""

    def make(count: int) -> str:
        return "\n".join([header, *(row.format(i=i, half=i // 2) for i in range(count))])

    return make


@pytest.mark.parametrize(
    "make",
    [
        wide("reading {}", "1", "2", "3"),
        wide("remark {}", "a", "b", "a", "b", "a", "b", "c"),
        wide("2024-{}", "1", "2", "3"),
        wide("day {}", "01/02/2024", "02/02/2024"),
        wide("{}", "1", "2"),
        wide("reading {}"),
    ],
    ids=["numbers", "texts that repeat", "header of dates", "dates", "header of numbers", "no rows"],
)
def test_four_times_the_columns_are_four_times_the_work(make: Maker) -> None:
    few, many = work(make(40)), work(make(160))
    assert many < 5 * few


@pytest.mark.parametrize(
    "make",
    [
        long("ds,y", "{i},{i}.5"),
        long("ds,y", "{half},1"),
        long("unique_id,ds,y", "name {half},{i},1"),
        long("unique_id,ds,y", "name {i},1,1"),
        long("date,what,y", "{i},text {i},1"),
        long("ds,y", "{i},text {i}"),
        long("ds;y", "{i};1.{i},5"),
    ],
    ids=["numbers", "duplicates", "names", "short series", "texts", "wrong values", "thousands"],
)
def test_four_times_the_rows_are_four_times_the_work(make: Maker) -> None:
    few, many = work(make(500)), work(make(2_000))
    assert many < 5 * few


@pytest.mark.parametrize("cell", ["1", "a", "01/02/2024"])
def test_a_column_more_costs_next_to_nothing(cell: str) -> None:
    make = wide("column {}", cell, cell)
    few, many = work(make(100)), work(make(300))
    assert (many - few) / 200 < 1_000


@pytest.mark.parametrize("inside", [" " * 100_000, "T 12:00" * 20_000, ":00." + "9" * 100_000])
def test_cell_of_great_length_is_no_time(inside: str) -> None:
    with pytest.raises(BadInput, match="cannot be read as ISO8601") as caught:
        read_csv(f"ds,y\n2024-01-01,1\n2024-01-02,2\nx{inside}x,3\n".encode(), ReadOptions())
    assert [error.pointer for error in caught.value.errors] == ["#row=4"]


def test_column_of_cells_of_great_length_holds_no_times() -> None:
    rows = "\n".join(f"x{' ' * 100_000}{i},1" for i in range(3))
    with pytest.raises(BadInput, match="No column holds times"):
        read_csv(f"ds,y\n{rows}\n".encode(), ReadOptions())
