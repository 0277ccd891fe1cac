"""Tables in memory: what a sheet or a file with typed columns enters the search for roles by."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from app.intake.options import ReadOptions
from app.intake.reader import gather_table
from app.intake.table_rows import open_rows
from app.intake.tables.table import Origin
from app.intake.tables.typed import Cell, table_of_columns, table_of_lines

SHEET = Origin("xlsx")


def test_a_sheet_is_read_from_the_header_it_has() -> None:
    lines: list[list[Cell]] = [
        [None, None],
        ["date", "sales"],
        [datetime(2024, 1, 31), 1.5],  # noqa: DTZ001 - as a sheet has it
        [datetime(2024, 2, 29), 2],  # noqa: DTZ001
        [datetime(2024, 3, 31), None],  # noqa: DTZ001
    ]
    table = table_of_lines(lines, SHEET)
    assert (table.names, table.first_row) == (("date", "sales"), 3)
    assert table.texts(["date"])["date"].tolist() == ["2024-01-31", "2024-02-29", "2024-03-31"]
    frame = gather_table(open_rows(table, ReadOptions())).frame
    assert frame.axis.frequency == "ME"
    assert frame.y.tolist() == [1.5, 2]


def test_cells_of_several_kinds_in_one_column_are_texts() -> None:
    table = table_of_lines([["t", "y"], ["a", 7.0], [3.0, "n/a"]], SHEET)
    assert table.texts(["t", "y"]).to_numpy().tolist() == [["a", "7"], ["3", "n/a"]]


def test_numbers_among_words_for_none_are_numbers() -> None:
    table = table_of_lines([["t", "y"], ["a", 7.25], ["b", "n/a"]], SHEET)
    numbers = table.read({"y": "float64"}, missing=("n/a",))["y"]
    assert numbers.tolist() == pytest.approx([7.25, np.nan], nan_ok=True)


def test_a_text_among_numbers_is_no_plain_number() -> None:
    table = table_of_lines([["t", "y"], ["a", 7.25], ["b", "many"]], SHEET)
    with pytest.raises(ValueError, match="many"):
        table.read({"y": "float64"})


def test_typed_columns_keep_their_digits_and_zones() -> None:
    frame = pd.DataFrame(
        {
            "ds": pd.to_datetime([datetime(2024, 1, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 2, tzinfo=UTC)]),
            "n": pd.array([2**53 + 1, None], dtype="Int64"),
            "y": [0.1 + 0.2, 1e300],
        }
    )
    table = table_of_columns(frame, Origin("parquet"))
    shown = table.texts(table.names)
    assert shown["ds"].tolist() == ["2024-01-01T01:00:00+00:00", "2024-01-01T02:00:00+00:00"]
    assert shown["n"].tolist() == ["9007199254740993", ""]
    assert table.read({"y": "float64"})["y"].tolist() == [0.1 + 0.2, 1e300]
