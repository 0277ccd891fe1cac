"""Rows of a JSON body are read as those of a file, with pointers into the body."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from app.errors import BadInput
from app.intake.frame import Intake
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


def beside(*cells: dict[str, Any], **said: Any) -> Intake:
    """Read rows of one series whose other keys are these, one row for each."""
    observations = [ObservationIn(ds=1990 + i, y=i * i % 7, **each) for i, each in enumerate(cells)]
    return read_rows(observations, ReadOptions(**said))


@pytest.mark.parametrize(
    ("cells", "kind", "read"),
    [
        ([1, 2.5, None, 4], "number", [1, 2.5, None, 4]),
        ([True, False, True, True], "number", [1, 0, 1, 1]),
        (["yes", None, "no", "yes"], "category", ["yes", None, "no", "yes"]),
        (["1", "2", "1", "1"], "category", ["1", "2", "1", "1"]),
    ],
)
def test_other_keys_are_columns_beside_the_target(cells: list[Any], kind: str, read: list[Any]) -> None:
    intake = beside(*({"promo": cell} for cell in cells))
    found = [(each.name, each.role, each.kind) for each in intake.profile.covariates]
    assert found == [("promo", "past", kind)]
    assert intake.frame.covariates is not None
    stored = intake.frame.covariates.steps["promo"]
    assert [None if pd.isna(cell) else cell for cell in stored] == read
    assert [(each.name, each.role) for each in intake.profile.detected.columns] == [("promo", "past")]


def test_key_that_some_rows_lack_is_empty_there() -> None:
    intake = beside({}, {"price": 2.0}, {"price": 3.0}, {})
    (found,) = intake.profile.covariates
    assert (found.model_dump()["values"], found.missing) == (2, 2)


def test_rows_without_a_value_after_the_end_say_what_is_known_ahead() -> None:
    observations = [ObservationIn(ds=i, y=i % 3 if i < 6 else None, price=i % 4) for i in range(9)]
    intake = read_rows(observations, ReadOptions())
    assert intake.frame.ahead.tolist() == [3]
    assert [(each.role, each.ahead) for each in intake.profile.covariates] == [("future", 3)]


def test_roles_of_keys_are_as_they_are_said() -> None:
    cells = [{"price": i % 2, "code": i % 3, "note": i % 4} for i in range(8)]
    intake = beside(*cells, future_columns="price", category_columns="code", unused_columns="note")
    assert [(each.name, each.role, each.kind) for each in intake.profile.covariates] == [
        ("price", "future", "number"),
        ("code", "past", "category"),
    ]
    assert "Not used: 'note' (unused_columns names it)." in intake.profile.detected.notes


def test_texts_among_numbers_are_pointed_at() -> None:
    with pytest.raises(BadInput, match="texts where numbers should be") as caught:
        beside({"price": 1}, {"price": "high"}, {"price": 2})
    assert [error.pointer for error in caught.value.errors] == ["#/observations/1/price"]


def test_text_that_no_database_holds_is_pointed_at() -> None:
    with pytest.raises(BadInput, match="U\\+0000") as caught:
        beside({"promo": "a"}, {"promo": "a\0b"})
    assert [error.pointer for error in caught.value.errors] == ["#/observations/1/promo"]


def test_column_that_no_row_has_is_refused() -> None:
    with pytest.raises(BadInput, match="There is no column 'prize'"):
        beside({"price": 1}, {"price": 2}, future_columns="prize")


def test_more_columns_than_rows_may_have_are_refused() -> None:
    with pytest.raises(BadInput, match="at most 100 columns"):
        beside({f"x{i}": i for i in range(101)}, {})


@pytest.mark.parametrize("key", ["uniqueid", "Unique ID", "unique", "DS", "yy", "Y"])
def test_key_that_looks_like_a_misspelt_field_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match=r"Did you mean (unique_id|ds|y)\?"):
        ObservationIn.model_validate({"ds": 1, "y": 1.0, key: 1.0})


@pytest.mark.parametrize("key", ["user_id", "site", "x", "price", "day", "unit_id"])
def test_other_key_is_none(key: str) -> None:
    assert ObservationIn.model_validate({"ds": 1, "y": 1.0, key: 1.0}).model_extra == {key: 1.0}
