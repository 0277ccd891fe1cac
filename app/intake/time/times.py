"""Read times as text into int64 ordinals: dates, years or integers.

Works on the distinct texts of a column, so ten million rows cost no more than their different times.
"""

from dataclasses import dataclass, replace

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints, Mask, Texts
from app.intake.time.aliases import Alias
from app.intake.time.axis import Kind
from app.intake.time.dates import Dates, Hints, read_dates
from app.intake.time.notations.calendars import in_common_years, refuse_other_calendars
from app.intake.time.notations.characters import plain
from app.intake.time.notations.formats import months_covered
from app.intake.time.notations.phrases import double_years
from app.intake.time.numbers import WHOLE, find, read_as, read_decimal
from app.intake.time.regular import regular
from app.intake.time.steps import DAY, WEEK, FixedStep, MonthStep, months_of, rule_day
from app.intake.time.timeline import filled, one_series
from app.intake.time.zones import Zone

FIRST_YEAR, LAST_YEAR = 1000, 2999
SOME = 100  # texts that show whether others are worth a look
YEAR = r"(?<=^\d{4})\s?[年년]$"
FEW_YEARS = 3  # fewer could be months: 2001-02 and 2002-03


class WrongFrequency(BadInput):
    """The times are of another kind than the requested frequency."""


@dataclass(frozen=True)
class Times:
    """The distinct times of a column as they were read."""

    kind: Kind
    ordinals: Ints  # (texts,); no meaning where not readable
    readable: Mask  # (texts,)
    date_format: str  # ISO8601, integer, year, a strptime format, or one of `numbers`
    timezone: str | None = None  # as in `TimeAxis`
    notes: tuple[str, ...] = ()  # on choices that were not certain

    def in_zone(self, zone: Zone, *, by_clock: bool) -> "Times":
        """Return them by the clock of a zone, or as instants: the first ones where local times come twice."""
        if by_clock == (self.timezone is None):
            ordinals = self.ordinals
        else:
            ordinals = zone.local(self.ordinals) if by_clock else zone.instants(self.ordinals)
        return replace(self, ordinals=ordinals, timezone=zone.name)


def are_whole_numbers(texts: Texts) -> Mask:
    """Return which texts are whole numbers."""
    return texts.str.fullmatch(WHOLE).to_numpy(dtype=np.bool_)


def looks_like_whole_numbers(texts: Texts) -> bool:
    """Return whether most texts are whole numbers."""
    return not texts.empty and bool(are_whole_numbers(texts).mean() > 1 / 2)


def reads_as_dates(texts: Texts) -> bool:
    """Return whether numbers are all plainly dates: digits such as 202452, epochs, decimal years."""
    if texts.empty:
        return False
    if not are_whole_numbers(texts).all():
        dates = read_decimal(texts)
        return dates is not None and bool(dates.readable.all()) and _are_regular(dates.ordinals)
    try:
        return find(texts, _takes_days) is not None
    except BadInput:
        return False


def which_in_format(texts: Texts, date_format: str | None) -> Mask:
    """Return which texts are dates in a format that is said as for strptime; none in any other format."""
    if date_format is None or "%" not in date_format:
        return np.zeros(len(texts), dtype=np.bool_)
    dates = read_as(texts, date_format) or read_dates(texts, Hints(date_format=date_format))
    return dates.readable


def read_times(texts: Texts, hints: Hints) -> Times:
    """Read the distinct texts of a time column, stripped, none empty.

    Raises WrongFrequency where the frequency does not fit them, BadInput where two readings are as good.
    """
    fiscal = texts[texts.str.contains("年度", regex=False)]
    texts, notes = in_common_years(plain(texts).str.replace(YEAR, "", regex=True), hints.date_format)
    if hints.date_format is None and hints.previous is None:
        refuse_other_calendars(texts)
    times = _read_common(texts, hints)
    if len(fiscal) and months_covered(times.date_format):
        note = (
            f"A fiscal year such as in {fiscal.iloc[0]!r} is taken for the calendar year that it begins in."
        )
        notes = (*notes, note)
    return replace(times, notes=(*times.notes, *notes))


def _read_common(texts: Texts, hints: Hints) -> Times:
    """Read times whose years are those that all share."""
    if hints.date_format in {None, "year"} and (years := _double_years(texts, hints)) is not None:
        return years
    if hints.date_format in {"integer", "year"} or (
        hints.date_format is None and looks_like_whole_numbers(texts)
    ):
        return _read_whole(texts, hints)
    if isinstance(hints.frequency, int):
        raise _wrong_frequency(
            f"frequency {hints.frequency} is for integer times, but the times are not integers"
        )
    dates = read_as(texts, hints.date_format) if hints.date_format else _decimal(texts, hints.previous)
    return _dated(dates or read_dates(texts, hints), hints)


def _double_years(texts: Texts, hints: Hints) -> Times | None:
    """Return years such as 2019/20 or 1990-1991, each the one after the other, as those they begin in."""
    if not double_years(texts.iloc[:SOME])[1].any():
        return None
    first, readable = double_years(texts)
    if np.count_nonzero(readable) < FEW_YEARS or readable.mean() <= 1 / 2:
        return None
    kind: Kind = "year" if _are_years(first[readable], hints) else "integer"
    return Times(kind, first, readable, kind, None, ("Years such as 2019/20 count as the first one.",))


def _decimal(texts: Texts, previous: str | None) -> Dates | None:
    """Return numbers with decimals as earlier rows were read, or as the dates that they plainly are."""
    found = read_as(texts, previous) if previous else None
    return found if found is not None and found.readable.all() else read_decimal(texts)


def _dated(dates: Dates, hints: Hints) -> Times:
    ordinals = _on_their_day(dates, hints.alias)
    return Times("datetime", ordinals, dates.readable, dates.date_format, dates.timezone, dates.notes)


def _on_their_day(dates: Dates, requested: Alias | None) -> Ints:
    """Put months, quarters and weeks without a day on the day that the frequency names, else on the first."""
    step = requested.step() if requested else None
    if (
        isinstance(step, FixedStep)
        and step.on_weekday is not None
        and dates.date_format.endswith(("%V", "%V/%G", "%V-%G", "%V.%G"))
    ):
        return dates.ordinals + step.on_weekday * DAY  # from the Monday
    if not dates.months or not isinstance(step, MonthStep):
        return dates.ordinals
    months = months_of(dates.ordinals // DAY)
    if "end" in step.rule:
        months = months + dates.months - 1
    return rule_day(months, step.rule) * DAY


def _read_whole(texts: Texts, hints: Hints) -> Times:
    readable = texts.str.fullmatch(WHOLE)
    digits: Texts = texts.where(readable, "0").str.partition(".")[0]
    if not isinstance(hints.frequency, int) and hints.date_format is None:
        dates = _previous(digits, hints) or find(digits[readable], _takes_days)
        if dates is not None:
            return _dated(_spread(dates, readable.to_numpy(dtype=np.bool_)), hints)
    ordinals = digits.to_numpy().astype(np.int64)
    kind: Kind = "year" if _are_years(ordinals[readable], hints) else "integer"
    return Times(kind, ordinals, readable.to_numpy(dtype=np.bool_), kind)


def _previous(digits: Texts, hints: Hints) -> Dates | None:
    return read_as(digits, hints.previous) if hints.previous else None


def _spread(dates: Dates, readable: Mask) -> Dates:
    """Return the dates of all texts from those of the readable ones."""
    if len(dates.ordinals) == len(readable):
        return dates
    ordinals, read = np.zeros(len(readable), dtype=np.int64), np.zeros(len(readable), dtype=np.bool_)
    ordinals[readable], read[readable] = dates.ordinals, dates.readable
    return Dates(ordinals, read, dates.date_format, dates.timezone, dates.notes)


def _takes_days(ordinals: Ints) -> bool:
    """Return whether dates take days, weeks or months, as those of a spreadsheet do."""
    return _are_regular(ordinals, calendar=True)


def _are_regular(ordinals: Ints, *, calendar: bool = False) -> bool:
    """Return whether times fill half of a step or more; with `calendar` one of days, weeks or months."""
    unique = np.unique(ordinals)
    if len(unique) < 3:  # noqa: PLR2004 - two always do
        return False
    found = regular(one_series(unique), "datetime", None)
    step = found.step
    is_calendar = not isinstance(step, FixedStep) or step.size % WEEK == 0 or step.size == DAY
    fits = found.is_regular and not found.wrong.any() and (is_calendar or not calendar)
    return fits and filled(found.times, step) >= 1 / 2


def _are_years(numbers: Ints, hints: Hints) -> bool:
    if isinstance(hints.frequency, int) or hints.date_format == "integer":
        return False
    years = bool(np.all((numbers >= FIRST_YEAR) & (numbers <= LAST_YEAR)))
    requested = hints.alias
    if requested is None:
        return years
    step = requested.step()
    if not years:
        raise _wrong_frequency(f"frequency {requested.text!r} is for dates, but the times are integers")
    if not isinstance(step, MonthStep) or step.size % 12:
        raise _wrong_frequency(f"frequency {requested.text!r} is not yearly, but the times are years")
    return True


def _wrong_frequency(what: str) -> WrongFrequency:
    return WrongFrequency(
        f"{what[0].upper()}{what[1:]}. Leave frequency out to have it found.",
        [FieldError("#/frequency", what)],
    )
