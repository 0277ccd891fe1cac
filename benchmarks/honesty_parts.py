"""The series that `benchmarks.honesty` measures intervals on: competitions' parts, and the population."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from app.commands.demo import HIDDEN, POPULATION, read_countries
from benchmarks.competition import Part, read_parts
from benchmarks.sanity_trends import CUTS
from models.panel import Panel

FILES: Mapping[str, Sequence[str]] = {
    "M3": ("monthly", "quarterly", "yearly", "other"),
    "M4_weekly": ("weekly",),
    "M4_hourly": ("hourly",),
}


def parts_of(data: Path, *, validation: bool) -> dict[str, Callable[[], list[Part]]]:
    """Return what reads the competitions' parts, and the population: as many parts as it has cuts."""
    found: dict[str, Callable[[], list[Part]]] = {}
    for file, frequencies in FILES.items():
        for frequency in frequencies:
            name = f"{file.replace('_', ' ')}, {frequency}"
            found[name] = partial(_competition, data / f"{file}.parquet", frequency, validation=validation)
    return found | {"population, yearly": lambda: [_population(cut + validation) for cut in range(CUTS)]}


def _competition(path: Path, frequency: str, *, validation: bool) -> list[Part]:
    part = next(each for each in _read(path) if each.frequency == frequency)
    return [_earlier(part) if validation else part]


@cache
def _read(path: Path) -> list[Part]:
    return read_parts(path)


def _earlier(part: Part) -> Part:
    """Return the part a horizon earlier, without the series that this leaves with less than a horizon."""
    long_enough = np.flatnonzero(part.history.lengths >= 2 * part.horizon)
    history = part.history.heads(long_enough, part.history.lengths[long_enough])
    return replace(part, history=history.without_last(part.horizon), target=history.last(part.horizon))


def _population(cut: int) -> Part:
    countries = [[value for _, value in years] for years in read_countries(POPULATION).values()]
    known = [values[: len(values) - (cut + 1) * HIDDEN] for values in countries]
    ahead = [values[len(old) :][:HIDDEN] for values, old in zip(countries, known, strict=True)]
    return Part("population", "yearly", HIDDEN, 1, Panel.of(known), np.array(ahead, dtype=np.float64))
