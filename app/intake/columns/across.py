"""Times in the header: a table with a column of values for each time, as statistical offices publish it."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from app.errors import BadInput
from app.intake.cells import Cells
from app.intake.columns.choices import Choice
from app.intake.columns.contents import Content, Sample, contents
from app.intake.columns.identities import Read
from app.intake.columns.names import ID_NAMES, in_first_tier, is_code_name
from app.intake.columns.time_parts import CLOCK, OF_A_YEAR, QUARTER, Part
from app.intake.problems import listed
from app.intake.time.dates import Hints
from app.intake.time.notations.languages import month_numbers
from app.intake.time.times import read_times

LEAST = 3  # columns of times; fewer may be anything
LEAST_NUMBERED = 6
YEAR = re.compile(r"(?:1[5-9]|20|21)\d{2}")
PACKED = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-3]\d)?")
BEGUN = re.compile(r"\d{4}|\d{1,2}[^\d\s]")  # a time, or a date
TWICE = re.compile(r"(\d{4}(?:\D?\d{1,2})?) \[YR\1\]")  # as the World Bank's DataBank writes
NUMBERED = re.compile(r"(\D*)(\d.*)")
MONTH = re.compile(r"(?:[1-9]|1[0-2])\s?[月월]")
ALL_MONTHS = {str(month) for month in range(1, 13)}
QUARTERS = 4  # of a year
HOURS = ({str(hour) for hour in range(24)}, {str(hour) for hour in range(1, 25)})
HOUR = re.compile(r"(?:h|he|hr|hour|hour ending)?[ _]?0?(\d{1,2})(?:h|:00)?", re.IGNORECASE)


@dataclass(frozen=True)
class Across:
    """The columns whose names are times, or parts of times, and the columns that hold the other parts."""

    names: tuple[str, ...]
    texts: tuple[str, ...]  # what tells the time of each
    part: Part  # "date" for whole times
    rows: Mapping[str, Part] = field(default_factory=dict)  # columns with the other parts

    @property
    def note(self) -> str:
        """Return a note on how the table is read."""
        beside = f" together with {listed(self.rows)}" if self.rows else ""
        return (
            f"The names of {len(self.names):,} columns, {self.names[0]!r} to {self.names[-1]!r}, are the"
            f" times{beside}; if they are not, say layout=long."
        )


def find_across(sample: Sample, free: Sequence[str], parts: Mapping[str, Part]) -> Across | None:
    """Return the columns whose names are times, if there are three or more; None for any other table.

    Args:
        sample: the first rows.
        free: columns without another role, and those that may hold parts of times.
        parts: what part of a time columns hold.
    """
    others = [name for name in free if name not in parts]
    kinds = dict(zip(others, contents(Cells.of_names(others)), strict=True))
    numbers = [name for name in others if sample.contents[name] in {"whole", "number", "empty"}]
    values = [name for name in others if name in numbers or kinds[name] in {"date", "whole"}]
    if len(values) < LEAST or len(numbers) * 2 <= len(values):
        return None
    first: dict[Part, str] = {part: name for name, part in reversed([*parts.items()])}
    whole = _whole_times(values, [kinds[name] for name in values])
    if whole is None:
        return _parts_across(sample, values, first) or (None if first else _numbered(values))
    names, texts = whole
    if all(YEAR.fullmatch(text) for text in texts):
        finest = next((each for each in OF_A_YEAR if set(each) <= set(first)), ())
        if finest:
            return Across(names, texts, "year", {first[part]: part for part in finest})
    return None if first else Across(names, texts, "date")


def _whole_times(
    names: Sequence[str], kinds: Sequence[Content]
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the columns named by whole times, and their times, where these are most of the columns."""
    if found := _read_as_times(names, names, kinds):
        return found
    for texts in ([TWICE.sub(r"\1", name) for name in names], _without_prefix(names)):
        if texts != [*names] and sum(BEGUN.match(text) is not None for text in texts) >= LEAST:
            found = _read_as_times(names, texts, contents(Cells.of_names(texts)))
        if found:
            return found
    return None


def _read_as_times(
    names: Sequence[str], texts: Sequence[str], kinds: Sequence[Content]
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the columns whose texts are times, and these; None where they are few or two are the same."""
    found = {
        name: text
        for name, text, kind in zip(names, texts, kinds, strict=True)
        if kind == "date" or YEAR.fullmatch(text) or PACKED.fullmatch(text)
    }
    if len(found) < LEAST or len(found) * 2 <= len(names) or not _read_apart([*found.values()]):
        return None
    return tuple(found), tuple(found.values())


def _without_prefix(names: Sequence[str]) -> list[str]:
    """Return names without the letters that most of them begin with before a digit, as X1990."""
    found = [NUMBERED.fullmatch(name) for name in names]
    prefixes = pd.Series([match[1] for match in found if match], dtype="object")
    if prefixes.empty:
        return [*names]
    most = str(prefixes.mode().iloc[0])
    return [match[2] if match and match[1] == most else "" for match in found]


def _read_apart(texts: Sequence[str]) -> bool:
    """Return whether texts are all read as times, no two of them the same."""
    try:
        times = read_times(pd.Series(texts, dtype="object"), Hints())
    except BadInput:
        return False
    return bool(times.readable.all()) and len(set(times.ordinals.tolist())) == len(texts)


def _parts_across(sample: Sample, names: Sequence[str], rows: Mapping[Part, str]) -> Across | None:
    """Return the columns named by parts of times whose other parts are in rows."""
    found = _months_or_quarters(names)
    year = rows.get("year") or (_years(sample, set(names) - found.keys()) if found else None)
    if found and year:
        return Across(
            tuple(found),
            tuple(found.values()),
            "quarter" if all(map(QUARTER.fullmatch, found)) else "month",
            {year: "year"},
        )
    if "date" not in rows:
        return None
    hours = {name: match[1] for name in names if (match := HOUR.fullmatch(name))}
    if set(hours.values()) in HOURS and len(hours) == len(HOURS[0]):
        return Across(tuple(hours), tuple(hours.values()), "hour", {rows["date"]: "date"})
    clocks = [name for name in names if CLOCK.fullmatch(name)]
    if len(clocks) >= len(HOURS[0]):
        return Across(tuple(clocks), tuple(clocks), "clock", {rows["date"]: "date"})
    return None


def _months_or_quarters(names: Sequence[str]) -> dict[str, str]:
    """Return the names that are months, all of a year, or quarters, and what each means; none for others."""
    named = month_numbers(names)
    months = {name: str(named[name]) for name in names if name in named}
    months = months or {name: name for name in names if MONTH.fullmatch(name)}
    months = months or ({name: name for name in names} if set(names) == ALL_MONTHS else {})
    if len(set(months.values())) == len(months) >= LEAST:
        return months
    quarters = {name: name for name in names if QUARTER.fullmatch(name)}
    return quarters if len(quarters) == QUARTERS else {}


def _years(sample: Sample, names: Collection[str]) -> str | None:
    """Return the only column of years, whatever its name."""
    found = [name for name in names if sample.contents[name] == "whole"]
    found = [name for name in found if all(map(YEAR.fullmatch, sample.some(name)))]
    return found[0] if len(found) == 1 else None


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
    names = [name for name in free if sample.contents[name] in {"text", "whole"}]
    fit = [name for name in names if sample.contents[name] == "text" or is_code_name(name)]
    names = in_first_tier(names, ID_NAMES[:2]) or fit
    frame = read([*names, *rows])
    count = len(frame)
    if not names or (rows and not frame.duplicated(rows).any()) or count <= 1:
        return Choice((), "")
    different = {name: len(frame[[name, *rows]].drop_duplicates()) for name in names}
    finest = [name for name in names if different[name] == count]
    if finest:
        chosen = next((name for name in finest if "name" in name.lower()), finest[0])
        return Choice((chosen,), "tells the rows apart")
    chosen_names: list[str] = []
    known = 0
    for name in sorted(names, key=lambda name: ("name" not in name.lower(), -different[name])):
        more = len(frame[[*chosen_names, name, *rows]].drop_duplicates())
        if more > known:
            chosen_names, known = [*chosen_names, name], more
    ordered = tuple(name for name in sample.names if name in chosen_names)
    return Choice(ordered, "tell the rows apart together")
