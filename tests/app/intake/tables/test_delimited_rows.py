"""Rows of delimited text: read by Arrow where they are even, and written again first where they are not."""

import csv
import io

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadInput
from app.intake.reader import ReadOptions, read_csv
from app.intake.tables.delimited import CODED
from app.intake.tables.delimited_rows import DelimitedRows
from app.intake.tables.text import CHUNK, Text
from tests.app.intake.uploads import made, upload

DAYS = made("2024-01-01", 6, "D")


def rows_of(text: str, width: int = 2, encoding: str = "utf-8") -> DelimitedRows:
    return DelimitedRows(Text(io.BytesIO(text.encode(encoding)), 0, encoding), ",", width, 1)


def texts(rows: DelimitedRows, width: int = 2) -> list[list[str]]:
    """The rows as whole columns have them."""
    table = rows.columns({f"c{i}": CODED for i in range(width)})
    return [list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a,1\nb,2\n", [["a", "1"], ["b", "2"]]),
        ("a,1\nb,2", [["a", "1"], ["b", "2"]]),
        ("a,1\r\n\r\nb,2\r\n", [["a", "1"], ["", ""], ["b", "2"]]),
        ("a,1\rb,2\r", [["a", "1"], ["b", "2"]]),
        ('"a\nb",1\n"x""y",2\n', [["a\nb", "1"], ['x"y', "2"]]),
        ('5" pipe,1\n', [['5" pipe', "1"]]),
        ("a\nb,2\n", [["a", ""], ["b", "2"]]),
        ("a,1,\nb,2,,\n", [["a", "1"], ["b", "2"]]),
        ('a, "1,5"\n "b", "2"\n', [["a", "1,5"], ["b", "2"]]),
        ('a\n"b\rc",2\n', [["a", ""], ["b\rc", "2"]]),
    ],
)
def test_rows_are_as_spreadsheets_read_them(text: str, cells: list[list[str]]) -> None:
    assert texts(rows_of(text)) == cells
    assert rows_of(text).first(None) == cells


def test_a_text_longer_than_what_is_in_memory_at_a_time_is_whole() -> None:
    count = 3 * CHUNK // 20
    lines = "".join(f"名 {i % 7},{i}.25\n" for i in range(count))
    table = rows_of(lines, encoding="gb18030").columns({"c0": CODED, "c1": pa.float64()})
    np.testing.assert_array_equal(table["c1"], np.arange(count) + 0.25)
    assert table["c0"].combine_chunks().value_counts().to_pylist()[0]["values"] == "名 0"


def test_a_quote_that_is_not_closed_is_refused() -> None:
    with pytest.raises(BadInput, match="a quote is opened and not closed"):
        texts(rows_of('a,1\n"b,2\nc,3\n'))


def test_rows_with_too_many_cells_are_all_named() -> None:
    with pytest.raises(BadInput, match="Row 2 has more cells than the header") as caught:
        texts(rows_of("a,1\nb,2,3\nc,4\nd,5,6,7\n"))
    assert [error.pointer for error in caught.value.errors] == ["#row=2", "#row=4"]


def test_a_cell_that_is_no_number_is_an_error_of_its_value() -> None:
    with pytest.raises(ValueError, match="many"):
        rows_of("a,1\nb,many\n").columns({"c1": pa.float64()})


def test_a_short_row_below_the_table_leaves_the_values_as_they_are() -> None:
    found = upload("ds,y,z", *(f"{day},{i},1" for i, day in enumerate(DAYS)), "Source: the shop")
    assert found.frame.y.tolist() == [0, 1, 2, 3, 4, 5]
    assert "Source: the shop" in found.profile.repairs[0].detail


def test_a_file_is_read_where_it_lies() -> None:
    class Spied(io.BytesIO):
        longest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            self.longest = max(self.longest, len(found))
            return found

    lines = "".join(f"s{i % 400},{2000 + i // 400},{i}.5\n" for i in range(200_000))
    file = Spied(f"unique_id,ds,y\n{lines}".encode())
    assert len(read_csv(file, ReadOptions()).frame.y) == 200_000
    assert file.longest <= CHUNK


cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\x1e\ufeff"), max_size=4
) | st.sampled_from(['"', '""', " ", ' "a"', "\n", "\r\n", ",", "1.5", "é"])


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=6))
def test_what_a_program_writes_is_read_again(rows: list[list[str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    found = texts(rows_of(file.getvalue()))
    assert [[cell.lstrip(" ") for cell in row] for row in found] == [
        [cell.lstrip(" ") for cell in row] for row in rows
    ]
