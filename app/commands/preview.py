"""Print how a file would be read, without storing anything."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.intake.files.conversion import FileLimits
from app.intake.preview import preview_csv
from app.intake.reader import ReadOptions
from app.schemas.datasets import PreviewOut

SHOWN_REPAIRS = 5


def preview(file: Path, options: ReadOptions, limits: FileLimits, console: Console) -> bool:
    """Print the columns, the first rows, notes and questions of a file; return whether it can be uploaded.

    Raises BadInput where no table can be found in it.
    """
    with file.open("rb") as content:
        found = preview_csv(content, options, limits)
    console.print(_columns(found))
    console.print(_rows(found))
    if (profile := found.profile) is not None:
        console.print(
            f"{profile.series:,} series at steps of {profile.frequency!r}, {profile.start} to {profile.end}:"
            f" {profile.observations:,} values, {profile.gaps:,} gaps, {profile.repairs_total:,} repairs,"
            f" {found.off_step:,} rows beside the step."
        )
        for repair in profile.repairs[:SHOWN_REPAIRS]:
            console.print(f"- {'' if repair.row is None else f'row {repair.row}: '}{escape(repair.detail)}")
    for note in found.detected.notes:
        console.print(f"Note: {escape(note)}")
    for question in found.questions:
        option = question.parameter.replace("_", "-")
        console.print(f"Question, settled by --{option}: {escape(question.question)}")
    for problem in found.problems:
        console.print(f"Problem: {escape(problem.detail)}")
    return not found.questions and not found.problems


def _columns(found: PreviewOut) -> Table:
    table = Table("column", "role", "why")
    for column in found.detected.columns:
        table.add_row(escape(column.name), column.role, escape(column.reason))
    return table


def _rows(found: PreviewOut) -> Table:
    table = Table("unique_id", "ds", "y", title="The first rows as they are read", title_justify="left")
    for row in found.rows:
        table.add_row(*(escape(str(value)) for value in (row.unique_id, row.ds, row.y)))
    return table
