"""Files as people have them: what is detected about each, and what is read from it."""

import numpy as np
import pytest

from app.intake.reader import ReadOptions, read_csv
from tests.app.intake.uploads import times, upload

DAYS = ("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04")


def test_plain_names_need_no_thought() -> None:
    intake = upload(
        "unique_id,ds,y,x", "b,2024-01-01,1,9", "b,2024-01-02,2,9", "a,2024-01-01,3,9", "a,2024-01-02,4,9"
    )
    assert intake.frame.unique_ids == ("a", "b")
    assert intake.frame.offsets.tolist() == [0, 2, 4]
    assert intake.frame.y.tolist() == [3, 4, 1, 2]
    assert times(intake) == ["2024-01-01", "2024-01-02"] * 2


def test_german_spreadsheet_export_is_read() -> None:
    text = "Datum;Köln °C\r\n01.02.2024;1,5\r\n02.02.2024;-0,25\r\n03.02.2024;12,0\r\n"
    intake = read_csv(text.encode("cp1252"), ReadOptions())
    detected = intake.profile.detected
    assert (detected.encoding, detected.delimiter, detected.decimal) == ("cp1252", ";", ",")
    assert (detected.date_format, detected.target_column) == ("%d.%m.%Y", "Köln °C")
    assert intake.frame.y.tolist() == [1.5, -0.25, 12.0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(encoding: str, delimiter: str) -> None:
    lines = [("store", "date", "sales"), *(("Kraków", day, "1.5") for day in DAYS)]
    data = "\n".join(delimiter.join(line) for line in lines).encode(encoding)
    intake = read_csv(data, ReadOptions())
    assert intake.frame.unique_ids == ("Kraków",)
    assert intake.profile.detected.delimiter == delimiter
    assert intake.frame.y.tolist() == [1.5] * 4


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read(end: str) -> None:
    intake = read_csv(end.join(["ds,y", "2024-01-01,1", "2024-01-02,2", ""]).encode(), ReadOptions())
    assert intake.frame.y.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("delimiter", "cells", "numbers"),
    [
        (";", ["1.234,5", "999", "12.345.678"], [1234.5, 999, 12_345_678]),
        (";", ["1,234.5", "999", "0.5"], [1234.5, 999, 0.5]),
        (";", ["0,123", "1,234", "2,5"], [0.123, 1.234, 2.5]),
        (";", ["1,234", "5678"], [1.234, 5678]),  # whoever separates thousands separates all of them
        (",", ['"1,234"', '"12,345"', "999"], [1234, 12_345, 999]),
        ("\t", ["1.234", "2.345", "3.456"], [1.234, 2.345, 3.456]),
        ("\t", ["1 234", "12 345", "999"], [1234, 12_345, 999]),
        (",", ["1e3", "-2.5E-1", "+7"], [1000, -0.25, 7]),
    ],
)
def test_thousands_and_decimals_are_distinguished(
    delimiter: str, cells: list[str], numbers: list[float]
) -> None:
    rows = [f"{day}{delimiter}{cell}" for day, cell in zip(DAYS, cells, strict=False)]
    assert upload(f"ds{delimiter}y", *rows).frame.y.tolist() == numbers


def test_numbers_keep_their_last_bit() -> None:
    texts = ("0.048592769656281266", "9007199254740993", "1.7976931348623157e308")
    intake = upload("ds,y", *(f"{day},{text}" for day, text in zip(DAYS, texts, strict=False)))
    assert intake.frame.y.tolist() == [float(text) for text in texts]


@pytest.mark.parametrize("text", ["", "NA", "NaN", "null", "n/a", "-", "#N/A", " NA "])
def test_text_for_no_value_is_a_gap(text: str) -> None:
    intake = upload("ds,y", "2024-01-01,1", f"2024-01-02,{text}", "2024-01-03,3")
    np.testing.assert_array_equal(intake.frame.y, [1, np.nan, 3])


def test_airline_passengers_are_monthly() -> None:
    rows = (f'"{1949 + i // 12}-{i % 12 + 1:02}",{112 + i}' for i in range(24))
    profile = upload('"Month","Passengers"', *rows).profile
    assert (profile.frequency, profile.season_length) == ("MS", 12)
    assert (profile.start, profile.end, profile.observations) == ("1949-01-01", "1950-12-01", 24)
    assert profile.detected.target_column == "Passengers"


def test_daily_temperatures_are_daily() -> None:
    profile = upload('"Date","Temp"', *(f'"1981-01-{day:02}",{day}.7' for day in range(1, 32))).profile
    assert (profile.frequency, profile.season_length, profile.series) == ("D", 7, 1)


def test_population_names_series_by_country_name() -> None:
    rows = (
        f'"{name}",{code},{year},{year * 1000}'
        for name, code in (("Aruba", "ABW"), ("Bahamas, The", "BHS"))
        for year in range(1960, 1965)
    )
    intake = upload("Country Name,Country Code,Year,Value", *rows)
    assert intake.frame.unique_ids == ("Aruba", "Bahamas, The")
    assert times(intake)[:5] == [1960, 1961, 1962, 1963, 1964]
    assert intake.profile.frequency == "YS"
    assert [(each.name, each.role) for each in intake.profile.covariates] == [("Country Code", "static")]


def test_name_is_preferred_to_a_code_before_it() -> None:
    rows = (f"{code},{name},{day},1" for code, name in (("A", "Aruba"), ("B", "Benin")) for day in DAYS)
    assert upload("code,country_name,date,value", *rows).frame.unique_ids == ("Aruba", "Benin")


def test_row_numbers_are_not_taken_for_names() -> None:
    intake = upload("id,date,sales", *(f"{i},{day},{i}" for i, day in enumerate(DAYS)))
    assert intake.profile.detected.id_column is None
    assert intake.frame.unique_ids == ("sales",)


def test_lone_text_column_that_repeats_names_the_series() -> None:
    rows = (f"{day},{pump},1.5" for pump in ("left", "right") for day in DAYS)
    assert upload("date,pump,pressure", *rows).frame.unique_ids == ("left", "right")


def test_remark_beside_a_single_series_is_no_name() -> None:
    remarks = ("dry", "wet", "dry", "dry")
    intake = upload("date,weather,rain", *(f"{d},{r},1.5" for d, r in zip(DAYS, remarks, strict=True)))
    assert intake.frame.unique_ids == ("rain",)


def test_namibia_is_not_a_missing_name() -> None:
    rows = (f"{code},{day},1" for code in ("NA", "US") for day in DAYS)
    assert upload("country,date,value", *rows).frame.unique_ids == ("NA", "US")


def test_columns_named_by_the_user_win() -> None:
    rows = (f"{day},a,1,2" for day in DAYS)
    intake = upload("ds,series,y,OT", *rows, target_column="OT", id_column="series", time_column="ds")
    assert intake.profile.detected.target_column == "OT"
    assert intake.frame.y.tolist() == [2, 2, 2, 2]


def test_wide_rows_with_few_columns_used_are_fine() -> None:
    header = ",".join(f"x{i}" for i in range(7))
    rows = (f"{day},{','.join('12345')},6,7" for day in DAYS)
    assert upload(f"date,{header}", *rows, target_column="x6").frame.y.tolist() == [7, 7, 7, 7]


def test_blank_lines_are_passed_over_and_counted() -> None:
    intake = upload("", "ds,y", "2024-01-01,1", "", "2024-01-02,2", ",5", "")
    assert intake.frame.y.tolist() == [1, 2]
    assert [(repair.kind, repair.row) for repair in intake.profile.repairs] == [("refused", 6)]


def test_quoted_header_over_two_lines_is_one_row() -> None:
    intake = upload('ds,"sales\n(net)"', "2024-01-01,1", ",2", "2024-01-02,3")
    assert intake.profile.detected.target_column == "sales\n(net)"
    assert intake.profile.repairs[0].row == 3


def test_profile_counts_series_and_gaps() -> None:
    profile = upload("unique_id,ds,y", "a,1,5", "a,2,6", "b,1,5", "b,4,6").profile
    assert (profile.series, profile.observations, profile.gaps) == (2, 4, 2)
    assert (profile.shortest, profile.longest, profile.start, profile.end) == (2, 4, 1, 4)
