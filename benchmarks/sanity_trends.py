"""Kinds of series with a trend for `benchmarks.sanity`: lines, growth, and the population of 40 countries.

Futures are realised ones: they have the noise of the history, for the service and the simple way alike.
"""

from functools import partial

import numpy as np
from numpy.random import Generator

from app.commands.demo import POPULATION, read_countries
from benchmarks import sanity_series as draw
from benchmarks.sanity_series import Draw, Kind, Series, kind_of, split
from benchmarks.sanity_simple import damped_trend, last_change, least_squares
from models.panel import Floats

CUTS = 5
"""Ends of the population's years, as many years apart, that are forecast."""


def _line(generator: Generator, horizon: int) -> Series:
    """Years of a straight line whose slope is half of the noise."""
    count = int(generator.integers(27, 33))
    slope = generator.choice([-0.5, 0.5])
    return _line_since(generator, slope * np.arange(count + horizon), count, horizon)


def _line_after_a_break(generator: Generator, horizon: int, since: int) -> Series:
    """Years at rest or falling, then a slope of one and a half of the noise for `since` steps."""
    before = int(generator.integers(30, 45))
    slopes = np.repeat([generator.uniform(-0.5, 0), 1.5], [before, since + horizon])
    path = generator.choice([-1, 1]) * np.cumsum(slopes)
    return _line_since(generator, path, since, horizon)


def _line_since(generator: Generator, path: Floats, since: int, horizon: int) -> Series:
    """Return a path with noise of 1, scaled; the simple way sees the last `since` steps."""
    level = draw.level(generator)
    values = level + generator.uniform(0.003, 0.01) * level * (path + generator.normal(0, 1, len(path)))
    simple = least_squares(values[-horizon - since : -horizon], horizon)
    return split(draw.years(generator, len(values)), values, simple)


def _growth(generator: Generator, horizon: int, *, goes_on: bool) -> Series:
    """Years of growth at 5 to 20 % with noise; from the end on it goes on, or halves every four years."""
    count = int(generator.integers(22, 36))
    rate = np.full(count + horizon, np.log1p(generator.uniform(0.05, 0.2)))
    if not goes_on:
        rate[count:] *= 0.5 ** (np.arange(1, horizon + 1) / 4)
    noise = generator.uniform(0.005, 0.02) * generator.normal(0, 1, count + horizon)
    values = draw.level(generator) * np.exp(np.cumsum(rate) + noise)
    simple = damped_trend(values[:count], horizon)
    return split(draw.years(generator, count + horizon), values, simple)


def _population(_: Generator, number: int, horizon: int) -> Draw:
    """Return all countries, their years until `number` times the horizon before the last that is scored."""
    series = []
    for history in read_countries(POPULATION).values():
        end = len(history) - number * horizon
        times: list[draw.Time] = [year for year, _ in history[:end]]
        values = np.array([value for _, value in history[:end]])
        series.append(split(times, values, last_change(values[:-horizon], horizon)))
    return series


LINE, DAMPED = "least squares", "damped trend"
TRENDS = [
    kind_of("straight line", LINE, 10, _line),
    kind_of("line since 12 steps", LINE, 10, partial(_line_after_a_break, since=12)),
    kind_of("line since 30 steps", LINE, 10, partial(_line_after_a_break, since=30)),
    kind_of("growth goes on", DAMPED, 4, partial(_growth, goes_on=True)),
    kind_of("growth fades", DAMPED, 4, partial(_growth, goes_on=False)),
    Kind(
        "population",
        "last value plus last change",
        5,
        partial(_population, horizon=5),
        draws=CUTS,
    ),
]
