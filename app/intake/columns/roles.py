"""Decide which columns hold the series' names, the times and the values: by name first, then by content."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from app.errors import BadInput, FieldError
from app.intake.cells import Cells
from app.intake.columns.choices import Choice
from app.intake.columns.contents import Sample, contents
from app.intake.columns.identities import Read, find_identity, further_keys
from app.intake.columns.targets import find_target, without_meaning
from app.intake.columns.time_parts import Part, part_of
from app.intake.columns.times import find_times, parts_of
from app.intake.options import ReadOptions, named
from app.intake.problems import Question, listed
from app.schemas.datasets import ColumnOut

Option = Literal["id_column", "time_column", "target_column"]

# Comparing two names costs the product of their lengths, so long names are cut and long lists too.
COMPARED, MOST_COMPARED = 100, 1_000
MOST_KEYS = 50  # columns that are tried as further names of the series
SEVERAL_TARGETS = " Several make one series each."


@dataclass(frozen=True)
class Roles:
    """The columns that hold names, times and values; without `ids` the table is one series."""

    ids: tuple[str, ...]
    times: tuple[str, ...]
    parts: tuple[Part | None, ...]  # what each of several columns of times holds
    targets: tuple[str, ...]
    columns: tuple[ColumnOut, ...]  # every column of the table, with its role and why
    questions: tuple[Question, ...]  # what is open; the roles are then the likeliest
    notes: tuple[str, ...]
    keys: tuple[str, ...]  # columns without a role that could name series as well


def find_roles(frame: pd.DataFrame, unnamed: frozenset[str], options: ReadOptions, read: Read) -> Roles:
    """Decide the roles; raises BadInput where no column can have one.

    Args:
        frame: the first rows, as text.
        unnamed: the columns whose cell in the header is empty.
        options: the columns that the caller names.
        read: reads whole columns; called where repetitions over the whole table decide.
    """
    sample = Sample(frame)
    given = _given(options, sample.names)
    _refuse_header_of_data(sample.names)
    taken = {name for names in given.values() for name in names}
    aside = {name: why for name, why in without_meaning(sample, unnamed).items() if name not in taken}
    free = [name for name in sample.names if name not in taken and name not in aside]
    parts = parts_of(sample, free)
    time = _by(given, "time_column") or find_times(sample, free, parts)
    free = [name for name in free if name not in time.names]
    names = [name for name in free if name not in parts]
    identity = _by(given, "id_column") or find_identity(sample, names, time.names, read)
    free = [name for name in free if name not in identity.names]
    whole = [name for name in free if sample.contents[name] == "whole"][:MOST_KEYS]
    keys = further_keys(frame, identity.names, time.names, whole)
    target = _by(given, "target_column") or find_target(sample, free, parts, keys, SEVERAL_TARGETS)
    return _roles(sample, time, identity, target, aside)


def _by(given: Mapping[Option, tuple[str, ...]], option: Option) -> Choice | None:
    """Return the columns that an option names as a choice, None if it names none."""
    return Choice(given[option], f"{option} names it") if given[option] else None


def _roles(sample: Sample, time: Choice, identity: Choice, target: Choice, aside: Mapping[str, str]) -> Roles:
    why = {
        **dict.fromkeys(sample.names, "stands beside the target"),
        **target.aside,
        **identity.aside,
        **aside,
    }
    columns = {name: ColumnOut(name=name, role="unused", reason=why[name]) for name in sample.names}
    for role, choice in (("id", identity), ("time", time), ("target", target)):
        reason = choice.reason
        columns |= {name: ColumnOut(name=name, role=role, reason=reason) for name in choice.names}
    unused = {name: column.reason for name, column in columns.items() if column.role == "unused"}
    choices = (time, identity, target)
    return Roles(
        ids=identity.names,
        times=time.names,
        parts=tuple(part_of(sample, name) for name in time.names),
        targets=target.names,
        columns=tuple(columns.values()),
        questions=tuple(each.question for each in choices if each.question),
        notes=(*(note for each in choices for note in each.notes), *_unused_notes(unused)),
        keys=tuple(name for name in unused if sample.contents[name] in {"text", "whole"})[:MOST_KEYS],
    )


def _unused_notes(unused: Mapping[str, str]) -> list[str]:
    """Return a sentence for all columns that are left for the same reason."""
    return [
        f"Not used: {listed(name for name, why in unused.items() if why == reason)} ({reason})."
        for reason in dict.fromkeys(unused.values())
    ]


def _given(options: ReadOptions, names: Sequence[str]) -> dict[Option, tuple[str, ...]]:
    """Return the columns that the caller names; raises BadInput for one that is absent or has two roles."""
    columns = set(names)
    given: dict[Option, tuple[str, ...]] = {
        "id_column": named(options.id_column, columns),
        "time_column": named(options.time_column, columns),
        "target_column": named(options.target_column, columns),
    }
    _refuse_absent(given, names)
    chosen = [name for every in given.values() for name in every]
    for option, every in given.items():
        for name in every:
            if chosen.count(name) > 1:
                raise BadInput(
                    f"Column {name!r} is given two roles; name one column for each.",
                    [FieldError(f"#/{option}", "named for another role too")],
                )
    return given


def _refuse_absent(given: Mapping[Option, tuple[str, ...]], names: Sequence[str]) -> None:
    for option, every in given.items():
        for name in every:
            if name not in names:
                close = difflib.get_close_matches(name[:COMPARED], names[:MOST_COMPARED], n=3)
                hint = f" Did you mean {listed(close)}?" if close else ""
                absent = repr(name[:COMPARED])
                detail = f"There is no column {absent}; the table has {listed(names)}.{hint}"
                raise BadInput(detail, [FieldError(f"#/{option}", f"no column {absent}")])


def _refuse_header_of_data(names: list[str]) -> None:
    """Raise BadInput for a first row of numbers and dates: no header, or one with a column for each time."""
    found = zip(names, contents(Cells.of_names(names)), strict=True)
    plain = [name for name, content in found if content in {"date", "whole", "number"}]
    if len(plain) * 2 >= len(names):
        raise BadInput(
            f"The first row holds {listed(plain)} where names of columns should be. Add a header row; and if"
            " there is a column for each time, turn the table so that there is a row for each time."
        )
