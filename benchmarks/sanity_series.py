"""Kinds of series for `benchmarks.sanity`, and the parts that they are drawn from.

Everything is drawn from the generator that is passed in, so a draw is the same in every run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.panel import Floats, Integers

Time = str | int
SeasonShape = Callable[[Floats], Floats]
"""The height of a season, about -1 to 1, at shares of a cycle."""

Dates = NDArray[np.datetime64]
DRAWS, CONTROL_DRAWS = 20, 60


@dataclass(frozen=True, eq=False)
class Series:
    """One series as it is sent, and what a forecast of it is held against.

    `history` (steps,) stands at `times`. `target`, `simple` and, where bounds are measured, `upper` (all
    (scored,)) stand at the times `ahead`: what came, and the simple way's forecast and upper 95 % bound.
    `closed` holds steps within the horizon that never occur.
    """

    times: list[Time]
    history: Floats
    ahead: list[Time]
    target: Floats
    simple: Floats
    upper: Floats | None = None
    closed: Sequence[Time] = ()


Draw = Sequence[Series]
"""The series of one request."""


@dataclass(frozen=True)
class Kind:
    """A kind of series: the simple way to beat, the steps ahead, and what makes the series of one draw.

    `make` takes a generator and the number of the draw. `bounds` are measured by their upper end, in place of
    the median.
    """

    name: str
    simple: str
    horizon: int
    make: Callable[[Generator, int], Draw]
    draws: int = DRAWS
    is_control: bool = False
    bounds: bool = False

    def drawn(self) -> list[Draw]:
        """Return all draws; one depends on the kind's name and its own number alone."""
        seed = crc32(self.name.encode())
        return [self.make(np.random.default_rng([seed, number]), number) for number in range(self.draws)]


def each(make: Callable[[Generator, int], Series], horizon: int) -> Callable[[Generator, int], Draw]:
    """Return what makes draws of one series; `make` takes the generator and the horizon."""
    return lambda generator, _: [make(generator, horizon)]


def kind_of(
    name: str, simple: str, horizon: int, make: Callable[[Generator, int], Series], *, bounds: bool = False
) -> Kind:
    """Return a kind with one series a draw; `make` takes the generator and the horizon."""
    return Kind(name, simple, horizon, each(make, horizon), bounds=bounds)


def split(times: list[Time], values: Floats, simple: Floats, upper: Floats | None = None) -> Series:
    """Return the series whose last `len(simple)` values are its future."""
    known = len(values) - len(simple)
    return Series(times[:known], values[:known], times[known:], values[known:], simple, upper)


def text(dates: Dates) -> list[Time]:
    """Return times as answers show them."""
    unit = "D" if np.array_equal(dates, dates.astype("M8[D]")) else "s"
    return [str(date) for date in dates.astype(f"M8[{unit}]")]


def months(generator: Generator, count: int) -> list[Time]:
    """Return the first days of months that follow each other."""
    return text((np.datetime64("1990-01") + generator.integers(240) + np.arange(count)).astype("M8[D]"))


def mondays(generator: Generator, count: int) -> Dates:
    """Return Mondays that follow each other."""
    dates: Dates = np.datetime64("1990-01-01") + 7 * (generator.integers(1000) + np.arange(count))
    return dates


def days(generator: Generator, count: int) -> Dates:
    """Return days that follow each other."""
    dates: Dates = np.datetime64("1990-01-01") + generator.integers(7000) + np.arange(count)
    return dates


def minutes(generator: Generator, count: int, apart: int) -> Dates:
    """Return times so many minutes apart, from a midnight on."""
    midnight = days(generator, 1).astype("M8[s]").astype(np.int64)
    dates: Dates = (midnight + 60 * apart * np.arange(count)).astype("M8[s]")
    return dates


def years(generator: Generator, count: int) -> list[Time]:
    """Return years that follow each other, as numbers."""
    first = 1890 + int(generator.integers(20))
    return list(range(first, first + count))


def index(count: int) -> list[Time]:
    """Return 1, 2, 3, ..."""
    return list(range(1, count + 1))


def level(generator: Generator) -> float:
    """Return a level between 20 and 2,000, any order of magnitude as likely."""
    return float(np.exp(generator.uniform(np.log(20), np.log(2000))))


def season_shape(generator: Generator, harmonics: int = 3) -> SeasonShape:
    """Return a season shape of a few harmonics with random phases, its largest distance from 0 being 1."""
    orders = np.arange(1, harmonics + 1)
    sizes, shifts = generator.uniform(0.3, 1, harmonics) / orders, generator.uniform(0, 1, harmonics)

    def height(shares: Floats) -> Floats:
        waves: Floats = np.cos(2 * np.pi * orders * (np.asarray(shares)[:, None] + shifts)) @ sizes
        return waves

    peak = np.abs(height(np.linspace(0, 1, 1000))).max()
    return lambda shares: height(shares) / peak


def autoregression(generator: Generator, count: int, coefficient: float) -> Floats:
    """Return a stationary AR(1) series with shocks of standard deviation 1."""
    shocks = generator.normal(0, 1, count)
    values = np.empty(count)
    values[0] = shocks[0] / np.sqrt(1 - coefficient**2)
    for i in range(1, count):
        values[i] = coefficient * values[i - 1] + shocks[i]
    return values


def iso_weeks(dates: Dates) -> Integers:
    """Return the number of each Monday's week in its ISO year, 1 to 53."""
    thursdays = dates.astype("M8[D]") + 3
    new_year = thursdays.astype("M8[Y]").astype("M8[D]")
    weeks: Integers = (thursdays - new_year).astype(np.int64) // 7 + 1
    return weeks


def with_season(generator: Generator, shares: Floats) -> Floats:
    """Return a level with a season at shares of a cycle, and white noise of 3 to 15 % of its height."""
    middle = level(generator)
    height = middle * generator.uniform(0.1, 0.4)
    noise = height * generator.uniform(0.03, 0.15) * generator.normal(0, 1, len(shares))
    values: Floats = middle + height * season_shape(generator)(shares) + noise
    return values
