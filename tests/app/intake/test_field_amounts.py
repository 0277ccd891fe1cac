"""Amounts with words of scale, letters and accountants' signs behind, before and around their numbers."""

import pandas as pd
import pytest

from app.errors import BadInput
from app.intake.columns.numbers import Decimal, read_numbers
from tests.app.intake.uploads import made, upload


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1.2 bn", ".", 1.2e9),
        ("950 mn", ".", 9.5e8),
        ("1.5 lakh", ".", 150_000),
        ("2 crore", ".", 2e7),
        ("1,0 bin", ",", 1000),
        ("1,5 tys.", ",", 1500),
        ("1,5 тыс.", ",", 1500),
        ("2 MIO", ",", 2e6),
        ("3 thousand", ".", 3000),
    ],
)
def test_a_word_of_scale_multiplies_and_is_noted(text: str, decimal: Decimal, number: float) -> None:
    found = read_numbers(pd.Series([text, "950"]), ";", decimal=decimal)
    assert found.numbers.tolist() == [pytest.approx(number), 950]
    assert found.notes == (f"{text!r} is read as {number:.15g}",)


@pytest.mark.parametrize("text", ["951 m", "951 mil", "951 in", "951 CR", "951 pc"])
def test_a_word_of_two_meanings_is_refused_and_no_flag(text: str) -> None:
    assert read_numbers(pd.Series([text, "950"]), ";", decimal=".").wrong.tolist() == [True, False]


def test_a_letter_of_scale_on_one_of_numbers_of_one_size_is_refused() -> None:
    with pytest.raises(BadInput, match="'30B' would be 30000000000, far from the others"):
        read_numbers(pd.Series(["31", "32", "30B", "33", "34"]), ";")


def test_letters_of_scale_that_continue_the_plain_numbers_are_read() -> None:
    assert read_numbers(pd.Series(["950", "960", "970", "980", "1.2k"]), ";").numbers[-1] == 1200


@pytest.mark.parametrize(
    ("text", "number"), [(" $ 1,200.00 ", 1200), (" $ (300.00)", -300), (" $ -   ", 0), ("$(300)", -300)]
)
def test_the_amounts_of_accountants_in_a_spreadsheet_are_read(text: str, number: float) -> None:
    first, *others = made("2023-01-01", 4, "D")
    rows = (f'{day}," $ {i}.00 "' for i, day in enumerate(others))
    assert upload("date,net", f'{first},"{text}"', *rows).frame.y.tolist() == [number, 0, 1, 2]


@pytest.mark.parametrize("text", ["NT$1,000", "Rs. 1,000", "₹1,000", "1,000円"])
def test_money_of_a_country_with_decimal_points_raises_no_question(text: str) -> None:
    assert read_numbers(pd.Series([text, text]), ";").numbers.tolist() == [1000, 1000]


def test_thousands_of_yen_raise_no_question() -> None:
    assert read_numbers(pd.Series(["1,000千円", "1,100千円"]), ";").numbers.tolist() == [1e6, 1.1e6]
