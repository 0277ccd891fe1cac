"""Does a verdict flatter, and do intervals hold? On panels whose truth is known, and on what came.

    python -m benchmarks.honesty [--only verdicts|counts|singles|intervals|means] [--draws 2000]
        [--panels 100] [--resume]

One table with every bound, then a JSON line with `missed`, the rows that are not within theirs. `verdicts`
draws panels without a difference between two methods, and with a gain, and trains on panels of four kinds:
`benchmarks.honesty_panels`. `counts` forecasts counts that come by chance: `benchmarks.honesty_counts`.
`singles` forecasts series by themselves: `benchmarks.honesty_singles`. `intervals` compares what intervals
held with what was reported of them: `benchmarks.honesty_intervals`. `means` sums forecasts of intermittent
demand: `benchmarks.honesty_means`. It takes 45 minutes of a processor, verdicts 25 of them. `--resume` keeps
the rows of an interrupted run.
"""

import argparse
import resource
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks import (
    honesty_counts,
    honesty_intervals,
    honesty_means,
    honesty_panels,
    honesty_singles,
)
from benchmarks.honesty_rows import Row, Rows, Task, print_rows
from benchmarks.report import finish

DRAWS, PANELS = 2000, 100
DATA = Path("../shared/data")

PARTS: Mapping[str, Callable[[argparse.Namespace], Iterator[Task]]] = {
    "verdicts": lambda arguments: honesty_panels.tasks(arguments.draws, arguments.panels),
    "counts": lambda arguments: honesty_counts.tasks(arguments.panels),
    "singles": lambda arguments: honesty_singles.tasks(arguments.data, validation=arguments.validation),
    "intervals": lambda arguments: honesty_intervals.tasks(arguments.data, validation=arguments.validation),
    "means": lambda _: honesty_means.tasks(),
}
"""What is measured, by the name that `--only` takes."""


def main() -> None:
    """Measure row by row, print the table, and keep the result."""
    arguments = _arguments()
    kept, rows = Rows(resume=arguments.resume), list[Row]()
    for name in arguments.only or PARTS:
        rows += [kept.of(task) for task in PARTS[name](arguments)]
    rows += honesty_intervals.summary(rows)
    print_rows(rows)
    finish(
        "honesty",
        {
            "processor_seconds": _processor_seconds(),
            "validation": arguments.validation,
            "missed": [f"{row.part}: {row.name}" for row in rows if row.is_ok is False],
            "rows": [{"part": row.part, "name": row.name, **row.figures} for row in rows],
        },
    )


def _processor_seconds() -> int:
    """Return the seconds of a processor that this run took, without those of the rows it resumed from."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(each.ru_utime + each.ru_stime for each in used))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; repeatable")
    parser.add_argument("--draws", type=int, default=DRAWS, help="drawn panels a kind, for the test alone")
    parser.add_argument(
        "--panels", type=int, default=PANELS, help="panels a kind to train on, or to forecast"
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the Parquet files")
    parser.add_argument("--validation", action="store_true", help="intervals a horizon earlier, for choices")
    parser.add_argument("--resume", action="store_true", help="keep what an interrupted run has measured")
    return parser.parse_args()


if __name__ == "__main__":
    main()
