"""Workbooks: sheets, titles, merged cells, dates, formulas and what else they hold."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pandas as pd
import pytest
from xlsxwriter import Workbook

from app.errors import BadInput
from app.intake.preview import preview_csv
from app.intake.problems import Unsettled
from app.intake.reader import ReadOptions, read_csv
from tests.app.intake import kinds
from tests.app.intake.uploads import times

Fill = Callable[[Workbook], Any]
DAYS = [datetime(2024, 1, 1) + timedelta(days=day) for day in range(5)]  # noqa: DTZ001 - a sheet knows no zones
STEADY = Random(2)  # noqa: S311 - which cells it makes odd is known
HOLDING = ("ds", "y")


def book(fill: Fill) -> bytes:
    """A workbook as bytes."""
    file = io.BytesIO()
    with Workbook(file, {"default_date_format": "yyyy-mm-dd"}) as workbook:
        fill(workbook)
    return file.getvalue()


def rows(workbook: Workbook, name: str, lines: list[list[Any]], first: int = 0) -> Any:
    """A sheet with these lines from row `first` on."""
    sheet = workbook.add_worksheet(name)
    for number, line in enumerate(lines):
        sheet.write_row(first + number, 0, line)
    return sheet


def table(name: str = "ds", value: str = "y") -> list[list[Any]]:
    return [[name, value], *([day, number * 1.5] for number, day in enumerate(DAYS))]


def test_dates_of_a_sheet_are_times() -> None:
    intake = read_csv(book(lambda workbook: rows(workbook, "data", table())), ReadOptions())
    assert times(intake) == [f"2024-01-0{day}" for day in range(1, 6)]
    assert intake.frame.y.tolist() == [0, 1.5, 3, 4.5, 6]
    assert intake.profile.detected.format == "excel"


def test_days_numbered_as_a_spreadsheet_counts_them_are_dates() -> None:
    lines: list[list[Any]] = [["date", "sales"], *([45292 + day, day] for day in range(5))]
    intake = read_csv(book(lambda workbook: rows(workbook, "data", lines)), ReadOptions())
    assert (times(intake)[0], intake.profile.detected.date_format) == ("2024-01-01", "excel")


def test_hours_keep_their_minutes() -> None:
    def fill(workbook: Workbook) -> None:
        sheet = rows(workbook, "data", [["time", "load"]])
        shape = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for hour in range(48):
            sheet.write_datetime(hour + 1, 0, DAYS[0] + timedelta(hours=hour), shape)
            sheet.write_number(hour + 1, 1, hour)

    intake = read_csv(book(fill), ReadOptions())
    assert (times(intake)[1], intake.frame.axis.frequency) == ("2024-01-01T01:00:00", "h")


def test_formulas_count_by_their_last_values_and_errors_are_empty() -> None:
    def fill(workbook: Workbook) -> None:
        sheet = rows(workbook, "data", table())
        sheet.write_formula(1, 1, "=A1*2", value=7.25)
        sheet.write_formula(3, 1, "=NA()", value="#N/A")

    intake = read_csv(book(fill), ReadOptions())
    assert (intake.frame.y[0], intake.profile.gaps) == (7.25, 1)


def test_formulas_that_no_program_worked_out_are_refused_with_the_way_to_mend_them() -> None:
    lines: list[list[Any]] = [["ds", "y"], *([day, f"={i}+1"] for i, day in enumerate(DAYS))]
    data, file = book(lambda workbook: rows(workbook, "Data", lines)), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            target.writestr(name, re.sub(rb"</f><v>[^<]*</v>", b"</f><v/>", source.read(name)))
    with pytest.raises(
        BadInput, match=r"formulas without their values.* Open it in a spreadsheet and save it"
    ):
        read_csv(file.getvalue(), ReadOptions())


def test_true_and_false_are_a_column_beside_the_values() -> None:
    lines: list[list[Any]] = [["ds", "y", "promotion"], *([day, i, i % 2 == 0] for i, day in enumerate(DAYS))]
    intake = read_csv(book(lambda workbook: rows(workbook, "data", lines)), ReadOptions())
    assert [(each.name, each.missing) for each in intake.profile.covariates] == [("promotion", 0)]


def test_the_only_sheet_with_a_table_is_read_and_the_others_are_noted() -> None:
    def fill(workbook: Workbook) -> None:
        rows(workbook, "About", [["Written by", "hand"], ["Source", "the shop"]])
        rows(workbook, "Sales", table())
        workbook.add_worksheet("Empty")
        rows(workbook, "Hidden", table()).hide()

    detected = read_csv(book(fill), ReadOptions()).profile.detected
    assert "Sheet 'Sales' was read, and not 'About'." in detected.notes


def test_several_sheets_with_tables_are_a_question_and_the_answer_is_kept() -> None:
    data = book(lambda workbook: [rows(workbook, name, table()) for name in ("2023", "2024")])
    with pytest.raises(Unsettled) as caught:
        read_csv(data, ReadOptions())
    assert [(each.option, each.candidates) for each in caught.value.questions] == [
        ("sheet", ("2023", "2024"))
    ]
    assert read_csv(data, ReadOptions(sheet="2024")).profile.detected.options == {"sheet": "2024"}
    shown = preview_csv(data, ReadOptions())
    assert ([each.parameter for each in shown.questions], len(shown.rows)) == (["sheet"], 5)


def test_a_sheet_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match=r"no sheet 'x' with cells[.] It has 'data'"):
        read_csv(book(lambda workbook: rows(workbook, "data", table())), ReadOptions(sheet="x"))


def test_names_in_merged_cells_hold_for_each_of_their_rows() -> None:
    def fill(workbook: Workbook) -> None:
        lines = [[None, day, i] for i, day in enumerate([*DAYS, *DAYS])]
        sheet = rows(workbook, "data", [["shop", "ds", "y"], *lines])
        sheet.merge_range(1, 0, 5, 0, "north")
        sheet.merge_range(6, 0, 10, 0, "south")

    intake = read_csv(book(fill), ReadOptions())
    assert intake.frame.unique_ids == ("north", "south")
    assert intake.frame.y.tolist() == list(range(10))


def test_rows_are_counted_as_the_sheet_counts_them() -> None:
    lines = table()
    lines[3][1] = "closed?"
    data = book(lambda workbook: rows(workbook, "data", lines, first=4))
    with pytest.raises(BadInput) as caught:
        read_csv(data, ReadOptions(target_column="y"))
    assert [part.pointer for part in caught.value.errors] == ["#row=8"]


def test_names_that_look_like_numbers_or_formulas_stay_as_they_are() -> None:
    names = ["007", "=1+1", "NA", "1e5"]
    lines: list[list[Any]] = [[name, day, 1.0] for name in names for day in DAYS]
    frame = pd.DataFrame(lines, columns=["unique_id", *HOLDING])
    file = io.BytesIO()
    with pd.ExcelWriter(
        file, engine="xlsxwriter", engine_kwargs={"options": {"strings_to_formulas": False}}
    ) as writer:
        frame.to_excel(writer, index=False)
    assert read_csv(file.getvalue(), ReadOptions()).frame.unique_ids == tuple(sorted(names))


def test_a_workbook_without_cells_is_refused() -> None:
    with pytest.raises(BadInput, match="no sheet with a table"):
        read_csv(book(lambda workbook: workbook.add_worksheet("data")), ReadOptions())


def test_a_date_before_spreadsheets_count_is_a_text_like_the_others() -> None:
    lines: list[list[Any]] = [
        ["ds", "y"],
        *([date(1890 + year, 1, 1).isoformat(), year] for year in range(15)),
    ]
    assert (
        times(read_csv(book(lambda workbook: rows(workbook, "data", lines)), ReadOptions()))[0]
        == "1890-01-01"
    )


def test_names_over_merged_groups_of_columns_are_joined_with_those_below() -> None:
    def fill(workbook: Workbook) -> None:
        lines: list[list[Any]] = [
            [None] * 5,
            [None, *("units", "revenue") * 2],
            *([day, 1, 10, i, 2 * i] for i, day in enumerate(DAYS)),
        ]
        sheet = rows(workbook, "data", lines)
        sheet.merge_range(0, 0, 1, 0, "day")
        sheet.merge_range(0, 1, 0, 2, "north")
        sheet.merge_range(0, 3, 0, 4, "south")

    found = read_csv(book(fill), ReadOptions(target_column="south units"))
    assert found.frame.y.tolist() == [0, 1, 2, 3, 4]


def test_a_branch_that_stands_in_its_first_year_alone_names_all_of_its_years() -> None:
    months = ["Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]
    lines: list[list[Any]] = [["Umsatz nach Monaten"], [], ["Filiale", "Jahr", *months, "Summe"]]
    lines += [
        [branch if year == 2022 else None, year, *(f"1.{year - 2000 + month:03},5" for month in range(12)), 9]
        for branch in ("Nord", "Süd")
        for year in (2022, 2023)
    ]
    found = read_csv(
        book(lambda workbook: rows(workbook, "Bericht", [*lines, ["Gesamt", None, *[1] * 13]])), ReadOptions()
    )
    assert (found.frame.unique_ids, found.profile.observations) == (("Nord", "Süd"), 48)
    assert found.frame.y[:2].tolist() == [1022.5, 1023.5]


def test_labels_above_all_columns_of_a_pivot_are_no_part_of_their_names() -> None:
    lines: list[list[Any]] = [
        ["Sum of sales", "Column Labels"],
        ["Row Labels", "North", "South", "Grand Total"],
    ]
    lines += [[day, i, 2 * i, 3 * i] for i, day in enumerate(DAYS)]
    found = read_csv(
        book(lambda workbook: rows(workbook, "Pivot", lines)), ReadOptions(target_column="South")
    )
    assert (found.frame.y.tolist(), found.profile.detected.time_column) == ([0, 2, 4, 6, 8], "Row Labels")


@pytest.mark.parametrize("kind", [kinds.open_document, kinds.binary_workbook])
def test_workbooks_of_other_programs_are_read(kind: Callable[..., bytes]) -> None:
    lines = [["year", "y"], *([str(2000 + i), f"{i}.5"] for i in range(6))]
    found = read_csv(kind(lines, STEADY), ReadOptions(target_column="y"))
    assert (times(found), found.frame.y.tolist()) == ([*range(2000, 2006)], [i + 0.5 for i in range(6)])


def test_a_workbook_of_excel_97_is_read() -> None:
    found = read_csv(kinds.old_workbook([], STEADY), ReadOptions(sheet="Quarterly", target_column="GDPC96"))
    assert (found.profile.start, found.profile.frequency) == ("1947-01-01", "QS-OCT")
    assert found.frame.y[0] == 1772.204
