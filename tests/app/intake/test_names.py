"""Names of series: none may hold a character that controls how text is shown."""

import pytest

from app.errors import BadInput
from app.intake.reader import ReadOptions, read_csv, read_rows
from app.schemas.datasets import ObservationIn
from app.schemas.fields import forbidden_character
from tests.app.intake.uploads import upload

DAYS = ("2024-01-01", "2024-01-02", "2024-01-03")


@pytest.mark.parametrize(
    ("sign", "shown"),
    [
        *[("\0", "U+0000"), ("\t", "U+0009"), ("\n", "U+000A"), ("\x1b", "U+001B"), ("\x7f", "U+007F")],
        *[("\x85", "U+0085"), ("\x9b", "U+009B"), ("\u2028", "U+2028"), ("\u2029", "U+2029")],
        *[("\u202a", "U+202A"), ("\u202e", "U+202E"), ("\u2066", "U+2066"), ("\u2069", "U+2069")],
        *[("\ud800", "U+D800"), ("\udfff", "U+DFFF")],
    ],
)
def test_character_that_controls_is_shown(sign: str, shown: str) -> None:
    assert forbidden_character(f"pump {sign}1") == shown


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Köln °C",
        "a b",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क्\u200d",
        "\u200fא",
        "👩\u200d🔬",
    ],
)
def test_name_of_any_language_is_clean(name: str) -> None:
    assert forbidden_character(name) is None


@pytest.mark.parametrize("sign", ["\t", "\n", "\x1b", "\u2028", "\u202e"])
def test_name_in_a_file_is_refused_by_its_rows(sign: str) -> None:
    rows = [f'"{name}",{day},1' for name in ("a", f"b{sign}b") for day in DAYS]
    with pytest.raises(BadInput, match="3 rows, the first is 5") as caught:
        upload("unique_id,ds,y", *rows)
    assert [error.pointer for error in caught.value.errors] == ["#row=5", "#row=6", "#row=7"]
    assert f"U+{ord(sign):04X}" in caught.value.errors[0].detail


def test_nul_in_a_file_of_wide_characters_is_refused() -> None:
    text = "".join(["unique_id,ds,y\n", *(f"a\0b,{day},1\n" for day in DAYS)])
    with pytest.raises(BadInput, match="begins as utf-16-le text but is not"):
        read_csv(text.encode("utf-16"), ReadOptions())


def test_name_in_json_is_refused_by_its_observation() -> None:
    rows = [ObservationIn(unique_id=name, ds=day, y=1.0) for name in ("a", "b\x9bb") for day in DAYS]
    with pytest.raises(BadInput) as caught:
        read_rows(rows, ReadOptions())
    assert caught.value.errors[0].pointer == "#/observations/3/unique_id"
    assert "U+009B" in caught.value.errors[0].detail


def test_space_around_a_name_is_left_out() -> None:
    rows = [f'"\t{name}\n",{day},1' for name in ("a", "b") for day in DAYS]
    assert upload("unique_id,ds,y", *rows).frame.unique_ids == ("a", "b")


def test_row_without_a_time_may_say_anything() -> None:
    footnote = '"Source: a\nbureau",,'
    intake = upload("unique_id,ds,y", *(f"a,{day},1" for day in DAYS), footnote)
    assert intake.frame.unique_ids == ("a",)


def test_header_of_several_lines_names_its_series_in_one() -> None:
    intake = upload('ds,"sales\n(EUR)"', *(f"{day},1" for day in DAYS))
    assert intake.frame.unique_ids == ("sales (EUR)",)
