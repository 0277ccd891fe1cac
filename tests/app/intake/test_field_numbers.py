"""Numbers as spreadsheets, ledgers and statistical offices of many countries write them."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadInput
from app.intake.columns.numbers import Decimal, read_numbers
from app.intake.frame import Intake
from app.intake.options import ReadOptions
from app.intake.problems import Unsettled
from app.intake.reader import read_csv
from tests.app.intake.uploads import made, upload
from tests.factories import EACH


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(140)", -140),
        ("(1,742.17)", -1742.17),
        ("($140)", -140),
        ("-$140", -140),
        ("$-140", -140),
        ("518.00-", -518),
        ("▲1,234", -1234),
        ("△ 5.2", -5.2),
        ("Rp 1,200", 1200),
        ("\u2212518", -518),
        ("\u2013518", -518),
        ("97 %", 97),
        ("97.5%", 97.5),
        ("$1,200", 1200),
        ("¥1,234", 1234),
        ("\\1,234", 1234),
        ("US$ 1,200.50", 1200.5),
        ("1 200 kr", 1200),
        ("1\u00a0234\u202f567.5", 1234567.5),  # two kinds of spaces are one once they are plain
        ("1\u202f234\u202f567.5", 1234567.5),
        ("1’234’567.5", 1234567.5),
        ("1,23,456.7", 123456.7),
        ("1.2万", 12_000),
        ("1.1万", 11_000),
        ("3亿", 300_000_000),
        ("1,234.5万元", 12_345_000),
        ("2.5억", 250_000_000),
        ("1億2000万", 120_000_000),
        ("1만5천", 15_000),
        ("1.2 Mio.", 1_200_000),
        ("3 Mrd. €", 3_000_000_000),
        ("4.5 млн", 4_500_000),
        ("2992[1]", 2992),
        ("2992²", 2992),
        ("2992*", 2992),
        ("1.2k", 1200),
        ("950K", 950_000),
        ("3.4M", 3_400_000),
        ("123 b", 123),
        ("3.0 p", 3),
        ("<1", 0.5),
        ("< 0.5", 0.25),
        ("１，２３４．５", 1234.5),
        ("٣٫٥", 3.5),
        ("۱۲۳", 123),
    ],
)
def test_a_number_is_taken_out_of_what_stands_around_it(text: str, number: float) -> None:
    found = read_numbers(pd.Series([text]), "\t", decimal=".")
    assert not found.wrong[0]
    assert found.numbers[0] == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(1.742,17)", -1742.17),
        ("518,00-", -518),
        ("R$ 5,50", 5.5),
        ("12 345,6 руб.", 12345.6),
        ("7,5 %", 7.5),
    ],
)
def test_the_same_with_a_decimal_comma(text: str, number: float) -> None:
    assert read_numbers(pd.Series([text]), ";", decimal=",").numbers[0] == number


@pytest.mark.parametrize("text", [":", ": c", "…", "..."])
def test_the_signs_of_statistical_offices_for_no_value_are_none(text: str) -> None:
    found = read_numbers(pd.Series([text, "1"]), ",")
    assert not found.wrong.any()
    assert pd.isna(found.numbers[0])


@pytest.mark.parametrize(
    "text", ["(5", "5)", "5--", "12-13", "5 kg", "€", "%", "1.2.3", "1万2", "1万2万", "5[note]"]
)
def test_what_is_no_number_stays_wrong(text: str) -> None:
    assert read_numbers(pd.Series([text]), "\t", decimal=".").wrong[0]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["950", "980", "1.1k", "1.2k"], [950, 980, 1100, 1200]),
        (["950.5", "3.4M"], [950.5, 3_400_000]),
        (["9800", "9900", "1.2万"], [9800, 9900, 12_000]),
        (["1만", "2만", "9000"], [10_000, 20_000, 9000]),
        (["950", "1億2000万", "3 Mio."], [950, 120_000_000, 3_000_000]),
        (["1.2千", "$5", "(3)", "<1", "7 p"], [1200, 5, -3, 0.5, 7]),
    ],
)
def test_plain_numbers_beside_others_with_words_keep_their_values(
    cells: list[str], numbers: list[float]
) -> None:
    found = read_numbers(pd.Series(cells), "\t", decimal=".")
    assert not found.wrong.any()
    assert found.numbers.tolist() == numbers


PARTS = {
    "before": ["", "-", "+", "(", "$", "-€", "< ", "¥", "\\"],
    "number": ["950", "1.2", "1,234", "1.234,5", "0.5", ".5", "12e3", "1 200", "1’234", "٣٫٥", "1e999"],
    "behind": [
        "",
        "k",
        "M",
        "万",
        "만",
        "千",
        " 亿",
        "%",
        " %",
        "-",
        ")",
        " €",
        " p",
        "万元",
        " kr",
        " Mio.",
        "億20万",
        "[1]",
        "²",
    ],
}
CELLS = st.builds("{}{}{}".format, *(st.sampled_from(each) for each in PARTS.values()))


@settings(max_examples=100 * EACH, deadline=None, database=None, derandomize=True)
@given(st.lists(CELLS, min_size=1, max_size=6), st.sampled_from([".", ","]))
def test_no_mixture_of_notations_makes_a_gap_of_a_cell(cells: list[str], decimal: Decimal) -> None:
    found = read_numbers(pd.Series(cells), ";", decimal=decimal)
    assert (np.isnan(found.numbers) == found.wrong).all()


def read(*cells: str, header: str = "date;sales") -> Intake:
    days = made("2024-01-01", len(cells), "D")
    return upload(header, *(f"{day};{cell}" for day, cell in zip(days, cells, strict=True)))


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (["1", "(2)", "3"], "In 'sales' '(2)' is read as -2."),
        (["97 %", "98 %", "99 %"], "'97 %' is read as 97: a percentage keeps its number"),
        (["$5", "$6", "$7"], "'$5' is read as 5, without its sign"),
        (["1.2万", "3亿", "5万"], "'1.2万' is read as 12000"),
        (["1 b", "2", "3"], "'1 b' is read as 1: what stands behind the number is a flag"),
        (["<1", "2", "3"], "'<1' is read as 0.5, half of its bound"),
    ],
)
def test_what_was_taken_off_is_noted(cells: list[str], note: str) -> None:
    assert note in " ".join(read(*cells).profile.detected.notes)


def test_percentages_among_plain_numbers_are_refused_by_row() -> None:
    with pytest.raises(BadInput) as refused:
        read("97%", "98%", "0.99", "96%")
    assert [part.pointer for part in refused.value.errors] == ["#row=4"]


def test_zero_needs_no_sign_of_percent() -> None:
    assert read("97%", "0", "96%").frame.y.tolist() == [97, 0, 96]


def test_amounts_of_two_currencies_are_refused_by_row() -> None:
    with pytest.raises(BadInput) as refused:
        read("€5", "€6", "$7", "€8")
    assert [part.pointer for part in refused.value.errors] == ["#row=4"]


def test_bounds_that_are_named_as_missing_are_gaps() -> None:
    lines = (f"2024-01-0{i};{cell}" for i, cell in enumerate(["5", "<1", "6"], start=1))
    assert upload("date;sales", *lines, missing_values="<1").profile.gaps == 1


@pytest.mark.parametrize("decimal", [".", ","])
def test_amounts_that_may_have_thousands_or_decimals_are_a_question(decimal: Decimal) -> None:
    cells = pd.Series(["$1,234", "$2,345"])
    with pytest.raises(BadInput, match=r"may be 1234 or 1\.234"):
        read_numbers(cells, ";")
    assert read_numbers(cells, ";", decimal=decimal).numbers[0] == (1234 if decimal == "." else 1.234)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_points_before_three_digits_among_hundreds_are_a_question(delimiter: str) -> None:
    cells = pd.Series(["1.250", "980", "1.100"])
    with pytest.raises(BadInput, match=r"'1\.250' may be 1\.25 or 1250"):
        read_numbers(cells, delimiter)
    assert read_numbers(cells, delimiter, decimal=",").numbers.tolist() == [1250, 980, 1100]


@pytest.mark.parametrize(
    "cells",
    [
        ["0.123", "12.345", "1.250", "0.980"],
        ["12.345", "13.221", "1.250"],
        ["1.250", "980", "1.5"],
        ["1.250", "12", "7"],
        ["1.250", "1980", "980"],
    ],
)
def test_measurements_with_three_decimals_raise_no_question_between_commas(cells: list[str]) -> None:
    assert read_numbers(pd.Series(cells), ",").numbers[0] == float(cells[0])


def test_a_table_of_quoted_thousands_with_points_asks_for_the_mark() -> None:
    rows = [f'{day},"{cell}"' for day, cell in zip(made("2024-01-01", 4, "D"), THOUSANDS, strict=True)]
    with pytest.raises(Unsettled) as is_question:
        upload("date,sales", *rows)
    assert [each.option for each in is_question.value.questions] == ["decimal"]
    assert upload("date,sales", *rows, decimal=",").frame.y.tolist() == [1250, 980, 1100, 990]


THOUSANDS = ("1.250", "980", "1.100", "990")


def test_numbers_of_a_file_with_types_raise_no_question() -> None:
    rows = [
        {"date": day, "sales": y}
        for day, y in zip(made("2024-01-01", 3, "D"), [1.125, 980, 1.375], strict=True)
    ]
    assert read_csv(json.dumps(rows).encode(), ReadOptions()).frame.y.tolist() == [1.125, 980, 1.375]


@pytest.mark.parametrize("names", [("10K", "5K"), ("4*", "5*")])
def test_names_such_as_10k_are_no_numbers(names: tuple[str, str]) -> None:
    lines = [f"{day};{race};{i}" for race in names for i, day in enumerate(made("2024-01-01", 5, "D"))]
    assert upload("date;race;runners", *lines).frame.unique_ids == names


@pytest.mark.parametrize(
    ("cells", "first", "unit"),
    [(["950 W", "980 W", "1020 W"], 950, "W"), (["12,5 kWh", "13 kWh", "12,7 kWh"], 12.5, "kWh")],
)
def test_a_unit_behind_all_values_is_taken_off_and_noted(cells: list[str], first: float, unit: str) -> None:
    found = read(*cells)
    assert found.frame.y[0] == first
    assert f"In 'sales' all numbers are read without their unit, '{unit}'." in found.profile.detected.notes


def test_values_of_two_units_are_refused() -> None:
    with pytest.raises(BadInput, match="comes closest, with cells such as '950 W'"):
        read("950 W", "980 W", "1.1 kW", header="date;power")


def test_sizes_beside_plain_values_are_no_values() -> None:
    rows = [
        f"{day};{size};{i}"
        for size in ("250 ml", "500 ml", "750 ml")
        for i, day in enumerate(made("2024-01-01", 5, "D"))
    ]
    assert upload("date;size;sold", *rows).frame.unique_ids == ("250 ml", "500 ml", "750 ml")


@pytest.mark.parametrize("cells", [["30b", "12", "11p"], ["5.1e", "5.2", "5.3bp"]])
def test_flags_without_a_blank_are_taken_off_beside_plain_numbers_and_noted(cells: list[str]) -> None:
    found = upload("TIME_PERIOD,OBS_VALUE", *(f"{2000 + i},{cell}" for i, cell in enumerate(cells * 2)))
    assert found.frame.y[:3].tolist() == [float(cell.rstrip("bpe")) for cell in cells]
    assert "what stands behind the number is a flag." in " ".join(found.profile.detected.notes)


def test_a_letter_behind_all_numbers_is_a_unit() -> None:
    found = upload("year,width", *(f"{2000 + i},{i}.5s" for i in range(6)))
    assert "without their unit, 's'" in " ".join(found.profile.detected.notes)


@pytest.mark.parametrize("text", ["5.1e3", "5e3"])
def test_an_exponent_is_no_flag(text: str) -> None:
    assert read_numbers(pd.Series([text, "7"]), "\t").numbers[0] == float(text)


def test_thousands_below_names_in_chinese_raise_no_question() -> None:
    found = upload("月份\t销售额", *(f"2020年{m}月\t1,{m:03}" for m in range(1, 13)))
    assert found.frame.y[:2].tolist() == [1001, 1002]


@pytest.mark.parametrize("said", [{}, {"decimal": ","}])
def test_a_decimal_comma_is_one_in_each_row_of_a_long_table(said: dict[str, str]) -> None:
    rows = [f"{day};{i},{i % 100:02}" for i, day in enumerate(made("2020-01-01", 200, "D"))]
    found = upload("Datum;Menge", *rows, **said)
    assert found.frame.y.tolist() == [i + i % 100 / 100 for i in range(200)]
    assert found.profile.detected.decimal == ","


def test_a_separator_of_thousands_far_below_commas_is_read_as_one() -> None:
    rows = [f"{day};{i},5" for i, day in enumerate(made("2010-01-01", 5_100, "D"))]
    found = upload("Datum;Menge", *rows[:-1], f"{rows[-1].partition(';')[0]};1.234,5")
    assert found.frame.y[[0, -1]].tolist() == [0.5, 1234.5]
