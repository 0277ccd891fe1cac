"""Names that are times with a mark of a footnote, as `2021(p)`, and names that only begin like times."""

import re
from collections.abc import Collection, Mapping, Sequence

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
    at, free = [sample.names_at[name] for name in across.names], set(left)
    first, end = min(at), max(at) + 1
    shapes = {_shape(name) for name in across.names}
    months = _months(across) if across.part in {"month", "fiscal_month"} else {}
    names, found = sample.names, list[str]()
    for i, name in enumerate(names):
        if across.part in {"date", "year"}:
            near = not _is_total(name) and (_begins(name) or (i > first and _shape(name) in shapes))
        else:
            near = _is_misspelled(names, i, months)
        if i >= end and not (near and name in free):
            break
        if near and name in free and sample.contents[name] in NUMBERS:
            found.append(name)
    return found


def _is_total(name: str) -> bool:
    return is_total(re.sub(r"\d{4}", "", name))


def _begins(name: str) -> bool:
    """Return whether a name begins with a year, or with a month and a number."""
    month = MONTH_FIRST.match(name)
    return YEAR_FIRST.match(name) is not None or bool(month and month_numbers([month[1]]))


def _shape(name: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "0", name))


def _months(across: Across) -> dict[str, int]:
    """Return the month, 1 to 12, of each column of months."""
    return {name: (int(text) - 1) % MONTHS + 1 for name, text in zip(across.names, across.texts, strict=True)}


def _is_misspelled(names: Sequence[str], at: int, months: Mapping[str, int]) -> bool:
    """Return whether a word stands where a month is missing, before the next one or as the twelfth."""
    before = months.get(names[at - 1]) if at else None
    if before is None or re.fullmatch(r"[^\W\d_]{3,}\W*", names[at]) is None:
        return False
    missing, behind = before % MONTHS + 1, months.get(names[at + 1]) if at + 1 < len(names) else None
    is_next = behind is not None and behind == missing % MONTHS + 1
    return (
        missing not in months.values() and (is_next or len(months) == MONTHS - 1) and not is_total(names[at])
    )
