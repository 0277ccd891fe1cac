"""Names that are times with a mark of a footnote, as `2021(p)`, and names that only begin like times."""

import re
from collections.abc import Collection, Sequence

from app.intake.columns.contents import Sample
from app.intake.columns.headers.layout import Across
from app.intake.columns.names import is_total
from app.intake.options import as_option
from app.intake.problems import Question, listed
from app.intake.time.notations.languages import month_numbers

# Of footnotes, and of actual, provisional and revised values: E and F are of estimates and forecasts.
MARK = re.compile(
    r"\s?(?:\*{1,3}|[†‡]|[⁰¹²³⁴-⁹]{1,2}|\[\w{1,2}\]"
    r"|\((?:p|r|a|prov|prel|rev|provisional|preliminary|revised|actual)\.?\)|(?<=\d)(?:p|r|a))$",
    re.IGNORECASE,
)
YEAR_FIRST = re.compile(r"(?:1[5-9]|20|21)\d{2}(?!\d)")
MONTH_FIRST = re.compile(r"([^\W\d_]+)\.?[\s'./-]*\d")
NUMBERS = {"whole", "number", "empty"}
MONTHS = 12


def without_mark(name: str) -> str:
    """Return a name without the mark of a footnote behind it."""
    return MARK.sub("", name)


def mark_notes(names: Sequence[str]) -> tuple[str, ...]:
    """Return a note on names that are read without the mark behind them."""
    marked = [name for name in names if without_mark(name) != name]
    return (f"{listed(marked)} count as times without the mark behind them.",) if marked else ()


def near_times(sample: Sample, across: Across, left: Collection[str]) -> Question | None:
    """Return the question what columns are that stand among those of times and only begin like one.

    `left` are the columns without a role.
    """
    found = _near(sample, across, left)
    if not found:
        return None
    return Question(
        "unused_columns",
        f"Among columns whose names are times, the names {listed(found)} begin like times and cannot be read"
        f" as such. If they are times, write them in the header as {across.names[0]!r} is written; if they"
        " are none, say by unused_columns that these columns are to be passed over.",
        (as_option(found) or "",),
        "names of columns begin like times",
    )


def _near(sample: Sample, across: Across, left: Collection[str]) -> list[str]:
    """Return columns of numbers that begin like times, before, between or right after those of times."""
    at = [sample.names_at[name] for name in across.names]
    first, end = min(at), max(at) + 1
    found: list[str] = []
    for i, name in enumerate(sample.names[:end]):
        if name in left and sample.contents[name] in NUMBERS and _may_be(name, across, between=i > first):
            found.append(name)
    for name in sample.names[end:]:
        if name not in left or not _may_be(name, across, between=True):
            break
        if sample.contents[name] in NUMBERS:
            found.append(name)
    return found


def _may_be(name: str, across: Across, *, between: bool) -> bool:
    """Return whether a name may be meant as a time, and is not that of a total."""
    if is_total(re.sub(r"\d{4}", "", name)):
        return False
    if across.part not in {"date", "year"}:
        return between and _is_misspelled(name, across)
    return _begins(name) or (between and _is_alike(name, across))


def _begins(name: str) -> bool:
    """Return whether a name begins with a year, or with a month and a number."""
    month = MONTH_FIRST.match(name)
    return YEAR_FIRST.match(name) is not None or bool(month and month_numbers([month[1]]))


def _is_alike(name: str, across: Across) -> bool:
    """Return whether a name has words and digits where those of times have them."""
    return _shape(name) in {_shape(each) for each in across.names}


def _shape(name: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "0", name))


def _is_misspelled(name: str, across: Across) -> bool:
    """Return whether a name may be one of the months that are missing."""
    if across.part not in {"month", "fiscal_month"} or len(across.names) >= MONTHS:
        return False
    return re.fullmatch(r"[^\W\d_]{3,}\W*", name) is not None
