"""Seconds of `gatecast train --preset quick` on series of any length, each in a process of its own.

Single series of 100 to 100,000 values, of days, hours, 15 minutes and an integer index, and a hundred series
of 20,000 hours. Each has a level, two seasons, a slow walk and noise, and is forecast over a season.

Tells the seconds from the start of the command to its end, those of the processor (which other processes
change less), of the training alone, and of its first fit of the networks. The rest of a training is a second
fit about as long, and the simple methods.

    python -m benchmarks.lengths [--step hours] [--length 30000]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv
from sqlalchemy import select

from app.db.engine import Database
from app.db.tables import Model
from benchmarks.report import finish, print_table

LENGTHS = (100, 1_000, 3_652, 10_000, 17_420, 30_000, 100_000)
MANY, MANY_LENGTH = 100, 20_000
BOUND_S, MANY_BOUND_S = 15.0, 60.0
START = np.datetime64("1750-01-05", "s")
NOISE, WALK = 3.0, 0.2


@dataclass(frozen=True)
class Step:
    """What the steps of series are: seconds apart (None for an integer index), and their seasons in steps."""

    seconds: int | None
    seasons: tuple[float, float]
    horizon: int


STEPS: Mapping[str, Step] = {
    "days": Step(86_400, (7, 365.25), 28),
    "hours": Step(3_600, (24, 168), 24),
    "15 minutes": Step(900, (96, 672), 96),
    "integers": Step(None, (12, 50), 12),
}


@dataclass(frozen=True)
class Case:
    """So many series of one length and step."""

    step: str
    series: int
    length: int

    @property
    def name(self) -> str:
        many = "" if self.series == 1 else f"{self.series} series of "
        return f"{many}{self.length:,} {self.step}"

    @property
    def bound_s(self) -> float:
        return BOUND_S if self.series == 1 else MANY_BOUND_S


def table(case: Case) -> pa.Table:
    """Return the series of a case as columns, always the same."""
    random, step, place = np.random.default_rng(0), STEPS[case.step], np.arange(case.length)
    heights = random.uniform(5, 20, (case.series, len(step.seasons)))
    waves = np.stack([np.sin(2 * np.pi * place / season) for season in step.seasons])
    walks = random.normal(0, WALK, (case.series, case.length)).cumsum(axis=1)
    values = 500 + heights @ waves + walks + random.normal(0, NOISE, walks.shape)
    times = place if step.seconds is None else START + place * np.timedelta64(step.seconds, "s")
    names = np.repeat([f"series {number}" for number in range(case.series)], case.length)
    columns = {"unique_id": names, "ds": np.tile(times, case.series), "y": values.ravel().round(3)}
    return pa.table(columns)


def measure(case: Case) -> dict[str, float]:
    """Return the seconds of one training."""
    with tempfile.TemporaryDirectory(prefix="gatecast-lengths-") as folder:
        file, url = Path(folder) / "series.csv", f"sqlite:///{folder}/gatecast.db"
        csv.write_csv(table(case), file)
        words = ["train", str(file), "--horizon", str(STEPS[case.step].horizon), "--preset", "quick"]
        environment = {**os.environ, "GATECAST_DATABASE_URL": url, "GATECAST_DEVICE": "cpu"}
        began, before = time.perf_counter(), os.times()
        subprocess.run(
            [sys.executable, "-m", "app", *words], check=True, env=environment, capture_output=True
        )
        seconds, after = time.perf_counter() - began, os.times()
        cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
        return {"seconds": seconds, "cpu_s": cpu_s, **of_model(url)}


def of_model(database_url: str) -> dict[str, float]:
    """Return the seconds that the only model of a database was trained for."""
    database = Database(database_url)
    try:
        with database.read() as session:
            model = session.scalars(select(Model)).one()
            return {"training_s": model.training_seconds, "first_fit_s": model.trials[0]["seconds"]}
    finally:
        database.dispose()


def cases(steps: list[str], lengths: list[int]) -> list[Case]:
    """Return single series of the lengths and steps; all of them, and many series, where none are named."""
    singles = [
        Case(step, 1, length)
        for step in steps or STEPS
        for length in lengths or LENGTHS
        if length > 2 * STEPS[step].horizon  # else there is nothing to learn from beside what is held out
    ]
    return singles if steps or lengths else [*singles, Case("hours", MANY, MANY_LENGTH)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--step", choices=STEPS, action="append", default=[], help="this step; repeatable")
    parser.add_argument("--length", type=int, action="append", default=[], help="this length; repeatable")
    arguments = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    rows = []
    for case in cases(arguments.step, arguments.length):
        figures = {name: round(seconds, 2) for name, seconds in measure(case).items()}
        is_within = figures["seconds"] <= case.bound_s
        found[case.name] = figures
        cells = (*(f"{seconds:.1f}" for seconds in figures.values()), f"{case.bound_s:g}")
        rows.append((case.name, *cells, "ok" if is_within else "no"))
        print(rows[-1], file=sys.stderr, flush=True)
    print_table(("series", "seconds", "processor", "training", "first fit", "bound", ""), rows)
    finish("lengths", {"preset": "quick", "within": sum(row[-1] == "ok" for row in rows), "cases": found})


if __name__ == "__main__":
    main()
