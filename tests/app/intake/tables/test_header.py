"""What stands above and below a table: titles, headers of several lines, totals, remarks."""

from io import BytesIO

import pytest

from app.intake.options import ReadOptions
from app.intake.reader import read_csv
from app.intake.tables.delimited import open_delimited
from tests.app.intake.uploads import made, upload

ROWS = [f"{month},{i}" for i, month in enumerate(made("2020-01-01", 24, "MS"))]


@pytest.mark.parametrize(
    "above",
    [
        ["Category: All categories", ""],
        ["Sales, monthly, in thousands"],
        ["Sales report,", "As of:,2024-01-01", ""],
        ["Report", "", "Region North", ""],
        ["Station,Oslo", "Unit,kWh"],
        ["Station,Oslo", "Unit,kWh", "Owner,City", "Grid,West"],
        ["# made up", "# twice"],
        ["# made up", "Sales report", ""],
    ],
    ids=lambda lines: lines[0],
)
def test_titles_above_the_header_are_passed_over_and_counted(above: list[str]) -> None:
    found = upload(*above, "month,sales", *ROWS)
    assert (found.frame.axis.frequency, len(found.frame.y)) == ("MS", 24)
    count = f"{len(above)} line{'s' * (len(above) > 1)} above the header not read."
    assert found.profile.detected.notes[0] == count


def test_rows_are_numbered_as_the_file_has_them() -> None:
    table = open_delimited(BytesIO("\n".join(["Report", "", "month,sales", *ROWS]).encode()))
    assert table.first_row == 4


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ([",19,,20,", "Shop,Q1,Q2,Q1,Q2", "A,1,2,3,4"], ("Shop", "19 Q1", "19 Q2", "20 Q1", "20 Q2")),
        (["Shop,19,,20,", ",May,Jun,May,Jun", "A,1,2,3,4"], ("Shop", "19 May", "19 Jun", "20 May", "20 Jun")),
        (["date,load,heat", ",MW,°C", "2020-01-01,1,2"], ("date", "load MW", "heat °C")),
        (["Title,,", "date,load,heat", "day,MW,°C", "2020-01-01,1,2"], ("date day", "load MW", "heat °C")),
    ],
)
def test_a_header_of_several_lines_is_one(lines: list[str], names: tuple[str, ...]) -> None:
    table = open_delimited(BytesIO("\n".join(lines).encode()))
    assert table.names == names
    assert "The header takes 2 lines" in table.origin.notes[-1]


@pytest.mark.parametrize("first", ["2020-01-01,", "Jan 2020,", "n/a,n/a", "Jan 2020,:", ","])
def test_a_first_row_without_a_value_is_no_part_of_the_header(first: str) -> None:
    table = open_delimited(BytesIO(f"month,sales\n{first}\nFeb 2020,5\nMar 2020,6".encode()))
    assert (table.names, table.first_row) == (("month", "sales"), 2)


@pytest.mark.parametrize(
    "word", ["Total", "Summe", "Итого", "合计", "合計", "합계", "Toplam", "المجموع", "Total:"]
)
def test_a_total_below_is_left_out_and_reported(word: str) -> None:
    found = upload("month,sales", *ROWS, f"{word},276")
    assert len(found.frame.y) == 24
    assert [(each.kind, each.row) for each in found.profile.repairs] == [("refused", 26)]


@pytest.mark.parametrize("below", [["Source: made up,"], ["", "Source: made up", "© nobody"]])
def test_remarks_below_are_left_out_and_reported(below: list[str]) -> None:
    found = upload("month,sales", *ROWS, *below)
    assert len(found.frame.y) == 24
    assert {each.kind for each in found.profile.repairs} == {"refused"}


def test_titles_in_semicolons_and_a_stated_delimiter_are_read() -> None:
    text = "sep=;\r\nUmsatz; in Euro\r\n\r\nMonat;Umsatz\r\n"
    text += "".join(f"{month};{i},5\r\n" for i, month in enumerate(made("2020-01-01", 12, "MS", "%m.%Y")))
    assert read_csv(text.encode("utf-16"), ReadOptions()).profile.observations == 12


@pytest.mark.parametrize(
    "lines",
    [
        ["| Month | Sales |", "|---|---:|", *(f"| 2020-{m:02} | {m} |" for m in range(1, 7))],
        [
            "List of sales",
            "",
            "-----------------------",
            "|Kal.Jahr/Monat|Sales |",
            "-----------------------",
            *(f"|{m:02}.2020       |{m},00  |" for m in range(1, 7)),
            "-----------------------",
            "|*  Summe      |21,00 |",
            "-----------------------",
        ],
    ],
    ids=["markdown", "sap"],
)
def test_a_line_of_dashes_below_the_header_is_drawn_and_no_row(lines: list[str]) -> None:
    found = upload(*lines)
    assert found.frame.unique_ids == ("Sales",)
    assert found.frame.y.tolist() == [1, 2, 3, 4, 5, 6]
    assert found.profile.start == "2020-01-01"
