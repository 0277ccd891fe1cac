"""Times in the header: a table with a column of values for each time, as statistical offices publish it."""

import re
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from app.errors import BadInput
from app.intake.columns.choices import Choice
from app.intake.columns.contents import Sample, contents
from app.intake.columns.headers.layout import Across
from app.intake.columns.headers.marks import mark_notes, without_mark
from app.intake.columns.headers.parts import LEAST, YEAR, parts_across, turns
from app.intake.columns.identities import Read
from app.intake.columns.names import ID_NAMES, TIME_NAMES, in_first_tier, is_code_name
from app.intake.columns.time_parts import OF_A_YEAR, Part, year_of
from app.intake.time.dates import Hints
from app.intake.time.notations.cells import Cells
from app.intake.time.notations.characters import plain
from app.intake.time.notations.weekdays import weekday_numbers
from app.intake.time.times import read_times, which_in_format

LEAST_NUMBERED = 6
YEAR_SIGN = r"(?<=^\d{4})[年년]$"
PACKED = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-3]\d)?")
BEGUN = re.compile(r"\d{4}|\d{1,2}[^\d\s]")  # a time, or a date
TWICE = re.compile(r"(\d{4}(?:\D?\d{1,2})?) \[YR\1\]")  # as the World Bank's DataBank writes
NUMBERED = re.compile(r"(\D*)(\d.*)")


def find_across(
    sample: Sample, free: Sequence[str], parts: Mapping[str, Part], date_format: str | None = None
) -> Across | None:
    """Return the columns whose names are times, if there are three or more; None for any other table.

    Args:
        sample: the first rows.
        free: columns without another role, and those that may hold parts of times.
        parts: what part of a time columns hold.
        date_format: of the times, if it is said.
    """
    days = weekday_numbers([name for name in free if re.search(r"\d", name) is None])
    parts = {name: part for name, part in parts.items() if name not in days}  # Mon is no month among them
    others = [name for name in free if name not in parts]
    numbers = {name for name in others if sample.contents[name] in {"whole", "number", "empty"}}
    if not numbers or len(others) < LEAST:
        return None
    first: dict[Part, str] = {part: name for name, part in reversed([*parts.items()])}
    whole = _whole_times(others, numbers, date_format)
    if whole is None:
        values = [name for name in others if name in numbers]
        has_times = first or in_first_tier(others, TIME_NAMES)
        return parts_across(sample, others, first) or (None if has_times else _numbered(values))
    names, texts = whole
    if all(map(year_of, texts)):
        finest = next((each for each in OF_A_YEAR if set(each) <= set(first)), ())
        if finest:
            return _with_years(sample, names, texts, {first[part]: part for part in finest})
    return None if first else Across(names, texts, "date", {}, mark_notes(names))


def _with_years(
    sample: Sample, names: tuple[str, ...], texts: tuple[str, ...], rows: dict[str, Part]
) -> Across:
    """Return columns of years whose months, weeks or the like are in rows."""
    notes, years = mark_notes(names), tuple(str(year_of(text)) for text in texts)
    month = next((name for name, part in rows.items() if part == "month"), None)
    if month and (begins := turns(sample, month)):
        note = (
            f"The months in {month!r} begin with {begins!r}, as those of a fiscal year do: those from January"
            f" on count for the year after {names[0]!r}. If that is the year that ends, write 2019-20 for it."
        )
        return Across(names, years, "year", {**rows, month: "fiscal_month"}, (*notes, note))
    double = (f"Years such as {texts[0]!r} count as the first one.",) if years != texts else ()
    return Across(names, years, "year", rows, (*notes, *double))


def _whole_times(
    names: Sequence[str], numbers: Collection[str], date_format: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the columns named by whole times, and their times, where most `numbers` are among them."""
    own = tuple(plain(pd.Series(names, dtype="object")).str.replace(YEAR_SIGN, "", regex=True))
    twice = tuple(TWICE.sub(r"\1", name) for name in names)
    marked = tuple(map(without_mark, own))
    for texts in dict.fromkeys((marked, own, twice, tuple(_without_prefix(names)))):
        if texts not in (marked, own) and sum(BEGUN.match(text) is not None for text in texts) < LEAST:
            continue
        kinds = contents(Cells.of_names([*texts]))
        in_format = which_in_format(pd.Series(texts, dtype="object"), date_format)
        found = {
            name: text
            for name, text, kind, is_date in zip(names, texts, kinds, in_format, strict=True)
            if kind == "date" or is_date or YEAR.fullmatch(text) or PACKED.fullmatch(text)
        }
        if len(found) >= LEAST and _mostly(found, numbers) and _read_apart([*found.values()], date_format):
            return tuple(found), tuple(found.values())
    return None


def _mostly(names: Collection[str], numbers: Collection[str]) -> bool:
    """Return whether most of some columns hold numbers, and most that do are among them."""
    both = len(set(names) & set(numbers))
    return both * 2 > len(names) and both * 2 > len(numbers)


def _without_prefix(names: Sequence[str]) -> list[str]:
    """Return names without the letters that most of them begin with before a digit, as X1990."""
    found = [NUMBERED.fullmatch(name) for name in names]
    prefixes = pd.Series([match[1] for match in found if match], dtype="object")
    if prefixes.empty:
        return [*names]
    most = str(prefixes.mode().iloc[0])
    return [match[2] if match and match[1] == most else "" for match in found]


def _read_apart(texts: Sequence[str], date_format: str | None) -> bool:
    """Return whether texts are all read as times, no two of them the same, or a format is to be asked."""
    try:
        times = read_times(pd.Series(texts, dtype="object"), Hints(date_format=date_format))
    except BadInput as error:
        return any(part.pointer == "#/date_format" for part in error.errors) and date_format is None
    return bool(times.readable.all()) and len(set(times.ordinals.tolist())) == len(texts)


def _numbered(names: Sequence[str]) -> Across | None:
    """Return columns numbered one after the other, such as d_1 to d_1913."""
    texts = _without_prefix(names)
    found = [(name, text) for name, text in zip(names, texts, strict=True) if text.isdecimal()]
    numbers = [int(text) for _, text in found]
    in_turn = numbers == [*range(numbers[0], numbers[0] + len(numbers))] if numbers else False
    if not in_turn or len(numbers) < LEAST_NUMBERED or len(numbers) * 2 <= len(names):
        return None
    return Across(tuple(name for name, _ in found), tuple(text for _, text in found), "date")


def identity_across(sample: Sample, free: Collection[str], across: Across, read: Read) -> Choice:
    """Choose the columns that name the series: one that tells all rows apart, else several together."""
    rows = list(across.rows)
    texts = [name for name in free if sample.contents[name] == "text"]
    fit = texts + [name for name in free if sample.contents[name] == "whole" and is_code_name(name)]
    frame = read([*fit, *rows])
    frame = frame[(frame[fit] != "").any(axis=1)]
    if len(frame) == 1 and not rows and texts:
        named = in_first_tier(texts, ID_NAMES) or [name for name in texts if "name" in name.lower()]
        return Choice(((named or texts)[0],), "holds the name of the only row")
    if len(frame) <= 1 or (rows and not frame.duplicated(rows).any()):
        return Choice((), "")

    def distinct(*names: str) -> int:
        return len(frame[[*names, *rows]].drop_duplicates())

    certain, every = in_first_tier(fit, ID_NAMES[:2]), distinct(*fit)
    in_order = sorted(fit, key=lambda name: (name not in certain, "name" not in name.lower()))
    for name in in_order:
        if distinct(name) == every:
            return Choice((name,), "tells the rows apart")
    chosen: list[str] = []
    for name in sorted(in_order, key=lambda name: ("name" not in name.lower(), -distinct(name))):
        if distinct(*chosen, name) > (distinct(*chosen) if chosen else 0):
            chosen.append(name)
    return Choice(tuple(name for name in sample.names if name in chosen), "tell the rows apart together")
