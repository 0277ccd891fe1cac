"""Does a verdict flatter, and do intervals hold? On panels whose truth is known, and on what came.

    python -m benchmarks.honesty [--only verdicts] [--draws 2000] [--panels 100]

Each section is a table with a column that says whether its bounds were kept; one JSON line comes last, with
`missed` naming what was not. `verdicts` draws panels without a difference between two methods, and with a
gain, and trains on panels of four kinds; see `benchmarks.honesty_panels`.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence

from benchmarks.honesty_panels import test_alone, whole_way
from benchmarks.report import Section, finish, print_table

DRAWS, PANELS = 2000, 100


def _verdicts(arguments: argparse.Namespace) -> Mapping[str, Section]:
    """Return how often verdicts are wrong: of the test alone, and the whole way through a training."""
    sections = {"test_alone": test_alone(arguments.draws)} if arguments.draws else {}
    return sections | ({"whole_way": whole_way(arguments.panels)} if arguments.panels else {})


SECTIONS: Mapping[str, Callable[[argparse.Namespace], Mapping[str, Section]]] = {"verdicts": _verdicts}
"""What is measured, by the name that `--only` takes. Coverage and bounds belong here as `intervals`."""


def main() -> None:
    """Measure, print every table, and keep the result."""
    arguments = _arguments()
    start = time.perf_counter()
    found: dict[str, Section] = {}
    for name in arguments.only or SECTIONS:
        found.update(SECTIONS[name](arguments))
    for section in found.values():
        print()
        print_table(section.header, section.table)
    missed = [name for section in found.values() for name in section.missed]
    results = {name: section.result for name, section in found.items()}
    finish("honesty", {"seconds": round(time.perf_counter() - start, 1), "missed": missed, **results})


def _arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=SECTIONS, action="append", help="this section; repeatable")
    parser.add_argument("--draws", type=int, default=DRAWS, help="drawn panels a kind, for the test alone")
    parser.add_argument("--panels", type=int, default=PANELS, help="panels a kind to train on")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
