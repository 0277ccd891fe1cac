"""Lines of JSON, some at a time: by Arrow where it reads them as `json` does, and by hand where not."""

import io
import json
from typing import Any

import pytest

from app.intake.files import json_lines
from app.intake.files.json_cells import unified
from app.intake.files.refusals import Bounds, Refused

BOUNDS = Bounds(columns=100, size=2**20)


@pytest.fixture(params=[json_lines.BLOCK, 128])
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A reader of lines that takes all of them at once, or hardly two."""
    monkeypatch.setattr(json_lines, "BLOCK", request.param)

    def rows(*lines: Any) -> list[dict[str, Any]]:
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        tables = json_lines.tables_of_lines(io.BytesIO(text.encode()), BOUNDS)
        found: list[dict[str, Any]] = unified(list(tables)).to_pylist()
        return found

    return rows


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-01", "2024-01-02", "2024-01-03"],
        ["2024-01-01T00:00:00+01:00", "2024-07-01T00:00:00+02:00", "10:00"],
        ["text", "2024-01-01", None],
        [0.1 + 0.2, 1e-300, 5e-324, 1.7976931348623157e308],
        [2**53 + 1, -(2**63), None],
        [True, False, None],
    ],
)
def test_cells_are_as_they_are_written(read: Any, cells: list[Any]) -> None:
    assert [row["y"] for row in read(*({"y": cell} for cell in cells))] == cells


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        ([1, "n/a", 2.5], ["1", "n/a", "2.5"]),
        ([2**53 + 1, 0.5, 1], ["9007199254740993", "0.5", "1"]),
        ([2**64, 1, 2], ["18446744073709551616", "1", "2"]),
        ([True, 1, "x"], ["true", "1", "x"]),
    ],
)
def test_cells_of_several_kinds_are_texts_and_lose_no_digit(
    read: Any, cells: list[Any], texts: list[str]
) -> None:
    assert [row["y"] for row in read(*({"y": cell} for cell in cells))] == texts


def test_objects_inside_are_columns_and_lists_hold_nothing(read: Any) -> None:
    row = {"shop": {"id": 1, "name": "north", "in": {"x": 1}}, "at": {"$date": "2024-01-01T00:00:00Z"}}
    assert read(row, {**row, "tags": ["a"]}, row)[1] == {
        "shop.id": 1,
        "shop.name": "north",
        "shop.in": None,
        "at": "2024-01-01T00:00:00Z",
        "tags": None,
    }


def test_fields_come_late_and_in_any_order(read: Any) -> None:
    rows = read(
        {"ds": "2024-01-01", "y": 1}, {"y": 2.5, "ds": "2024-01-02"}, {"price": 3, "ds": "2024-01-03"}
    )
    assert list(rows[0]) == ["ds", "y", "price"]
    assert [row["y"] for row in rows] == [1, 2.5, None]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"y": 1} {"y": 2}', "Line 3 is not JSON: Extra data"),
        ('{"y": ', "Line 3 is not JSON: Expecting value"),
        ("[1, 2]", "Line 3 holds no object"),
    ],
)
def test_a_line_that_is_no_object_is_named(read: Any, line: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read({"y": 1}, {"y": 2}, line, {"y": 3})


def test_blank_lines_are_passed_over(read: Any) -> None:
    assert [row["y"] for row in read({"y": 1}, "", "  ", {"y": 2})] == [1, 2]


def test_a_line_that_no_row_is_as_long_as_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "BLOCK", 1_000)
    text = b'{"y": 1}\n{"y": "' + b"x" * 3_000 + b'"}\n'
    with pytest.raises(Refused, match="A line is longer than 1,000 bytes"):
        list(json_lines.tables_of_lines(io.BytesIO(text), BOUNDS))
