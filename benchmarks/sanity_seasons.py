"""Kinds of series with a season for `benchmarks.sanity`, found by their calendar or by their values alone.

Futures are realised ones: they have the noise of the history, for the service and the simple way alike.
"""

from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks import sanity_series as draw
from benchmarks.sanity_series import Series, kind_of, split
from benchmarks.sanity_simple import seasonal_naive
from models.panel import Floats


def _two_cycles(generator: Generator, season_length: int, horizon: int) -> Floats:
    """Return two seasons and up to three tenths of one more, and what follows."""
    count = int(generator.integers(2 * season_length, int(2.3 * season_length), endpoint=True))
    return draw.with_season(generator, np.arange(count + horizon) / season_length)


def _two_years_of_months(generator: Generator, horizon: int) -> Series:
    values = _two_cycles(generator, 12, horizon)
    return split(draw.months(generator, len(values)), values, seasonal_naive(values, 12, horizon))


def _one_and_a_half_years(generator: Generator, horizon: int) -> Series:
    """Months of which six to ten are known twice."""
    count = int(generator.integers(18, 23))
    values = _two_cycles(generator, 12, horizon)[24 - count :]
    return split(draw.months(generator, len(values)), values, seasonal_naive(values, 12, horizon))


def _two_years_of_weeks(generator: Generator, horizon: int) -> Series:
    values = _two_cycles(generator, 52, horizon)
    times = draw.text(draw.mondays(generator, len(values)))
    return split(times, values, seasonal_naive(values, 52, horizon))


def _two_weeks_of_days(generator: Generator, horizon: int) -> Series:
    values = _two_cycles(generator, 7, horizon)
    times = draw.text(draw.days(generator, len(values)))
    return split(times, values, seasonal_naive(values, 7, horizon))


def _hours_without_a_week(generator: Generator, horizon: int) -> Series:
    """Four to six weeks of hours, as many of M4 are: a day of constant height on a level that drifts."""
    count = int(generator.integers(700, 960)) + horizon
    hours = np.arange(count)
    drift = generator.choice([-1, 1]) * np.sin(2 * np.pi * (hours - count / 2) / (365.25 * 24))
    day = draw.season_shape(generator, 2)(hours / 24) * (1 + generator.uniform(-0.2, 0.2) * drift)
    noise = generator.uniform(0.003, 0.02) * draw.autoregression(generator, count, 0.5)
    level = generator.uniform(3, 4) + generator.uniform(1, 2.5) * drift
    times = draw.text(draw.minutes(generator, count, 60))
    values = draw.level(generator) * (level + day + noise)
    return split(times, values, seasonal_naive(values, 24, horizon))


def _day_and_week(generator: Generator, horizon: int, minutes: int, weeks: tuple[int, int]) -> Series:
    """A season of the day, and a level of its own for each day of the week."""
    day = 24 * 60 // minutes
    count = int(generator.integers(weeks[0] * 7 * day, weeks[1] * 7 * day)) + horizon
    steps = np.arange(count)
    levels = generator.normal(0, 0.6, 7)[steps // day % 7]
    noise = generator.normal(0, generator.uniform(0.03, 0.15), count)
    values = draw.level(generator) * (5 + draw.season_shape(generator)(steps / day) + levels + noise)
    times = draw.text(draw.minutes(generator, count, minutes))
    return split(times, values, seasonal_naive(values, 7 * day, horizon))


def _days_with_a_year(generator: Generator, horizon: int) -> Series:
    """Three to four years of temperatures: a smooth year, and weather that lasts some days."""
    count = int(generator.integers(1096, 1461)) + horizon
    year = generator.uniform(6, 12) * draw.season_shape(generator, 1)(np.arange(count) / 365.25)
    weather = draw.autoregression(generator, count, 0.65)
    values = generator.uniform(8, 15) + year + generator.uniform(1.5, 2.5) * weather
    times = draw.text(draw.days(generator, count))
    return split(times, values, seasonal_naive(values, 365, horizon, cycles=2))


def _business_days(generator: Generator, horizon: int) -> Series:
    count = int(generator.integers(3 * 261, 4 * 261)) + horizon
    values = draw.with_season(generator, np.arange(count) / 261)
    first = draw.days(generator, 1)[0]
    times = draw.text(np.busday_offset(first, np.arange(count), roll="forward"))
    return split(times, values, seasonal_naive(values, 261, horizon))


def _months_behind_an_index(generator: Generator, horizon: int) -> Series:
    values = draw.with_season(generator, np.arange(int(generator.integers(60, 120)) + horizon) / 12)
    return split(draw.index(len(values)), values, seasonal_naive(values, 12, horizon))


def _through_53_weeks(generator: Generator, horizon: int) -> Series:
    """Five years whose last whole one has 53 weeks, with a peak in week 51; weeks 48 to 52 are scored."""
    year = int(generator.choice([1998, 2004, 2009, 2015, 2020]))
    end = np.datetime64(f"{year + 1}-01-04") + 7 * generator.integers(8, 30)
    end -= (end.astype(np.int64) - 4) % 7  # a Monday
    dates = end + 7 * np.arange(-int(generator.integers(240, 290)), horizon)
    weeks = draw.iso_weeks(dates)
    peak = np.zeros(54)
    peak[49:53] = 0.3, 0.6, 1.0, 0.2
    noise = generator.normal(0, generator.uniform(0.02, 0.06), len(dates))
    values = draw.level(generator) * (1 + generator.uniform(0.5, 1.5) * (peak[weeks] + noise))
    known = len(dates) - horizon
    scored = known + np.flatnonzero((weeks[known:] >= 48) & (weeks[known:] <= 52))  # noqa: PLR2004 - as named
    before = [np.flatnonzero(weeks[:known] == week)[-1] for week in weeks[scored]]
    times = draw.text(dates)
    return Series(times[:known], values[:known], [times[i] for i in scored], values[scored], values[before])


def _closed_on_sundays(generator: Generator, horizon: int) -> Series:
    """Eight to twenty weeks without rows for Sundays."""
    dates = draw.days(generator, 7 * int(generator.integers(8, 20)) + 7 + int(generator.integers(7)))
    weekday = (dates.astype(np.int64) + 3) % 7
    is_open = weekday != 6  # noqa: PLR2004 - Monday is 0
    values = draw.with_season(generator, weekday / 7)
    return _of_open(dates, values, is_open, 7, horizon)


def _closed_at_night(generator: Generator, horizon: int) -> Series:
    """Three to six weeks without rows from 22 to 6 o'clock."""
    dates = draw.minutes(generator, 24 * int(generator.integers(21, 42)) + int(generator.integers(24)), 60)
    hour = dates.astype("M8[h]").astype(np.int64) % 24
    is_open = (hour >= 7) & (hour < 22)  # noqa: PLR2004 - as named
    return _of_open(dates, draw.with_season(generator, hour / 24), is_open, 24, horizon)


def _of_open(
    dates: draw.Dates, values: Floats, is_open: NDArray[np.bool_], season_length: int, horizon: int
) -> Series:
    """Return what is open: a history that ends with an open step, and the open ones of the steps after it."""
    known = int(np.flatnonzero(is_open[: len(dates) - horizon])[-1]) + 1
    before = np.flatnonzero(is_open[:known])
    after = known + np.flatnonzero(is_open[known : known + horizon])
    closed = np.setdiff1d(np.arange(known, known + horizon), after)
    past = seasonal_naive(values[: known + horizon], season_length, horizon)
    return Series(
        draw.text(dates[before]),
        values[before],
        draw.text(dates[after]),
        values[after],
        past[after - known],
        closed=draw.text(dates[closed]),
    )


def _huge_level(generator: Generator, horizon: int) -> Series:
    """Months about 4e9 with a season of 25."""
    count = int(generator.integers(60, 96)) + horizon
    noise = generator.uniform(1, 4) * generator.normal(0, 1, count)
    values = (
        4e9 * generator.uniform(0.5, 1.5) + 25 * draw.season_shape(generator)(np.arange(count) / 12) + noise
    )
    return split(draw.months(generator, count), values, seasonal_naive(values, 12, horizon))


def _mains_frequency(generator: Generator, horizon: int) -> Series:
    """Two to three weeks of hours at 50 or 60 Hz, with a day of 0.02."""
    count = int(generator.integers(336, 504)) + horizon
    noise = generator.uniform(0.001, 0.003) * generator.normal(0, 1, count)
    day = 0.02 * draw.season_shape(generator)(np.arange(count) / 24)
    values = generator.choice([50.0, 60.0]) + day + noise
    times = draw.text(draw.minutes(generator, count, 60))
    return split(times, values, seasonal_naive(values, 24, horizon))


def _one_cent(generator: Generator, horizon: int) -> Series:
    """Days of cash from 10 to 25 with a week, and one value of 0.01, two to eight weeks before the end."""
    count = int(generator.integers(150, 365)) + horizon
    noise = generator.uniform(0.5, 1.5) * generator.normal(0, 1, count)
    week = 5 * draw.season_shape(generator)(np.arange(count) / 7)
    values = np.clip(17.5 + week + noise, 10, 25)
    values[count - horizon - int(generator.integers(14, 56))] = 0.01
    simple = seasonal_naive(values, 7, horizon)
    known = values[: count - horizon]
    spread = 1.96 * np.std(known[7:] - known[:-7]) * np.sqrt(1 + np.arange(horizon) // 7)
    return split(draw.text(draw.days(generator, count)), values, simple, simple + spread)


NAIVE = "seasonal naive"
SEASONS = [
    kind_of("two years of months", NAIVE, 11, _two_years_of_months),
    kind_of("18 to 22 months", NAIVE, 6, _one_and_a_half_years),
    kind_of("104 weeks", NAIVE, 26, _two_years_of_weeks),
    kind_of("14 days", NAIVE, 6, _two_weeks_of_days),
    kind_of("hours without a week", NAIVE, 48, _hours_without_a_week),
    kind_of("15 minutes", "last week again", 96, partial(_day_and_week, minutes=15, weeks=(3, 4))),
    kind_of("4 hours", "last week again", 42, partial(_day_and_week, minutes=240, weeks=(6, 12))),
    kind_of("days with a year", "mean of two years", 168, _days_with_a_year),
    kind_of("business days", NAIVE, 130, _business_days),
    kind_of("months behind an index", NAIVE, 12, _months_behind_an_index),
    kind_of("53 weeks", "last year's same week", 45, _through_53_weeks),
    kind_of("closed on Sundays", NAIVE, 14, _closed_on_sundays),
    kind_of("closed at night", NAIVE, 48, _closed_at_night),
    kind_of("4e9 with a season of 25", NAIVE, 12, _huge_level),
    kind_of("50 Hz with a day of 0.02", NAIVE, 24, _mains_frequency),
    kind_of("one cent", NAIVE, 28, _one_cent),
    kind_of("one cent, upper bound", NAIVE, 28, _one_cent, bounds=True),
]
