"""Find the columns beside the target that may be covariates, by options and by a sample."""

import difflib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from app.errors import BadInput, FieldError
from app.intake.columns.coded import Candidate
from app.intake.columns.contents import Sample
from app.intake.columns.names import CALENDAR_NAMES, KNOWN_DAYS, is_code_name, normal
from app.intake.columns.time_parts import TIME_OF_DAY, Part
from app.intake.covariates import CovariateKind, CovariateRole
from app.intake.options import ReadOptions, named
from app.intake.problems import listed
from app.schemas.datasets import ColumnOut
from app.schemas.fields import ROW_FIELDS

Given = Mapping[str, tuple[str, ...]]  # the columns that each option names
# Comparing two names costs the product of their lengths, so long names are cut and long lists too.
COMPARED, MOST_COMPARED = 100, 1_000
MOST = 100  # columns that are found to be covariates; a caller may name more
MOST_TEXTS = 1_000  # of a category
NUMERIC = ("whole", "number")
UNUSED_HERE = "is no column of the dataset"
ROLES: dict[str, CovariateRole] = {
    "past_columns": "past",
    "future_columns": "future",
    "static_columns": "static",
}


def named_candidates(names: Sequence[str], given: Given, kind: CovariateKind | None) -> list[Candidate]:
    """Return the covariates that options name, in the order of `names`.

    `kind` is what those hold that are not said to be categories; None where it is found.
    """
    options = {name: option for option in ("category_columns", *ROLES) for name in given[option]}
    return [
        Candidate(
            name,
            ROLES.get(options[name]),
            "category" if name in given["category_columns"] else kind,
            reason=f"{options[name]} names it",
        )
        for name in names
        if name in options
    ]


def given_columns(options: ReadOptions, names: Sequence[str], every: Sequence[str]) -> Given:
    """Return the columns that the caller names by some options.

    Raises BadInput for one that is absent or has two roles.
    """
    columns = set(names)
    given = {option: named(getattr(options, option), columns) for option in every}
    _refuse_absent(given, names)
    # A covariate may be said to be of categories; a column that is named for two roles is a mistake.
    kinds = set(given["category_columns"]) - {name for option in ROLES for name in given[option]}
    chosen = Counter(name for option in every if option != "category_columns" for name in given[option])
    for option in every:
        for name in given[option]:
            if chosen[name] + (name in kinds) > 1:
                raise BadInput(
                    f"Column {name!r} is given two roles; name one column for each.",
                    [FieldError(f"#/{option}", "named for another role too")],
                )
    return given


def _refuse_absent(given: Given, names: Sequence[str]) -> None:
    for option, every in given.items():
        for name in every:
            if name not in names:
                close = difflib.get_close_matches(name[:COMPARED], names[:MOST_COMPARED], n=3)
                hint = f" Did you mean {listed(close)}?" if close else ""
                absent = repr(name[:COMPARED])
                detail = f"There is no column {absent}; the table has {listed(names)}.{hint}"
                raise BadInput(detail, [FieldError(f"#/{option}", f"no column {absent}")])


def found_candidates(
    sample: Sample, free: Sequence[str], parts: Mapping[str, Part], keys: Collection[str]
) -> tuple[list[Candidate], dict[str, str]]:
    """Return the columns that may be covariates, and why the others are left.

    Args:
        sample: the first rows.
        free: columns without another role.
        parts: those that hold a part of a time.
        keys: those that tell the rows of one time apart.
    """
    found: list[Candidate] = []
    left: dict[str, str] = {}
    for name in free:
        if reason := _unfit(sample, name, parts, keys):
            left[name] = reason
        elif len(found) < MOST:
            found.append(Candidate(name, None, *_look(sample, name)))
        else:
            left[name] = f"only the first {MOST} columns are taken unnamed; past_columns may name it"
    return found, left


def with_look(candidate: Candidate, sample: Sample) -> Candidate:
    """Return a candidate that the caller names, with whether it is read as numbers."""
    is_category = candidate.kind == "category"
    numeric = sample.contents[candidate.name] in NUMERIC and not is_category
    return replace(candidate, looks_numeric=numeric)


def _look(sample: Sample, name: str) -> tuple[CovariateKind | None, bool]:
    """Return what a column holds where its name tells it, and whether it is read as numbers."""
    content = sample.contents[name]
    is_code = content == "whole" and is_code_name(name)
    return "category" if is_code else None, content in NUMERIC and not is_code


def _unfit(sample: Sample, name: str, parts: Mapping[str, Part], keys: Collection[str]) -> str:
    """Return why a column is no covariate by its name and a sample; empty where it may be one."""
    if name in ROW_FIELDS:
        return "is named as a field of JSON rows, which mean the values, times or series by it"
    if sample.contents[name] == "date":
        return "holds dates"
    if parts.get(name) in TIME_OF_DAY:
        return "holds a time of day"
    if name in parts or normal(name) in CALENDAR_NAMES - KNOWN_DAYS:
        return "follows from the calendar"
    if name in keys:
        return "tells the rows of one time apart"
    _, looks_numeric = _look(sample, name)
    return "" if looks_numeric else too_many(sample.distinct[name], len(sample.frame))


def too_many(texts: int, rows: int) -> str:
    """Return why a column is no category: over 1,000 different texts, or over one for every second row."""
    if texts <= min(MOST_TEXTS, max(rows / 2, 2)):
        return ""
    return f"holds {texts:,} different texts, too many for a category"


def unused_notes(columns: Sequence[ColumnOut]) -> list[str]:
    """Return a sentence for all columns that are left for the same reason."""
    unused = {column.name: column.reason for column in columns if column.role == "unused"}
    return [
        f"Not used: {listed(name for name, why in unused.items() if why == reason)} ({reason})."
        for reason in dict.fromkeys(unused.values())
    ]
