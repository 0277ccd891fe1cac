"""Find the column of times, or the columns that make a time together."""

from collections.abc import Sequence

from app.errors import BadInput, FieldError
from app.intake.columns.choices import Choice, ask
from app.intake.columns.contents import Sample
from app.intake.columns.identities import Read, further_keys
from app.intake.columns.names import ID_NAMES, TIME_NAMES, in_first_tier, is_in
from app.intake.columns.time_parts import CLOCK, TIME_OF_DAY, Part, part_of, parts_to_join
from app.intake.problems import listed
from app.intake.time.notations.doubts import refuse_days_without_year

TRIED = 50  # columns of numbers that may be dates


def find_times(
    sample: Sample, free: Sequence[str], parts: dict[str, Part], read: Read, date_format: str | None = None
) -> Choice:
    """Choose the column of times; with others beside it that hold a part of the time.

    A `date_format` that is said is tried on all columns. Raises BadInput where none can be read as times.
    """
    dates = _in_format(sample, free, parts, date_format) if date_format else []
    dates = dates or [name for name in free if sample.contents[name] == "date"]
    named = in_first_tier(dates, TIME_NAMES) or dates
    if len(named) > 1:
        named = _varying(named, read) or named
    if len(named) > 1:
        return ask("time_column", "times", named)
    whole: dict[str, Part] = {name: part for name, part in parts.items() if part != "date"}
    if named:
        return _joined(sample, {named[0]: "date", **_time_of_day(sample, named[0], whole)})
    together = parts_to_join(whole)
    if len(together) > 1 or any(sample.contents[name] == "text" for name in together):  # as 2024年
        return _joined(sample, {name: whole[name] for name in together})
    years = [name for name, part in whole.items() if part == "year"]
    return _numbers(sample, [name for name in free if sample.contents[name] in {"whole", "number"}], years)


def _in_format(sample: Sample, free: Sequence[str], parts: dict[str, Part], date_format: str) -> list[str]:
    """Return the columns in a format that is said; of several those that are no plain numbers, if any."""
    found = [name for name in free if sample.is_in_format(name, date_format)]
    plain = {name for name in found if sample.contents[name] in {"whole", "number"} and name not in parts}
    return [name for name in found if name not in plain] or found


def _varying(names: Sequence[str], read: Read) -> list[str]:
    """Return the columns that do not hold the same in every row, as the day of an export does."""
    frame = read(names)
    return [name for name in names if frame[name].nunique() > 1]


def parts_of(sample: Sample, names: Sequence[str]) -> dict[str, Part]:
    """Return the columns that hold a part of a time."""
    found = {name: part_of(sample, name) for name in names}
    return {name: part for name, part in found.items() if part}


def _joined(sample: Sample, parts: dict[str, Part]) -> Choice:
    names = tuple(parts_to_join(parts))
    if len(names) == 1:
        return Choice(names, f"holds dates such as {sample.some(names[0])[0]!r}")
    note = f"Times are joined from {listed(names)}."
    return Choice(names, "a part of the time", notes=(note,))


def _time_of_day(sample: Sample, date: str, parts: dict[str, Part]) -> dict[str, Part]:
    """Return the columns with a time of day, where dates without one repeat and no name tells them apart."""
    found = {name: part for name, part in parts.items() if part in TIME_OF_DAY}
    differ: dict[str, Part] = {name: part for name, part in found.items() if sample.distinct[name] > 1}
    if not differ or any(CLOCK.search(text) for text in sample.some(date)) or not sample.repeats([date]):
        return {}
    names = [name for name in sample.names if _may_name(sample, name) and name not in found]
    return {} if further_keys(sample.frame, [], [date], names[:TRIED]) else differ


def _may_name(sample: Sample, name: str) -> bool:
    return sample.contents[name] == "text" or (sample.contents[name] == "whole" and is_in(name, ID_NAMES))


def _numbers(sample: Sample, numbers: Sequence[str], years: Sequence[str]) -> Choice:
    """Choose a column of numbers by its name, as the only one of plain dates, or the only one that rises."""
    whole = [name for name in numbers if sample.contents[name] == "whole"]
    found = in_first_tier(whole, TIME_NAMES) or [*years]
    found = found or [name for name in numbers[:TRIED] if sample.is_of_dates(name)]
    if len(found) > 1:
        return ask("time_column", "times", found)
    if found:
        return Choice((found[0],), f"holds times such as {sample.some(found[0])[0]!r}")
    for name in sample.names:
        if sample.contents[name] == "text":
            refuse_days_without_year(sample.some(name))
    rising = [name for name in whole if sample.rises(name)]
    if len(rising) == 1 and len(numbers) > 1 and not in_first_tier(sample.names, TIME_NAMES):
        note = f"The times are the whole numbers in {rising[0]!r}, which rise from row to row."
        return Choice((rising[0],), "its whole numbers rise from row to row", notes=(note,))
    raise BadInput(
        f"No column holds times that can be read; the table has {listed(sample.names)}. Write them as"
        " ISO 8601 (2024-01-31), one row for each time, or name a column of integers with time_column.",
        [FieldError("#/time_column", "no column of times was found")],
    )
