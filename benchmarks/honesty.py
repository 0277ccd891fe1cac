"""Does a verdict flatter, and do intervals hold? On panels whose truth is known, and on what came.

    python -m benchmarks.honesty [--only verdicts|intervals] [--draws 2000] [--panels 100] [--data FOLDER]

Each part prints tables; one JSON line comes last, with `missed` naming what was not within its bounds.
`verdicts` draws panels without a difference between two methods, and with a gain, and trains on panels of
four kinds: `benchmarks.honesty_panels`, at most 40 minutes on two cores. `intervals` compares what intervals
held with what was reported of them: `benchmarks.honesty_intervals`.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import honesty_intervals
from benchmarks.honesty_panels import test_alone, whole_way
from benchmarks.report import Section, finish, print_table

DRAWS, PANELS = 2000, 100
DATA = Path("../shared/data")

MOST_OFF = {
    "served_80_mean": 3.0,
    "served_95_mean": 2.0,
    "served_80_max": 8.0,
    "served_95_max": 8.0,
    "reported_gaps_over_3": 0.0,
    "score_ratio_mean": 1.0,
    "score_ratio_max": 1.04,
    "beyond_served": 0.0,
}
"""The highest figures of intervals that pass: points of coverage, scores over raw ones, bounds too far."""


def verdicts(arguments: argparse.Namespace) -> tuple[Mapping[str, object], list[str]]:
    """Measure how often verdicts are wrong: of the test alone, and the whole way through a training."""
    sections: dict[str, Section] = {}
    if arguments.draws:
        sections["test_alone"] = test_alone(arguments.draws)
    if arguments.panels:
        sections["whole_way"] = whole_way(arguments.panels)
    for section in sections.values():
        print()
        print_table(section.header, section.table)
    missed = [name for section in sections.values() for name in section.missed]
    return {name: section.result for name, section in sections.items()}, missed


def intervals(arguments: argparse.Namespace) -> tuple[Mapping[str, object], list[str]]:
    """Measure what intervals hold, of what is served and of what is reported."""
    figures: Mapping[str, Any] = honesty_intervals.run(arguments.data)
    return {"intervals": figures}, [name for name, most in MOST_OFF.items() if figures[name] > most]


PARTS: Mapping[str, Callable[[argparse.Namespace], tuple[Mapping[str, object], list[str]]]] = {
    "verdicts": verdicts,
    "intervals": intervals,
}
"""What is measured, by the name that `--only` takes: each returns its result and what missed its bounds."""


def main() -> None:
    """Measure, print every table, and keep the result."""
    arguments = _arguments()
    start = time.perf_counter()
    result: dict[str, object] = {}
    missed: list[str] = []
    for name in arguments.only or PARTS:
        found, beyond = PARTS[name](arguments)
        result.update(found)
        missed += beyond
    finish("honesty", {"seconds": round(time.perf_counter() - start, 1), "missed": missed, **result})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; repeatable")
    parser.add_argument("--draws", type=int, default=DRAWS, help="drawn panels a kind, for the test alone")
    parser.add_argument("--panels", type=int, default=PANELS, help="panels a kind to train on")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the Parquet files")
    return parser.parse_args()


if __name__ == "__main__":
    main()
