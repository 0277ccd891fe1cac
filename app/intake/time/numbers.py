"""Numbers that are dates: digits such as 202452, epoch seconds, a spreadsheet's days, decimal years."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Floats, Ints, Mask, Texts
from app.intake.time.dates import Dates
from app.intake.time.notations.fields import FAR_AHEAD, first_day, ordinals_of, this_year
from app.intake.time.notations.formats import PACKED, notation
from app.intake.time.steps import DAY, MINUTE, MONTHS_IN, SECOND

WHOLE = r"[+-]?\d{1,15}(?:\.0*)?|1\d{15}|1\d{18}"
NUMBER = r"\d{1,19}(?:\.\d*)?"
MONTH_OF_YEAR = r"[12]\d{3}\.(?:0[1-9]|1[0-2]?)"  # a number drops the last 0 of 2024.10
MONTH_AND_YEAR = r"(?:0[1-9]|1[0-2])\.(?:19|20)\d{2}"
SOME = 100  # texts that rule out most columns at once
FEW = 4  # texts; fewer of 20241 are numbers as well as quarters
NEAR = 0.2  # of a month: how far from its beginning or its middle a decimal year may be


@dataclass(frozen=True)
class Count:
    """Dates as a count of units since a day; `low` and `high` bound what is taken for them unasked."""

    date_format: str
    unit: int  # microseconds
    zero: int  # the ordinal of 0
    low: float
    high: float
    words: str
    in_utc: bool = False

    def read(self, numbers: Floats) -> Ints:
        """Return the ordinals, to the nearest second or, for smaller units, to the unit."""
        ordinals = self.zero + numbers * self.unit
        if self.unit > SECOND:
            ordinals = np.rint(ordinals / SECOND) * SECOND
        return np.rint(ordinals).astype(np.int64)


EXCEL = Count("excel", DAY, -25_569 * DAY, 25_569, 55_153, "days of a spreadsheet (1 is 1900-01-01)")
EPOCHS = (
    Count("epoch_s", SECOND, 0, 3e8, 4e9, "seconds since 1970, in UTC", in_utc=True),
    Count("epoch_ms", SECOND // 1_000, 0, 3e11, 4e12, "milliseconds since 1970, in UTC", in_utc=True),
    Count("epoch_us", 1, 0, 1e15, 2e15, "microseconds since 1970, in UTC", in_utc=True),
)
COUNTS = {count.date_format: count for count in (EXCEL, *EPOCHS)}
YEAR_AND_MONTH = "%y%m"
TURN_OF_YEAR = 80  # from 2112 to 2201, for times of January to December
UNSAID = ("%y%m%d", "%d%m%y", "%m%d%y", "%d%m%Y", "%m%d%Y")
DECIMAL_YEAR = "decimal_year"


def read_as(texts: Texts, date_format: str) -> Dates | None:
    """Read numbers in a format of theirs; None if it is no format of numbers."""
    if date_format in PACKED:
        return _packed(texts, date_format)
    readable = texts.str.fullmatch(NUMBER).to_numpy(dtype=np.bool_)
    if date_format == "epoch_ns":
        micros = texts.where(readable, "0").str.partition(".")[0].str.slice(stop=-3).replace("", "0")
        return Dates(micros.to_numpy().astype(np.int64), readable, date_format, "UTC")
    numbers = texts.where(readable, "0").to_numpy().astype(np.float64)
    if date_format == DECIMAL_YEAR:
        return Dates(_decimal_years(numbers, readable), readable, date_format)
    count = COUNTS.get(date_format)
    if count is None:
        return None
    readable &= np.abs(numbers) <= 10 * count.high
    return Dates(
        count.read(np.where(readable, numbers, 0)), readable, date_format, "UTC" if count.in_utc else None
    )


def find(texts: Texts, is_regular: Callable[[Ints], bool]) -> Dates | None:
    """Return whole numbers as the dates that they plainly are, with a note; None where they are numbers.

    Args:
        texts: whole numbers, or unreadable.
        is_regular: whether ordinals take days, weeks or months, as days of a spreadsheet would.

    Raises BadInput where they may be either.
    """
    digits: Texts = texts.str.partition(".")[0]
    for date_format in PACKED:
        if (found := _plainly_packed(digits, date_format)) is not None:
            return found
    _refuse_unsaid(digits, is_regular)
    numbers = digits.to_numpy().astype(np.float64)
    if bool(digits.str.fullmatch(r"1\d{18}").all()):
        return _noted(read_as(digits, "epoch_ns"), "nanoseconds since 1970, in UTC")
    for count in (*EPOCHS, EXCEL):
        if np.all((numbers >= count.low) & (numbers <= count.high)):
            return _counted(digits, count, is_regular)
    return None


def _refuse_unsaid(digits: Texts, is_regular: Callable[[Ints], bool]) -> None:
    """Raise BadInput for digits that are regular dates in a format which must be said, such as 310124."""
    fits = []
    shorts = (YEAR_AND_MONTH,) if _may_be_short(digits) else ()
    for date_format in (*UNSAID, *shorts):
        if digits.str.fullmatch(notation(date_format).pattern).all():
            found = _packed(digits, date_format)
            if found.readable.all() and is_regular(found.ordinals):
                fits.append(date_format)
    if fits:
        ways = [f"date_format={each}" for each in (*fits, "integer")]
        raise BadInput(
            f"Times such as {digits.iloc[0]} may be dates, or plain numbers. Say which with"
            f" {', '.join(ways[:-1])} or {ways[-1]}.",
            [FieldError("#/date_format", " or ".join((*fits, "integer")))],
        )


def _may_be_short(digits: Texts) -> bool:
    """Return whether numbers of four digits may be short years and months: as years some lie far apart."""
    if not digits.str.fullmatch(r"\d{4}").all():
        return False
    years = np.unique(digits.to_numpy().astype(np.int64))
    turns = bool(np.any(np.diff(years) > TURN_OF_YEAR))
    return turns or bool(years[0] > this_year() + FAR_AHEAD)


def read_decimal(texts: Texts) -> Dates | None:
    """Read numbers with decimals as the dates that they plainly are; None where they are none."""
    if not texts.iloc[:SOME].str.fullmatch(NUMBER).all():
        return None
    fractions = texts.str.fullmatch(r"\d+\.\d*[1-9]\d*").to_numpy(dtype=np.bool_)
    if fractions.mean() <= 1 / 2 or not texts.str.fullmatch(NUMBER).all():
        return None
    if (months := _months_and_years(texts)) is not None:
        return months
    numbers = texts.to_numpy().astype(np.float64)
    if np.all((numbers >= 1500) & (numbers <= this_year() + 100)):  # noqa: PLR2004 - years
        return _noted(read_as(texts, DECIMAL_YEAR), "years with decimals")
    for count in COUNTS.values():
        if np.all((numbers >= count.low) & (numbers <= count.high)):
            return _noted(read_as(texts, count.date_format), count.words)
    return None


def _months_and_years(texts: Texts) -> Dates | None:
    """Return numbers such as 2024.01 or 01.2024 as months; None where some are none."""
    if texts.str.fullmatch(MONTH_AND_YEAR).all():
        return Dates(*ordinals_of(notation("%m.%Y").fields(texts)), "%m.%Y")
    if not texts.str.fullmatch(MONTH_OF_YEAR).all() or texts.str.len().nunique() > 2:  # noqa: PLR2004 - 2024.1
        return None
    months = texts.where(texts.str.len() > len("2024.1"), texts + "0")
    return Dates(*ordinals_of(notation("%Y.%m").fields(months)), "%Y.%m")


def _plainly_packed(digits: Texts, date_format: str) -> Dates | None:
    each = notation(date_format)
    if not digits.str.fullmatch(each.pattern).all():
        return None
    last = digits.str.slice(start=-2)
    if date_format == "%G%V" and (last <= "12").all():
        return None
    found = _packed(digits, date_format)
    if date_format in {"%Y%m%d", "%Y%m"}:  # as common as ISO 8601
        return found
    if not found.readable.all() or (date_format == "%Y%q" and len(digits) < FEW):
        return None
    return _noted(
        found, {"%G%V": "ISO weeks", "%Y%q": "quarters", "%Y%j": "year and day of the year"}.get(date_format)
    )


def _packed(texts: Texts, date_format: str) -> Dates:
    digits: Texts = texts.str.partition(".")[0]
    return Dates(*ordinals_of(notation(date_format).fields(digits)), date_format)


def _counted(digits: Texts, count: Count, is_regular: Callable[[Ints], bool]) -> Dates | None:
    found = read_as(digits, count.date_format)
    assert found is not None  # noqa: S101  # `count` is a format of numbers
    steps = np.diff(np.unique(found.ordinals))
    if count is EXCEL:
        if is_regular(np.unique(found.ordinals)):
            return _noted(found, count.words)
        if np.gcd.reduce(steps, initial=0) > DAY:
            return None  # numbers in tens, hundreds, ...
    if len(steps) and np.gcd.reduce(steps) % SECOND == 0 and np.median(steps) >= MINUTE:
        return _noted(found, count.words)
    raise _either(digits, count)


def _either(digits: Texts, count: Count) -> BadInput:
    first = str(digits.iloc[0])
    return BadInput(
        f"Times such as {first} may be {count.words}, or plain numbers. Say which with"
        f" date_format={count.date_format} or date_format=integer.",
        [FieldError("#/date_format", f"{count.date_format} or integer")],
    )


def _noted(dates: Dates | None, words: str | None) -> Dates:
    assert dates is not None  # noqa: S101  # read in a format of numbers
    what = words or f"dates ({dates.date_format})"
    note = f"The numbers of the time column are read as {what}; date_format=integer keeps them as numbers."
    return Dates(dates.ordinals, dates.readable, dates.date_format, dates.timezone, (note,))


def _decimal_years(numbers: Floats, readable: Mask) -> Ints:
    """Return the months that decimals of a year mean, by their beginning or middle; else the days."""
    years = np.floor(numbers).astype(np.int64)
    parts = (numbers - years) * MONTHS_IN["Y"]
    apart = np.abs(parts - np.rint(parts))[readable]
    if np.all(apart <= NEAR):
        months = np.rint(parts).astype(np.int64)
    elif np.all(apart >= 1 / 2 - 1.5 * NEAR):
        months = np.floor(parts).astype(np.int64)
    else:
        first, after = first_day(years), first_day(years + 1)
        return (first + np.rint((numbers - years) * (after - first)).astype(np.int64)) * DAY
    return ((years - 1970) * 12 + months).astype("M8[M]").astype("M8[us]").astype(np.int64)
