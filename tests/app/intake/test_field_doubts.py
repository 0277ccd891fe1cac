"""Files that were read wrongly without a word: what is refused now, and what is noted.

Each is small, of our own making, after files that people send.
"""

from collections.abc import Sequence

import numpy as np
import pytest

from app.errors import BadInput
from app.intake.preview import preview_csv
from app.intake.reader import ReadOptions, read_csv, read_rows
from app.schemas.datasets import ObservationIn
from tests.app.intake.uploads import made, times, upload

Lines = list[str]


def series(days: Sequence[str]) -> Lines:
    return ["date,sales", *(f"{day},{i % 7 + 1}" for i, day in enumerate(days))]


MONTHS_THEN_DAYS = [*made("2020-01-01", 48, "MS"), *made("2024-01-02", 20, "D")]
MONDAYS_THEN_DAYS = [*made("2020-01-06", 50, "W-MON"), *made("2020-12-22", 7, "D")]
DAYS_THEN_MONDAYS = [*made("2020-01-06", 60, "D"), *made("2020-03-09", 40, "W-MON")]
DAYS_OF_ONE_YEAR = [
    *made("2018-01-01", 48, "MS"),
    *made("2022-01-02", 20, "D"),
    *made("2022-02-01", 20, "MS"),
]
MONDAYS_OF_ONE_YEAR = [
    *made("2020-01-06", 60, "D"),
    *made("2020-03-09", 60, "W-MON"),
    *made("2021-05-01", 60, "D"),
]
LATE_MONDAYS = [*made("2020-01-06", 200, "D"), *made("2020-07-27", 20, "W-MON")]


def notes(lines: Lines, **said: str) -> str:
    return " ".join(upload(*lines, **said).profile.detected.notes)


@pytest.mark.parametrize(
    ("days", "row", "before", "after"),
    [
        (MONTHS_THEN_DAYS, 50, "MS", "D"),
        (MONDAYS_THEN_DAYS, 52, "W-MON", "D"),
        (DAYS_THEN_MONDAYS, 62, "D", "W-MON"),
        (DAYS_OF_ONE_YEAR, 70, "D", "MS"),
        (MONDAYS_OF_ONE_YEAR, 62, "D", "W-MON"),
    ],
    ids=[
        "months, then days",
        "weeks, then days",
        "days, then weeks",
        "months, days, months",
        "days, weeks, days",
    ],
)
def test_one_regular_step_after_another_is_refused_naming_the_row(
    days: list[str], row: int, before: str, after: str
) -> None:
    with pytest.raises(BadInput) as caught:
        upload(*series(days))
    assert f"From row {row} on, {days[row - 2]!r}" in caught.value.detail
    assert f"take steps of {after!r}, and those before take {before!r}" in caught.value.detail
    assert [error.pointer for error in caught.value.errors] == [f"#row={row}", "#/frequency"]


@pytest.mark.parametrize("said", [{"frequency": "D"}, {"missing": "gap"}, {"missing": "zero"}])
def test_two_steps_are_read_as_days_where_that_is_said(said: dict[str, str]) -> None:
    assert upload(*series(MONTHS_THEN_DAYS), **said).profile.frequency == "D"


def test_a_preview_of_two_steps_asks_for_the_frequency() -> None:
    preview = preview_csv("\n".join(series(MONTHS_THEN_DAYS)).encode(), ReadOptions())
    assert [question.parameter for question in preview.questions] == ["frequency"]


def test_a_step_that_changes_late_is_noted() -> None:
    lines = series(LATE_MONDAYS)
    assert upload(*lines).profile.frequency == "D"
    assert "From row 202 on, '2020-07-27', the rows of 'sales' take steps of 'W-MON'" in notes(lines)


def test_numbers_whose_step_changes_are_refused() -> None:
    numbers = [*range(40), *range(140, 2140, 100)]
    with pytest.raises(
        BadInput, match=r"From row 42 on, '140', .* take steps of 100, and those before take 1"
    ):
        upload("t,y", *(f"{number},{i % 5}" for i, number in enumerate(numbers)), time_column="t")


@pytest.mark.parametrize("seed", range(20))
def test_days_with_few_sales_are_still_noted_as_such(seed: int) -> None:
    every = np.random.default_rng(seed)
    days = np.array(made("2022-01-01", 400, "D"))[np.sort(every.choice(400, 80, replace=False))]
    assert "say missing=zero" in notes(series(list(days)))


def hours(bad: str, day: int = 4, hour: int = 5) -> Lines:
    """Hours in a column of their own, one of which is `bad`; the midnight of its day is free."""
    cells = [
        (date, bad if (i, h) == (day, hour) else h)
        for i, date in enumerate(made("2020-01-06", 10, "D"))
        for h in range(24)
        if (i, h) != (day, 0)
    ]
    return ["Date,Hour,load", *(f"{date},{h},{i % 24}" for i, (date, h) in enumerate(cells))]


@pytest.mark.parametrize("bad", ["x", "99", "25", "-1"])
def test_an_impossible_hour_is_refused_naming_its_row(bad: str) -> None:
    with pytest.raises(BadInput) as caught:
        upload(*hours(bad))
    assert [(e.pointer, e.detail) for e in caught.value.errors] == [
        ("#row=102", f"'2020-01-10 {bad}' is not a time like the others")
    ]


def test_a_25th_hour_is_refused_with_its_reason() -> None:
    lines = ["Date,Hour,load"]
    for day in made("2023-10-25", 10, "D"):
        lines += [f"{day},{hour},{hour % 5}" for hour in range(1, 26 if day == "2023-10-29" else 25)]
    with pytest.raises(BadInput, match=r"whose clocks are put back, .* offset from UTC \(row 122\)"):
        upload(*lines, time_zone="Europe/Berlin")


def test_a_32nd_day_is_refused_as_it_is_written() -> None:
    days = (
        f"{day[:4]},{day[5:7]},{32 if i == 30 else day[8:]},{i}"
        for i, day in enumerate(made("2020-01-01", 90, "D"))
    )
    with pytest.raises(BadInput) as caught:
        upload("Year,Month,Day,v", *days)
    assert [(e.pointer, e.detail) for e in caught.value.errors] == [
        ("#row=32", "'2020 01 32' is not a time like the others")
    ]


@pytest.mark.parametrize("said", [{}, {"time_column": "Year,Month"}])
def test_a_13th_month_is_refused_naming_its_row(said: dict[str, str]) -> None:
    months = (f"{2015 + i // 12},{13 if i == 30 else i % 12 + 1},{i}" for i in range(60))
    with pytest.raises(BadInput) as caught:
        upload("Year,Month,v", *months, **said)
    assert [error.pointer for error in caught.value.errors] == ["#row=32"]


@pytest.mark.parametrize(
    ("days", "note"),
    [
        (
            [*made("2022-01-03", 59, "W-MON"), "2024-02-19"],
            "The last value of 'sales', '2024-02-19' in row 61, comes 53 steps after the others",
        ),
        (
            [*made("2020-01-01", 47, "MS"), "2025-12-01"],
            "The last value of 'sales', '2025-12-01' in row 49, comes 25 steps after the others",
        ),
        (
            ["2021-01-04", *made("2022-01-10", 59, "W-MON")],
            "The first value of 'sales', '2021-01-04' in row 2, comes 53 steps before the others",
        ),
    ],
    ids=["a last week", "a last month", "a first week"],
)
def test_a_value_that_stands_alone_is_noted_by_its_row(days: list[str], note: str) -> None:
    assert f"{note}: a mistyped date?" in notes(series(days))


def test_an_end_after_gaps_as_long_as_others_is_not_noted() -> None:
    months = made("2020-01-01", 60, "MS")
    days = [day for i, day in enumerate(months) if i % 20 < 12]
    assert "mistyped" not in notes(series(days))


def beside(price: Sequence[str], target: str = "{i}", **columns: str) -> Lines:
    """A table with semicolons, of 40 days with a price each; other columns as formats of `i`."""
    head = ";".join(["date", "sales", "price", *columns])
    days = enumerate(made("2023-01-01", 40, "D"))
    formats = (target, *columns.values())
    rows = []
    for i, day in days:
        first, *others = (each.format(i=i, d=i % 9) for each in formats)
        rows.append(";".join([day, first, price[i % len(price)], *others]))
    return [head, *rows]


def price_of(lines: Lines, **said: str) -> list[float]:
    covariates = upload(*lines, target_column="sales", **said).frame.covariates
    assert covariates is not None
    return [float(cell) for cell in covariates.steps["price"][:2]]


@pytest.mark.parametrize(
    ("lines", "first", "others"),
    [
        (beside(["1,250", "2,500"]), 1250.0, "read with thousands"),
        (beside(["1.250", "2.500"]), 1.25, "read with decimals"),
    ],
    ids=["commas", "points"],
)
def test_a_column_beside_the_target_in_doubt_is_noted(lines: Lines, first: float, others: str) -> None:
    assert price_of(lines) == [first, first * 2]
    assert others in notes(lines, target_column="sales")
    assert "say by decimal" in notes(lines, target_column="sales")
    assert "say by decimal" not in notes(lines, target_column="sales", decimal=",")


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        (beside(["1,250", "2,500"], temperature="3,{d}"), 1.25),
        (beside(["1.250", "2.500"], temperature="3,{d}"), 1250.0),
        (beside(["1,250", "2,500"], temperature="3.{d}"), 1250.0),
        (beside(["1.250", "2.500"], target="{i},5"), 1250.0),
        (beside(["1,250", "2,500"], target="{i},5"), 1.25),
        (beside(["1.250", "2.500"], target="{i}.5"), 1.25),
    ],
)
def test_a_column_in_doubt_has_the_mark_of_the_others(lines: Lines, first: float) -> None:
    assert price_of(lines) == [first, first * 2]
    assert "say by decimal" not in notes(lines, target_column="sales")


@pytest.mark.parametrize(
    ("form", "first"),
    [("€3.{d}", [3.0, 3.1]), ("3,{d} €", [3.0, 3.1]), ("{d}%", [0, 1]), ("USD {d}", [0, 1])],
)
def test_amounts_with_signs_beside_the_target_are_numbers(form: str, first: list[float]) -> None:
    lines = beside([form.format(d=d) for d in range(9)])
    assert price_of(lines) == first


def test_numbers_written_as_texts_among_numbers_of_json_are_numbers() -> None:
    rows = [
        ObservationIn.model_validate({"unique_id": "a", "ds": day, "y": i, "price": "3.5" if i == 4 else i})
        for i, day in enumerate(made("2023-01-01", 20, "D"))
    ]
    covariates = read_rows(rows, ReadOptions()).frame.covariates
    assert covariates is not None
    assert covariates.steps["price"][3:6].tolist() == [3, 3.5, 5]


def test_a_sentinel_beside_the_target_is_noted() -> None:
    lines = beside(["3", "4", "5", "6", "7", "8", "9", "-999"])
    assert "5 values of 'price' are -999, far from all others (3 to 9)" in notes(lines, target_column="sales")
    assert "far from" not in notes(lines, target_column="sales", missing_values="-999")


@pytest.mark.parametrize(("lost", "is_noted"), [(40, True), (8, True), (7, False)])
def test_rows_that_do_not_count_are_noted_where_they_are_many(lost: int, *, is_noted: bool) -> None:
    days = enumerate(made("2023-01-01", 80, "D"))
    lines = ["store,date,sales", *(f"{'' if i < lost else 'A'},{day},{i}" for i, day in days)]
    assert (f"{lost} of 80 rows do not count, the first is 2" in notes(lines)) is is_noted


def receipts() -> Lines:
    rows = ((day, i, k) for i, day in enumerate(made("2023-01-01", 40, "D")) for k in range(3))
    return ["date,amount,payment", *(f"{day},{i},{'card' if (i + k) % 3 else 'cash'}" for day, i, k in rows)]


def test_a_name_found_by_its_texts_is_noted_where_repeated_times_are_explained() -> None:
    lines = receipts()
    assert "'payment' is taken for the name of the series" in notes(lines, duplicates="sum")
    one = upload(*lines, duplicates="sum", unused_columns="payment").profile
    assert (one.series, one.observations) == (1, 40)


def test_a_name_that_is_said_is_not_noted() -> None:
    assert "is taken for" not in notes(receipts(), duplicates="sum", id_column="payment")


def test_a_flag_of_the_repeated_hour_names_no_series() -> None:
    lines = ["datetime,DST,load"]
    for day in made("2023-10-25", 20, "D"):
        lines += [f"{day} {hour:02}:00,N,{hour % 5}" for hour in range(24)]
    lines.insert(lines.index("2023-11-05 01:00,N,1"), "2023-11-05 01:00,Y,1")
    intake = upload(*lines, time_zone="America/New_York")
    assert intake.frame.unique_ids == ("load",)
    assert len(times(intake)) == 20 * 24 + 1


def test_a_time_of_day_that_changes_is_left_out_as_such() -> None:
    days = enumerate(made("2023-01-01", 40, "D"))
    lines = ["Date,Hour,load", *(f"{day},{9 + i % 5},{i}" for i, day in days)]
    assert "Not used: 'Hour' (holds a time of day)." in notes(lines)


def ledger(header: str, signs: str, amount: str = "{i}") -> Lines:
    days = enumerate(made("2023-01-01", 40, "D"), start=100)
    both = signs.split()
    return [f"date;amount;{header}", *(f"{day};{amount.format(i=i)};{both[i % 3 == 0]}" for i, day in days)]


@pytest.mark.parametrize(("header", "signs"), [("Soll/Haben", "S H"), ("D/C", "D C"), ("+/-", "+ -")])
def test_a_column_of_signs_beside_amounts_without_any_is_noted(header: str, signs: str) -> None:
    found = notes(ledger(header, signs))
    assert f"'{header}' holds" in found
    assert "as debit and credit are written, and 'amount' has no negative value" in found


@pytest.mark.parametrize("amount", ["-{i}", "({i})", "{i}-"])
def test_a_column_of_signs_beside_negative_amounts_is_not_noted(amount: str) -> None:
    assert "debit" not in notes(ledger("D/C", "D C", amount))


@pytest.mark.parametrize("first", [2**53, -(2**53)])
def test_numbers_too_large_for_floats_are_noted(first: int) -> None:
    rows = ",".join(f'{{"date":"{day}","y":{first}}}' for day in made("2023-01-01", 3, "D"))
    assert "3 values are 9,007,199,254,740,992 or more" in " ".join(
        read_csv(f"[{rows}]".encode(), ReadOptions()).profile.detected.notes
    )
    assert "9,007,199,254,740,992" not in notes(["date,y", "2023-01-01,1", f"2023-01-02,{2**53 - 1}"])


def test_a_refusal_for_want_of_numbers_shows_a_cell_that_comes_close() -> None:
    lines = [
        "date,site,power",
        *(f"{day},Halle,{i} of 9" for i, day in enumerate(made("2023-01-01", 9, "D"))),
    ]
    with pytest.raises(BadInput, match=r"\('power' comes closest, with cells such as '0 of 9'\)"):
        upload(*lines)
