"""Decide which columns hold names, times and values, and which may be covariates: by name and content."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from app.errors import BadInput
from app.intake.columns.across import find_across, identity_across
from app.intake.columns.beside import (
    UNUSED_HERE,
    Given,
    found_candidates,
    given_columns,
    named_candidates,
    with_look,
)
from app.intake.columns.choices import Choice
from app.intake.columns.coded import Candidate
from app.intake.columns.contents import Sample, contents
from app.intake.columns.headers.layout import Across
from app.intake.columns.headers.marks import near_times
from app.intake.columns.identities import Read, find_identity, further_keys
from app.intake.columns.names import is_total
from app.intake.columns.targets import find_target, sign_notes, without_meaning
from app.intake.columns.time_parts import Part, fiscal_note, hours_note, part_of
from app.intake.columns.times import find_times, parts_of
from app.intake.covariates import CovariateKind
from app.intake.options import BESIDE, ReadOptions
from app.intake.problems import Question, listed
from app.intake.time.notations.cells import Cells
from app.schemas.datasets import ColumnOut

OPTIONS = ("id_column", "time_column", "target_column", *BESIDE)
UNUSED_SAID = "unused_columns names it"
TOTALS = "is named as a total of other columns"
MOST_KEYS = 50  # columns that are tried as further names of the series


@dataclass(frozen=True)
class Roles:
    """The columns that hold names, times and values; without `ids` the table is one series."""

    ids: tuple[str, ...]
    times: tuple[str, ...]
    parts: tuple[Part | None, ...]  # what each of several columns of times holds, then what `across` is
    targets: tuple[str, ...]
    beside: tuple[Candidate, ...]  # those that may be covariates
    columns: tuple[ColumnOut, ...]  # every column of the table, with its role and why
    questions: tuple[Question, ...]  # what is open; the roles are then the likeliest
    notes: tuple[str, ...]
    keys: tuple[str, ...]  # columns without a role that could name series as well
    across: tuple[str, ...] = ()  # the time, or the part of one, that the name of each target is

    @property
    def beside_names(self) -> list[str]:
        """The columns that may be covariates."""
        return [each.name for each in self.beside]

    @property
    def numeric_names(self) -> list[str]:
        """Those of them that are read as numbers."""
        return [each.name for each in self.beside if each.looks_numeric]


def find_roles(frame: pd.DataFrame, unnamed: frozenset[str], options: ReadOptions, read: Read) -> Roles:
    """Decide the roles; raises BadInput where no column can have one.

    Args:
        frame: the first rows, as text.
        unnamed: the columns whose cell in the header is empty.
        options: the columns that the caller names.
        read: reads whole columns as categories; called where repetitions over the whole table decide.
    """
    sample = Sample(frame)
    given = given_columns(options, sample.names, OPTIONS)
    taken = {name for names in given.values() for name in names}
    aside = {name: why for name, why in without_meaning(sample, unnamed).items() if name not in taken}
    free = [name for name in sample.names if name not in taken and name not in aside]
    parts = parts_of(sample, free)
    if options.layout != "long" and not given["target_column"]:
        said = parts_of(sample, given["time_column"])
        across = find_across(sample, [*free, *said], {**parts, **said}, options.date_format)
        if across is not None:
            return _roles_across(sample, across, given, options, read)
    _refuse_header_of_data(sample.names)
    time = _by(given, "time_column") or find_times(sample, free, parts, read, options.date_format)
    free = [name for name in free if name not in time.names]
    names = [name for name in free if name not in parts]
    identity = _by(given, "id_column") or find_identity(sample, names, time.names, read, options.duplicates)
    free = [name for name in free if name not in identity.names]
    whole = [name for name in free if sample.contents[name] == "whole"][:MOST_KEYS]
    keys = further_keys(frame, identity.names, time.names, whole)
    target = _by(given, "target_column") or find_target(
        sample, free, parts, keys, options.layout or ("long" if identity.names else None)
    )
    free = [name for name in free if name not in target.names]
    totals = [name for name in free if len(target.names) > 1 and is_total(name)]
    found, left = found_candidates(sample, [name for name in free if name not in totals], parts, keys)
    if not options.finds_covariates:
        found, left = [], dict.fromkeys(free, UNUSED_HERE)
    left |= dict.fromkeys(totals, TOTALS) | aside | dict.fromkeys(given["unused_columns"], UNUSED_SAID)
    return _roles(sample, (time, identity, target), [*_named(sample, given, options), *found], left)


def _roles_across(sample: Sample, across: Across, given: Given, options: ReadOptions, read: Read) -> Roles:
    """Return the roles where the names of columns are times."""
    taken = {name for names in given.values() for name in names} | {*across.names, *across.rows}
    free = [name for name in sample.names if name not in taken]
    identity = _by(given, "id_column") or identity_across(sample, free, across, read)
    free = [name for name in free if name not in identity.names]
    found: list[Candidate] = []
    left = dict.fromkeys([*free, *given["unused_columns"]], "stands beside times in the header")
    if options.finds_covariates and not across.rows:
        totals = [name for name in free if is_total(name)]
        found, left = found_candidates(sample, [name for name in free if name not in totals], {}, ())
        left |= dict.fromkeys(totals, TOTALS) | dict.fromkeys(given["unused_columns"], UNUSED_SAID)
    time = Choice(tuple(across.rows), "a part of the time")
    question = near_times(sample, across, free)
    target = Choice(across.names, "its name is a time", question, across.notes)
    named = _named(sample, given, options)
    roles = _roles(sample, (time, identity, target), [*named, *found], left)
    return replace(roles, parts=(*across.rows.values(), across.part), across=across.texts)


def _named(sample: Sample, given: Given, options: ReadOptions) -> list[Candidate]:
    """Return the covariates that the caller names; those of a dataset are numbers if not categories."""
    kind: CovariateKind | None = None if options.finds_covariates else "number"
    return [with_look(each, sample) for each in named_candidates(sample.names, given, kind)]


def _by(given: Given, option: str) -> Choice | None:
    """Return the columns that an option names as a choice, None if it names none."""
    return Choice(given[option], f"{option} names it") if given[option] else None


def _roles(
    sample: Sample, choices: tuple[Choice, Choice, Choice], beside: list[Candidate], left: Mapping[str, str]
) -> Roles:
    time, identity, target = choices
    columns = {name: ColumnOut(name=name, role="unused", reason=why) for name, why in left.items()}
    # Until all rows are read, those beside the target count as ending with it.
    columns |= {
        each.name: ColumnOut(name=each.name, role=each.role or "past", reason=each.reason) for each in beside
    }
    for role, choice in (("id", identity), ("time", time), ("target", target)):
        reason = choice.reason
        columns |= {name: ColumnOut(name=name, role=role, reason=reason) for name in choice.names}
    keys = {each.name for each in beside if not each.is_named} | left.keys()
    return Roles(
        ids=identity.names,
        times=time.names,
        parts=tuple(part_of(sample, name) for name in time.names),
        targets=target.names,
        beside=tuple(sorted(beside, key=lambda each: sample.names_at[each.name])),
        columns=tuple(columns[name] for name in sample.names),
        questions=tuple(each.question for each in choices if each.question),
        notes=(
            *(note for each in choices for note in each.notes),
            *hours_note(sample, time.names),
            *(fiscal_note(sample, time.names) if len(time.names) > 1 else ()),
            *sign_notes(sample, target.names),
        ),
        keys=tuple(
            name for name in sample.names if name in keys and sample.contents[name] in {"text", "whole"}
        )[:MOST_KEYS],
    )


def _refuse_header_of_data(names: list[str]) -> None:
    """Raise BadInput for a first row of numbers and dates: no header, or one with a column for each time."""
    found = zip(names, contents(Cells.of_names(names)), strict=True)
    plain = [name for name, content in found if content in {"date", "whole", "number"}]
    if len(plain) * 2 >= len(names):
        raise BadInput(
            f"The first row holds {listed(plain)} where names of columns should be. Add a header row; and if"
            " there is a column for each time, turn the table so that there is a row for each time."
        )
