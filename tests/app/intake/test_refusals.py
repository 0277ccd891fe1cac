"""Uploads that cannot be used: the error says what is wrong, where, and how to correct it."""

import pytest

from app.errors import BadInput
from app.intake.reader import ReadOptions, read_csv
from tests.app.intake.uploads import upload

DAYS = tuple(f"2024-01-{day:02}" for day in range(1, 31))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "PNG image"),
        (b"PK\x03\x04\0\0", "ZIP archive or a workbook"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"ds,y\n\0\x01\x02,3\n", "binary"),
        (b"\xff\xfe\x00\xd8\x00\xd8", "utf-16-le text but is not"),
        (b"<!doctype html><html><body>a,b</body></html>", "web page"),
        (b'[{"ds": "2024-01-01", "y": 1}]', "two values"),
        (b"y\n1\n2\n", "one column only"),
        (b"ds,y\n", "a header and no rows"),
        (b"2024-01-01,5\n2024-01-02,6\n", "Add a header row"),
        (b"name,2020,2021\na,1,2\n", "a row for each time"),
        (b"ds,y,y\n2024-01-01,1,2\n", "'y' more than once"),
        (b"ds,y\n2024-01-01,1\n2024-01-02,1,5\n", "Row 3 has more cells"),
        (b'ds,y\n2024-01-01,1\n"2024-01-02,1\n', "cannot be split into columns"),
        (b"date,y\nsoon,1\nlater,2\n", "No column holds times"),
        (b"date,what\n2024-01-01,red\n2024-01-02,blue\n", "holds numbers"),
        (b"ds,y\n,1\n,2\n", "a row for each time|No column holds times|both a time"),
        (b"start date,end date,y\n2024-01-01,2024-01-02,1\n2024-01-02,2024-01-03,1\n", "time_column"),
        (b"store,item,ds,y\n1,a,1,1\n2,a,1,1\n1,b,1,1\n2,b,1,1\n", "id_column"),
    ],
)
def test_file_that_is_no_series_table_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_csv(data, ReadOptions())


def test_many_number_columns_ask_for_the_target() -> None:
    rows = (f"{day} 00:00:00,5.8,2.0,1.6,0.5,4.2,1.3,30.5" for day in DAYS)
    with pytest.raises(BadInput, match=r"'HUFL'.*'OT'.*target_column") as caught:
        upload("date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT", *rows)
    assert caught.value.errors[0].pointer == "#/target_column"


def test_absent_column_names_those_that_are_there() -> None:
    with pytest.raises(BadInput, match=r"no column 'sale'.*'date', 'sales'.*Did you mean 'sales'"):
        upload("date,sales", "2024-01-01,1", target_column="sale")


def test_column_with_two_roles_is_refused() -> None:
    with pytest.raises(BadInput, match="two roles"):
        upload("ds,y", "2024-01-01,1", time_column="y", target_column="y")


def test_text_among_the_values_names_its_rows() -> None:
    with pytest.raises(BadInput, match="2 rows, the first is 3") as caught:
        upload("ds,y", "2024-01-01,1", "2024-01-02,many", "2024-01-03,2", "2024-01-04,few", "2024-01-05,3")
    assert [error.pointer for error in caught.value.errors] == ["#row=3", "#row=5"]
    assert "'many' is not a number" in caught.value.errors[0].detail


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e999"])
def test_infinite_value_names_its_row(value: str) -> None:
    with pytest.raises(BadInput) as caught:
        upload("ds,y", "2024-01-01,1", "2024-01-02,1", f"2024-01-03,{value}")
    assert [error.pointer for error in caught.value.errors] == ["#row=4"]


@pytest.mark.parametrize("wrong", ["2024-02-30", "soon", "2024-01-05T25:00", "2024-01-05T10:00Z"])
def test_time_unlike_the_others_names_its_row(wrong: str) -> None:
    with pytest.raises(BadInput, match="cannot be read as ISO8601") as caught:
        upload("ds,y", *(f"{day},1" for day in DAYS[:4]), f"{wrong},1")
    assert [error.pointer for error in caught.value.errors] == ["#row=6"]


def test_no_more_than_twenty_rows_are_named() -> None:
    with pytest.raises(BadInput, match="30 rows, the first is 32") as caught:
        upload("ds,y", *(f"{day},1" for day in DAYS), *(f"{day},x" for day in DAYS))
    assert len(caught.value.errors) == 20


def test_series_without_a_value_are_named() -> None:
    with pytest.raises(BadInput, match="2 series have none: 'b', 'c'"):
        upload("unique_id,ds,y", "a,1,1", "a,2,2", "b,1,", "c,1,", "c,2,")


def test_at_most_twenty_empty_series_are_named() -> None:
    with pytest.raises(BadInput, match="'s20' and 5 more"):
        upload("unique_id,ds,y", *(f"s{i:02},1," for i in range(1, 26)))


def test_single_values_alone_tell_no_step() -> None:
    with pytest.raises(BadInput, match="nothing tells their step"):
        upload("unique_id,ds,y", "a,1,1", "b,1,1", "b,2,")


def test_thousands_or_decimals_in_doubt_are_refused() -> None:
    with pytest.raises(BadInput, match=r"'1\.234' may be 1\.234 or 1234"):
        upload("ds;y", "2024-01-01;1.234", "2024-01-02;2.345")


def test_times_that_repeat_ask_for_the_names() -> None:
    rows = (f"{day},{dept},1.5" for dept in ("7", "8", "9") for day in DAYS)
    with pytest.raises(BadInput, match="id_column"):
        upload("date,dept,sales", *rows)
