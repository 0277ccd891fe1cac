"""Show how an upload would be read: its first rows, what is open and what must be mended."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import IO, Any

import numpy as np

from app.errors import BadInput
from app.intake.beside.judging import NOT_JUDGED, Judged
from app.intake.files.conversion import FileLimits
from app.intake.options import ReadOptions
from app.intake.problems import Question, Unsettled
from app.intake.reader import (
    LIMITS,
    detected_rows,
    gather_table,
    in_its_zone,
    intake_of,
    open_table,
    rows_of_json,
)
from app.intake.rows.rows import Rows
from app.intake.series import Gathered, gather
from app.intake.table_rows import open_rows
from app.intake.time.times import Times
from app.schemas.datasets import Detected, ObservationIn, PreviewOut, ProblemOut, QuestionOut, RowOut

FIRST_ROWS = 5


def preview_csv(data: bytes | IO[bytes], options: ReadOptions, limits: FileLimits = LIMITS) -> PreviewOut:
    """Preview a table; where a question is open, as its likeliest answer would read it.

    Raises BadInput where no table can be found in the file, or no column for a role.
    """
    doubts: tuple[Question, ...] = ()
    try:
        opened = open_table(data, options, limits)
    except Unsettled as error:  # several sheets, or two encodings
        doubts = error.questions
        likely: dict[str, Any] = {doubt.option: doubt.candidates[0] for doubt in doubts}
        options = replace(options, **likely)
        opened = open_table(data, options, limits)
    try:
        table = open_rows(opened, options)
    except Unsettled as error:  # decimals or thousands
        doubts += error.questions
        table = open_rows(opened, replace(options, decimal="."))
    table = in_its_zone(table)
    questions = (*table.roles.questions, *doubts)
    return _preview(table.rows(), options, questions, lambda: gather_table(table), table.detected)


def preview_rows(observations: Sequence[ObservationIn], options: ReadOptions) -> PreviewOut:
    """Preview the rows of a JSON body; raises BadInput for an infinite value."""
    rows, unused = rows_of_json(observations, [row.unique_id for row in observations], options)
    return _preview(
        rows,
        options,
        (),
        lambda: gather(rows, options),
        lambda times, judged: detected_rows(times, judged, unused, options),
    )


def _preview(
    rows: Rows,
    options: ReadOptions,
    questions: Sequence[Question],
    read: Callable[[], Gathered],
    detect: Callable[[Times | None, Judged], Detected],
) -> PreviewOut:
    open_questions, problems, gathered = list(questions), [], None
    try:
        gathered = read()
    except Unsettled as error:
        open_questions += error.questions
    except BadInput as error:
        pointers = [part.pointer for part in error.errors]
        settling = [pointer[2:] for pointer in pointers if pointer in {"#/frequency", "#/date_format"}]
        open_questions += [Question(option, error.detail, (), "it is not plain") for option in settling]
        problems = [] if settling else [ProblemOut(detail=error.detail, pointers=pointers)]
    detected = detect(gathered.times, gathered.judged) if gathered else detect(None, NOT_JUDGED)
    profile = intake_of(gathered, detected, options).profile if gathered else None
    return PreviewOut(
        detected=profile.detected if profile else detected,
        rows=_first_rows(rows, gathered),
        questions=[
            QuestionOut(parameter=q.option, question=q.detail, candidates=list(q.candidates))
            for q in open_questions
        ],
        problems=problems,
        off_step=gathered.repairs.counts["moved"] if gathered else 0,
        profile=profile,
    )


def _first_rows(rows: Rows, gathered: Gathered | None) -> list[RowOut]:
    return [
        RowOut(
            unique_id=rows.name(row),
            ds=_time(rows, row, gathered),
            y=None if np.isnan(rows.y[row]) else float(rows.y[row]),
        )
        for row in range(min(FIRST_ROWS, len(rows.y)))
    ]


def _time(rows: Rows, row: int, gathered: Gathered | None) -> str | int | None:
    """Return a row's time as it is stored; as it is written where it could not be read."""
    code = int(rows.times[row])
    if code < 0 or gathered is None or not gathered.times.readable[code]:
        return rows.time(row) if code >= 0 else None
    return gathered.frame.axis.format(gathered.times.ordinals[code : code + 1])[0]
