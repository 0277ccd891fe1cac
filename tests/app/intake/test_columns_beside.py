"""Columns beside the target: what each becomes, where its cells go, and why others are left."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.errors import BadInput
from app.intake.covariates import Covariates
from app.intake.frame import Intake
from app.intake.preview import preview_csv
from app.intake.problems import Unsettled
from app.intake.reader import ReadOptions
from tests.app.intake.uploads import upload
from tests.factories import EACH

Cell = Callable[[int], object]
NAN = float("nan")
SHOPS = ("north", "south", "west")
TEXTS = ("sun", "rain", "snow")


def day(i: int) -> str:
    return str(date(2024, 1, 1) + timedelta(days=i))


def table(column: Cell, steps: int = 30, ahead: int = 0) -> list[str]:
    """A table of one series and one column beside it, whose rows go on after the last value."""
    rows = (f"{day(i)},{'' if i >= steps else 100 + i * i % 17},{column(i)}" for i in range(steps + ahead))
    return ["date,sales,beside", *rows]


def shops(column: Callable[[int, int], object], steps: int = 20, ahead: int = 0) -> list[str]:
    """The same of three series; the column is a function of the shop's number and the step."""
    rows = (
        f"{shop},{day(i)},{'' if i >= steps else 100 + i * (s + 3) % 17},{column(s, i)}"
        for s, shop in enumerate(SHOPS)
        for i in range(steps + ahead)
    )
    return ["shop,date,sales,beside", *rows]


def columns(intake: Intake) -> Covariates:
    assert intake.frame.covariates is not None
    return intake.frame.covariates


def role_of(intake: Intake, name: str = "beside") -> tuple[str, str]:
    """Return the role of a column and why, as the profile shows it."""
    return next((each.role, each.reason) for each in intake.profile.detected.columns if each.name == name)


def read(lines: Sequence[str], **said: Any) -> Intake:
    return upload(*lines, target_column="sales", **said)


def test_numbers_whose_difference_is_infinite_are_numbers() -> None:
    intake = read(table(lambda i: 1e308 * (-1) ** i))
    assert role_of(intake) == ("past", "stands beside the target")
    assert columns(intake).steps["beside"][:2].tolist() == [1e308, -1e308]


@pytest.mark.parametrize(
    ("lines", "role", "kind"),
    [
        (table(lambda i: 9.5 + i % 3), "past", "number"),
        (table(lambda i: i % 2), "past", "number"),
        (table(lambda i: i % 7 == 0), "past", "number"),
        (table(lambda i: TEXTS[i % 3]), "past", "category"),
        (table(lambda i: "" if i % 5 else "event"), "past", "category"),
        (table(lambda i: 9.5 + i % 3, ahead=7), "future", "number"),
        (table(lambda i: TEXTS[i % 3], ahead=7), "future", "category"),
        (table(lambda i: "" if i >= 30 else i % 3, ahead=7), "past", "number"),
        (shops(lambda s, _: 1.5 * s), "static", "number"),
        (shops(lambda s, _: TEXTS[s % 2]), "static", "category"),
        (shops(lambda s, _: TEXTS[s % 2], ahead=7), "static", "category"),
        (shops(lambda s, i: "" if s == 1 or i % 4 == 3 else s), "static", "number"),
        (shops(lambda s, i: s + i % 2), "past", "number"),
        (shops(lambda s, i: i % 3 if s or i < 20 else "", ahead=7), "future", "number"),
        (shops(lambda s, i: i % 3 if not s or i < 20 else "", ahead=7), "past", "number"),
    ],
    ids=lambda each: each[1] if isinstance(each, list) else each,
)
def test_role_and_kind_are_found(lines: list[str], role: str, kind: str) -> None:
    intake = read(lines)
    assert [(each.name, each.role, each.kind) for each in intake.profile.covariates] == [
        ("beside", role, kind)
    ]
    assert [each.name for each in columns(intake).columns] == ["beside"]
    assert role_of(intake)[0] == role


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (table(lambda _: 5), "is the same in every row"),
        (table(lambda _: "open"), "is the same in every row"),
        (shops(lambda _, __: 5), "is the same in every row"),
        (table(lambda _: ""), "holds nothing"),
        (table(lambda i: f"remark {i}"), "holds 30 different texts, too many for a category"),
        (table(lambda i: TEXTS[i % 3] * 200), "holds texts of more than 500 characters"),
        (table(lambda i: day(i + 3)), "holds dates"),
        (table(lambda i: "closed" if i == 7 else i % 5), "holds 'closed' among numbers, in row 9"),
        (table(lambda i: "inf" if i == 7 else i % 5), "holds infinite numbers"),
        (table(lambda i: 100 + i * i % 17), "equals the target"),
        (table(lambda i: 100 + (i + 1) * (i + 1) % 17), "equals the target of the next step"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_column_that_is_no_covariate_is_left_with_the_reason(lines: list[str], reason: str) -> None:
    intake = read(lines)
    assert intake.frame.covariates is None
    assert intake.profile.covariates == []
    assert role_of(intake) == ("unused", reason)
    assert f"Not used: 'beside' ({reason})." in intake.profile.detected.notes


def test_column_named_after_the_calendar_is_left_and_one_of_holidays_is_not() -> None:
    rows = [f"{day(i)},{100 + i * i % 17},{i % 7},{int(i % 9 == 0)}" for i in range(60)]
    intake = read(["date,sales,weekday,holiday", *rows])
    assert role_of(intake, "weekday") == ("unused", "follows from the calendar")
    assert role_of(intake, "holiday")[0] == "past"


def test_copy_of_another_column_is_left() -> None:
    rows = [f"{day(i)},{100 + i * i % 17},{i % 4}.5,{i % 4}.50" for i in range(30)]
    assert role_of(read(["date,sales,price,again", *rows]), "again") == ("unused", "is a copy of 'price'")


def test_column_that_follows_from_the_names_is_static() -> None:
    lines = ["shop,date,sales,region"]
    for shop, region in (("a", "coast"), ("b", "coast"), ("c", "hills")):
        lines += [f"{shop},{day(i)},{i % 5},{region}" for i in range(20)]
    assert columns(upload(*lines)).static["region"].tolist() == ["coast", "coast", "hills"]


def test_one_sentence_names_all_of_them() -> None:
    rows = (
        f"{shop},{day(i)},{'' if i >= 20 else i % 9},{i % 4}.5,{'' if i >= 20 else i % 3},{s}"
        for s, shop in enumerate(SHOPS)
        for i in range(27)
    )
    notes = read(["shop,date,sales,price,visitors,size", *rows]).profile.detected.notes
    assert (
        "Beside the target: 'visitors' past, known up to the target's end; 'price' future, known ahead of it;"
        " 'size' static, one value for each series."
    ) in notes


def test_cells_stand_at_the_step_of_their_row() -> None:
    rows = [f"{day(i)},{i % 5},{i % 4}.5" for i in (0, 1, 3, 4, 6, 2)]
    steps = columns(read(["date,sales,price", *rows])).steps["price"]
    assert steps[:5].tolist() == [0.5, 1.5, 2.5, 3.5, 0.5]
    assert np.isnan(steps[5])


def test_cells_of_a_moved_row_go_with_it() -> None:
    mondays = [str(date(2023, 1, 2) + timedelta(weeks=i)) for i in range(60)]
    moved = ["2023-05-02" if each == "2023-05-01" else each for each in mondays]
    lines = [
        f"{each},{i % 7},{'storm' if each == '2023-05-02' else TEXTS[i % 3]}" for i, each in enumerate(moved)
    ]
    intake = upload("week,stocks,weather", *lines)
    assert intake.profile.frequency == "W-MON"
    assert columns(intake).steps["weather"][mondays.index("2023-05-01")] == "storm"


def test_steps_ahead_are_those_of_the_future_columns() -> None:
    lines = ["date,sales,price,visitors"]
    lines += [
        f"{day(i)},{'' if i >= 20 else i % 7},{i % 4 if i < 25 else ''},{i % 3 if i < 20 else ''}"
        for i in range(30)
    ]
    intake = read(lines)
    assert intake.frame.ahead.tolist() == [5]
    assert columns(intake).steps["price"][20:].tolist() == [0, 1, 2, 3, 0]
    assert np.isnan(columns(intake).steps["visitors"][20:]).all()
    found = {each.name: (each.values, each.missing, each.ahead) for each in intake.profile.covariates}
    assert found == {"price": (25, 0, 5), "visitors": (20, 0, 0)}


def test_values_of_a_past_column_ahead_of_few_series_are_left_out_and_noted() -> None:
    intake = read(shops(lambda s, i: i % 3 if not s or i < 20 else "", ahead=7))
    assert intake.frame.ahead.tolist() == [0, 0, 0]
    assert any("name the column by future_columns" in note for note in intake.profile.detected.notes)
    said = read(shops(lambda s, i: i % 3 if not s or i < 20 else "", ahead=7), future_columns="beside")
    assert said.frame.ahead.tolist() == [7, 0, 0]


def test_rows_before_the_first_value_are_left_out_and_counted() -> None:
    lines = ["date,sales,price", *(f"{day(i)},{'' if i < 3 else i % 7},{i % 4}" for i in range(20))]
    intake = read(lines)
    assert columns(intake).steps["price"].tolist() == [i % 4 for i in range(3, 20)]
    assert any(note.startswith("3 rows before the first value") for note in intake.profile.detected.notes)


@pytest.mark.parametrize(
    ("duplicates", "price", "weather"), [("sum", 3.0, "rain"), ("mean", 3.0, "rain"), ("last", 4.0, "rain")]
)
def test_rows_of_one_time_have_the_mean_of_numbers_and_the_last_text(
    duplicates: str, price: float, weather: str
) -> None:
    rows = [f"a,{day(i)},{i % 7},{i % 5}.5,{TEXTS[i % 3]}" for i in range(20)]
    twice = [f"a,{day(20)},3,2.0,sun", f"a,{day(20)},4,4.0,rain"]
    lines = ["shop,date,sales,price,weather", *rows, *twice]
    found = columns(read(lines, id_column="shop", duplicates=duplicates)).steps
    assert (found["price"][20], found["weather"][20]) == (price, weather)


def test_category_that_tells_rows_of_one_time_apart_is_left() -> None:
    rows = [
        f"{shop},{day(i)},{i % 7},{till}" for shop in SHOPS for i in range(30) for till in ("front", "back")
    ]
    intake = read(["shop,date,sales,till", *rows], id_column="shop", duplicates="sum")
    assert role_of(intake, "till") == ("unused", "differs among the rows of one time")


def test_zeros_end_with_the_last_value_of_all_series_and_columns_go_on() -> None:
    lines = ["shop,date,sales,price"]
    lines += [f"a,{day(i)},{'' if i >= 5 else 2},{i}.5" for i in range(12)]
    lines += [f"b,{day(i)},{'' if i >= 8 else 2},{i}.5" for i in range(12)]
    intake = read(lines, missing="zero")
    assert np.diff(intake.frame.offsets).tolist() == [8, 8]
    assert intake.frame.ahead.tolist() == [4, 4]
    assert columns(intake).steps["price"][:12].tolist() == [i + 0.5 for i in range(12)]


def test_several_targets_share_the_columns() -> None:
    rows = (f"{day(i)},{i % 5}.5,{i % 7}.5,{i % 3}.5" for i in range(20))
    intake = upload("date,in,out,price", *rows, target_column="in,out")
    assert intake.frame.unique_ids == ("in", "out")
    assert columns(intake).steps["price"].tolist() == [i % 3 + 0.5 for _ in range(2) for i in range(20)]


def test_numbers_are_read_in_the_notation_of_the_file() -> None:
    rows = [f"{day(i)};{100 + i * i % 17};{i % 4},25" for i in range(20)]
    assert columns(read(["date;sales;price", *rows])).steps["price"][:4].tolist() == [0.25, 1.25, 2.25, 3.25]


def test_values_that_stand_for_none_are_none_in_every_column() -> None:
    rows = [
        f"{day(i)},{i % 7},{-999 if i == 4 else i % 4},{'-999' if i == 4 else 'a' * (i % 2 + 1)}"
        for i in range(20)
    ]
    found = columns(read(["date,sales,price,promo", *rows], missing_values="-999")).steps
    assert np.isnan(found["price"][4])
    assert found["promo"][4] is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"past_columns": "beside"}, ("past", "number")),
        ({"future_columns": "beside"}, ("future", "number")),
        ({"category_columns": "beside"}, ("past", "category")),
        ({"future_columns": "beside", "category_columns": "beside"}, ("future", "category")),
        ({"static_columns": "beside"}, ("static", "number")),
    ],
)
def test_what_is_said_of_a_column_counts(said: dict[str, str], expected: tuple[str, str]) -> None:
    lines = shops(lambda s, i: 5 if "static_columns" in said else (s + i) % 4)
    (found,) = read(lines, **said).profile.covariates
    assert (found.role, found.kind) == expected


def test_codes_are_texts_where_they_are_said_to_be_categories() -> None:
    found = columns(read(table(lambda i: i % 3), category_columns="beside")).steps["beside"]
    assert found[:3].tolist() == ["0", "1", "2"]


def test_unused_column_settles_which_holds_the_values() -> None:
    lines = ["timestamp,demand,temperature", *(f"{day(i)},{600.5 + i},{i % 9}.5" for i in range(30))]
    with pytest.raises(Unsettled):
        upload(*lines)
    assert upload(*lines, unused_columns="temperature").frame.unique_ids == ("demand",)
    assert upload(*lines, past_columns="temperature").frame.unique_ids == ("demand",)


@pytest.mark.parametrize(
    ("said", "pointer", "message"),
    [
        ({"past_columns": "besides"}, "#/past_columns", "Did you mean 'beside'"),
        ({"past_columns": "beside", "future_columns": "beside"}, "#/past_columns", "two roles"),
        ({"unused_columns": "beside", "category_columns": "beside"}, "#/category_columns", "two roles"),
        ({"static_columns": "sales"}, "#/target_column", "two roles"),
    ],
)
def test_column_that_is_named_wrongly_is_refused(said: dict[str, str], pointer: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        read(table(lambda i: i % 3), **said)
    assert caught.value.errors[0].pointer == pointer


def test_static_column_with_several_values_is_refused_with_its_rows() -> None:
    with pytest.raises(BadInput, match="static") as caught:
        read(shops(lambda s, i: 7 if (s, i) == (1, 4) else s), static_columns="beside")
    assert [error.pointer for error in caught.value.errors] == ["#row=26"]


def test_static_column_that_is_filled_once_counts_for_the_series() -> None:
    found = columns(read(shops(lambda s, i: "" if i else f"type {s}"), static_columns="beside"))
    assert found.static["beside"].tolist() == ["type 0", "type 1", "type 2"]


def test_long_text_of_a_column_that_is_named_is_refused_with_its_row() -> None:
    with pytest.raises(BadInput, match="more than 500 characters") as caught:
        read(table(lambda i: "x" * 501 if i == 4 else "y"), past_columns="beside")
    assert [error.pointer for error in caught.value.errors] == ["#row=6"]


def test_column_that_is_named_though_it_gives_the_target_away_is_used_and_noted() -> None:
    intake = read(table(lambda i: 100 + i * i % 17), future_columns="beside")
    assert role_of(intake)[0] == "future"
    assert "'beside' equals the target; it is used as was said." in intake.profile.detected.notes


@pytest.mark.parametrize("cell", ["closed", "inf"])
def test_wrong_cell_of_a_column_that_is_named_is_refused_with_its_row(cell: str) -> None:
    with pytest.raises(BadInput, match="Column 'beside'") as caught:
        read(table(lambda i: cell if i == 7 else i % 5), past_columns="beside")
    assert [error.pointer for error in caught.value.errors] == ["#row=9"]


def test_columns_beyond_the_hundredth_are_left_and_noted() -> None:
    names = [f"x{i}" for i in range(105)]
    cells = np.random.default_rng(1).integers(0, 99, (20, 105))
    rows = (f"{day(i)},{i % 7}.5," + ",".join(map(str, cells[i])) for i in range(20))
    intake = read([",".join(["date", "sales", *names]), *rows])
    assert len(columns(intake).columns) == 100
    assert any("past_columns may name it" in note for note in intake.profile.detected.notes)


def test_preview_shows_roles_and_what_they_would_hold() -> None:
    found = preview_csv(
        "\n".join(table(lambda i: i % 3, ahead=4)).encode(), ReadOptions(target_column="sales")
    )
    assert [each.role for each in found.detected.columns] == ["time", "target", "future"]
    assert found.profile is not None
    assert [(each.name, each.ahead) for each in found.profile.covariates] == [("beside", 4)]


cell = st.sampled_from(["", "1.5", "2", "-3", "7e3"])
table_of_shops = st.dictionaries(
    st.tuples(st.sampled_from(SHOPS), st.integers(0, 14)), st.tuples(cell, cell, cell), min_size=9
)


@settings(max_examples=40 * EACH, deadline=None, database=None, derandomize=True)
@given(table_of_shops, st.randoms())
def test_cells_are_those_of_their_rows_however_these_are_mixed(
    rows: dict[tuple[str, int], tuple[str, str, str]], random: Random
) -> None:
    lines = [f"{shop},{i},{','.join(cells)}" for (shop, i), cells in rows.items()]
    random.shuffle(lines)
    said = {"frequency": 1, "future_columns": "price", "past_columns": "visitors"}
    try:
        frame = read(["shop,step,sales,price,visitors", *lines], id_column="shop", **said).frame
    except BadInput:
        assume(False)
    assert frame.covariates is not None
    ends = dict(zip(frame.unique_ids, frame.ds[frame.offsets[1:] - 1].tolist(), strict=True))
    starts = dict(zip(frame.unique_ids, frame.begins.tolist(), strict=True))
    for column, of_row in (("price", 1), ("visitors", 2)):
        stored = {
            (frame.unique_ids[series], int(step)): float(value)
            for series, step, value in zip(
                np.repeat(np.arange(len(ends)), np.diff(frame.row_offsets)),
                frame.row_ds,
                frame.covariates.steps[column],
                strict=True,
            )
            if value == value  # noqa: PLR0124 - NaN is not
        }
        expected = {
            (shop, i): float(cells[of_row])
            for (shop, i), cells in rows.items()
            if cells[of_row] and i >= starts[shop] and (column == "price" or i <= ends[shop])
        }
        assert stored == expected
