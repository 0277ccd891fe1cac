"""Convert a workbook into lines of JSON: for each sheet its name, and then its lines."""

import contextlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from app.intake.files.refusals import Bounds, Refused, Vast, refuse_many

GROWTH = 2  # of the parts together, beyond what a text may take
MOST_ROWS = 1_048_576  # of a sheet in any spreadsheet
MOST_HOLLOW = 0.9  # of the formulas; a few may be cut in two by the pieces
PIECE = 1_048_576  # bytes that are counted at a time
SHEET = re.compile(r"worksheets/[^/]*\.xml$")
FORMULA = re.compile(rb"<f[ >/]")
HOLLOW = re.compile(
    rb'<c(?: r="\w+")?(?: s="\d+")?><f[^>]*>[^<]*</f>(?:<v ?/>)?</c>'
)  # a formula without its value
HOUR, MINUTE = 3600, 60
Line = list[Any]


def convert(source: IO[bytes], target: IO[bytes], bounds: Bounds) -> None:
    """Write every sheet that is shown and not empty; raises Refused where there is none.

    Raises Vast for more cells than may be read.
    """
    _refuse_vast(source, bounds)
    try:
        book = CalamineWorkbook.from_filelike(source)
        shown = [each.name for each in book.sheets_metadata if _is_shown(each)]
        sheets = [book.get_sheet_by_name(name) for name in shown]
    except CalamineError as error:
        raise Refused(_why(error)) from error
    filled = [sheet for sheet in sheets if sheet.start is not None]
    if not filled:
        raise Refused(
            "The workbook has no sheet with a table. Send one with a header and a row for each time."
        )
    for sheet in filled:
        bounds.refuse_many_columns(sheet.width)
        target.write(f"{json.dumps({'sheet': sheet.name})}\n".encode())
        for line in _lines(sheet):
            target.write(json.dumps([_plain(cell) for cell in line]).encode() + b"\n")


def _refuse_vast(source: IO[bytes], bounds: Bounds) -> None:
    """Count rows and cells of an archive's sheets while they are unpacked, before any is read.

    Raises Refused where their formulas have no values.
    """
    with contextlib.suppress(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        parts = zipfile.ZipFile(source).infolist()
        if sum(part.file_size for part in parts) > GROWTH * bounds.size:
            raise Vast("")
        cells = formulas = hollow = 0
        for part in parts:
            if not SHEET.search(part.filename):
                continue
            rows = 0
            for piece in _pieces(source, part):
                rows += piece.count(b"<row")
                cells += piece.count(b"<c ") + piece.count(b"<c>")
                formulas += len(FORMULA.findall(piece))
                hollow += len(HOLLOW.findall(piece))
                refuse_many("rows in a sheet", rows, MOST_ROWS)
                refuse_many("cells", cells, bounds.cells)
        if hollow and hollow >= MOST_HOLLOW * formulas:
            raise Refused(
                "The cells of the workbook hold formulas without their values, as a program wrote it. Open it"
                " in a spreadsheet and save it, so that they are worked out, or send CSV."
            )
    source.seek(0)


def _pieces(source: IO[bytes], part: zipfile.ZipInfo) -> Iterator[bytes]:
    with zipfile.ZipFile(source).open(part) as sheet:
        while piece := sheet.read(PIECE):
            yield piece


def _is_shown(sheet: Any) -> bool:
    is_table: bool = sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    return is_table


def _why(error: CalamineError) -> str:
    if "password" in str(error).lower():
        return "The workbook is protected by a password. Save it without, or send CSV."
    return (
        "The file begins as a ZIP archive or a workbook, but holds no sheets that can be read. Save it again,"
        " or send CSV."
    )


def _lines(sheet: CalamineSheet) -> Iterator[Line]:
    """Yield the lines of a sheet from its row 1 and its first column with cells on, merged cells filled."""
    merged = _fillings(sheet)
    for number, line in enumerate(sheet.iter_rows()):
        for first, last, content in merged.get(number, ()):
            line[first : last + 1] = [content] * (last + 1 - first)
        yield line


def _fillings(sheet: CalamineSheet) -> dict[int, list[tuple[int, int, Any]]]:
    """Return what merged cells hold, by line: first and last column, and the content.

    A title, which is alone in its line, is not repeated over the columns that it stands above.
    """
    (_, left), (lowest, rightmost) = sheet.start or (0, 0), sheet.end or (0, 0)
    ranges = sheet.merged_cell_ranges or []
    wanted = {top for (top, _), _ in ranges}
    lines = _until(sheet.iter_rows(), max(wanted, default=-1))
    tops = {number: line for number, line in enumerate(lines) if number in wanted}
    found: dict[int, list[tuple[int, int, Any]]] = {}
    for (top, first), (bottom, last) in ranges:
        if top not in tops or not left <= first <= rightmost:
            continue
        content = tops[top][first - left]
        is_alone = sum(cell != "" for cell in tops[top]) == 1
        if content == "" or (is_alone and last > first):
            continue
        for number in range(top, min(bottom, lowest) + 1):
            found.setdefault(number, []).append((first - left, min(last, rightmost) - left, content))
    return found


def _until(lines: Iterable[Line], last: int) -> Iterator[Line]:
    for number, line in enumerate(lines):
        if number > last:
            return
        yield line


def _plain(cell: Any) -> str | float | bool:
    """Return a cell as JSON has it: dates and times as ISO 8601, durations in hours, minutes and seconds."""
    if isinstance(cell, datetime):
        return cell.isoformat().removesuffix("T00:00:00")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // HOUR}:{seconds % HOUR // MINUTE:02}:{seconds % MINUTE:02}"
    plain: str | float | bool = cell
    return plain
