"""Series without anything to find, for `benchmarks.sanity`: what is mended elsewhere may not cost here.

The simple ways know the process: the last value of a random walk, the mean of white noise (of the history),
the true coefficient of an autoregression.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from benchmarks import sanity_series as draw
from benchmarks.sanity_series import CONTROL_DRAWS, Kind, Series, Time, each, split
from models.panel import Floats

Times = Callable[[Generator, int], list[Time]]
Lengths = tuple[int, int]
"""Least and most steps of a history."""


def _numbered(_: Generator, count: int) -> list[Time]:
    return draw.index(count)


def _days(generator: Generator, count: int) -> list[Time]:
    return draw.text(draw.days(generator, count))


def _hours(generator: Generator, count: int) -> list[Time]:
    return draw.text(draw.minutes(generator, count, 60))


def _scaled(generator: Generator, values: Floats) -> Floats:
    """Return values with a random level and a spread of a hundredth to a tenth of it."""
    level = draw.level(generator)
    scaled: Floats = level * (10 + generator.uniform(0.1, 1) * values)
    return scaled


def _random_walk(generator: Generator, horizon: int, times: Times, lengths: Lengths) -> Series:
    count = int(generator.integers(*lengths)) + horizon
    values = _scaled(generator, 0.3 * np.cumsum(generator.normal(0, 1, count)))
    return split(times(generator, count), values, np.repeat(values[-horizon - 1], horizon))


def _white_noise(generator: Generator, horizon: int, times: Times, lengths: Lengths) -> Series:
    count = int(generator.integers(*lengths)) + horizon
    values = _scaled(generator, generator.normal(0, 1, count))
    return split(times(generator, count), values, np.repeat(values[:-horizon].mean(), horizon))


def _autoregression(generator: Generator, horizon: int, times: Times, lengths: Lengths) -> Series:
    """An AR(1) series of known mean and coefficient, 0.5 to 0.9, of which the simple way makes use."""
    count = int(generator.integers(*lengths)) + horizon
    coefficient = generator.uniform(0.5, 0.9)
    path = draw.autoregression(generator, count, coefficient)
    expected = path[-horizon - 1] * coefficient ** np.arange(1, horizon + 1)
    both = _scaled(generator, np.append(path, expected))
    return split(times(generator, count), both[:count], both[count:])


def _control(name: str, simple: str, horizon: int, make: Callable[[Generator, int], Series]) -> Kind:
    return Kind(name, simple, horizon, each(make, horizon), draws=CONTROL_DRAWS, is_control=True)


def _of(
    process: Callable[[Generator, int, Times, Lengths], Series], times: Times, lengths: Lengths
) -> Callable[[Generator, int], Series]:
    return lambda generator, horizon: process(generator, horizon, times, lengths)


LAST, MEAN, TRUE = "last value", "mean", "true AR(1)"
CONTROLS = [
    _control("random walk", LAST, 12, _of(_random_walk, _numbered, (60, 120))),
    _control("random walk, months", LAST, 12, _of(_random_walk, draw.months, (60, 120))),
    _control("random walk, hours", LAST, 48, _of(_random_walk, _hours, (504, 840))),
    _control("random walk, 3 years of days", LAST, 90, _of(_random_walk, _days, (1096, 1461))),
    _control("white noise", MEAN, 12, _of(_white_noise, _numbered, (60, 120))),
    _control("white noise, months", MEAN, 12, _of(_white_noise, draw.months, (60, 120))),
    _control("AR(1), days", TRUE, 14, _of(_autoregression, _days, (150, 365))),
    _control("AR(1), months", TRUE, 12, _of(_autoregression, draw.months, (60, 120))),
    _control("AR(1), two years of months", TRUE, 11, _of(_autoregression, draw.months, (24, 29))),
]
