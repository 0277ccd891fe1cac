"""Would an analyst laugh at it? Forecasts of series with an obvious future, beside the simple way for each.

A row is a kind of series, drawn 20 times or more with other levels, noise, lengths and phases. Its figure is
the median over the draws of the forecast's mean absolute error over the simple way's, both on the realised
future, which has the noise of the history; at most 1.2 passes. Where a place is always empty (Sundays,
nights), no forecast may stand there. Controls have nothing to find: their figures may be at most 2 % above
the first that `results/sanity.jsonl` holds for them.

    python -m benchmarks.sanity [--quick [--together]] [--only KIND]

Without `--quick` nothing is trained: each draw is a request of its own, forecast as `POST /forecast` does
for rows without a model. With `--quick` each draw is a dataset, on which a model is trained as
`gatecast train` does, and what it serves is measured: where it lost its backtest, the baseline that won. A
single series is too few to lose by; with `--together` the draws of a kind make one dataset. Horizons are
such that a training can hold out as many steps.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np

from app.errors import AppError
from benchmarks.report import RESULTS, finish, print_table
from benchmarks.sanity_controls import CONTROLS
from benchmarks.sanity_forecasts import Forecast, Way, pretrained, quick, quick_together
from benchmarks.sanity_seasons import SEASONS
from benchmarks.sanity_series import Draw, Kind
from benchmarks.sanity_trends import TRENDS
from models.network.devices import use_one_thread

PROCESSES = 2
BOUND = 1.2
MOST_WORSE = 1.02
"""Of a control's first figure."""

ALL = {kind.name: kind for kind in (*SEASONS, *TRENDS, *CONTROLS)}
WAYS: dict[str, Way] = {"zero-shot": pretrained, "quick": quick, "quick, together": quick_together}


@dataclass(frozen=True)
class Row:
    """What came of a kind; no figure where the service refused, for the reason given."""

    kind: str
    draws: int
    figure: float | None
    at_closed_times: int = 0
    refusal: str | None = None


def ratio(kind: Kind, draw: Draw, forecasts: Sequence[Forecast]) -> float:
    """Return the error of a draw's forecasts over the simple way's, or so their highest upper bounds.

    Errors are relative to the mean size of the target, so that every series of a draw counts alike. A time
    without a forecast raises KeyError.
    """
    ours, simple = np.zeros(2)
    for series, forecast in zip(draw, forecasts, strict=True):
        if kind.bounds and series.upper is not None:
            ours += max(forecast.upper[step] for step in series.ahead)
            simple += float(series.upper.max())
            continue
        size = np.abs(series.target).mean()
        made = np.array([forecast.median[step] for step in series.ahead])
        ours += np.abs(series.target - made).mean() / size
        simple += np.abs(series.target - series.simple).mean() / size
    return float(ours / simple)


def measure(kind: Kind, way: Way) -> Row:
    """Draw a kind, forecast it and compare."""
    draws = kind.drawn()
    try:
        forecasts = list(way(kind, draws))
    except AppError as error:
        return Row(kind.name, kind.draws, None, refusal=str(error))
    pairs = list(zip(draws, forecasts, strict=True))
    figure = median(ratio(kind, draw, made) for draw, made in pairs)
    return Row(kind.name, kind.draws, round(figure, 3), sum(_closed(*pair) for pair in pairs))


def _closed(draw: Draw, forecasts: Sequence[Forecast]) -> int:
    """Count the forecasts at times that never occur."""
    pairs = zip(draw, forecasts, strict=True)
    return sum(step in forecast.median for series, forecast in pairs for step in series.closed)


def bound(kind: Kind, before: Mapping[str, float]) -> float | None:
    """Return the highest figure that passes; None for a control that was never measured."""
    if not kind.is_control:
        return BOUND
    return MOST_WORSE * before[kind.name] if kind.name in before else None


def passes(row: Row, limit: float | None) -> bool:
    """Return whether a row is as it should be."""
    return row.figure is not None and row.at_closed_times == 0 and (limit is None or row.figure <= limit)


def first_figures(file: Path, preset: str) -> dict[str, float]:
    """Return the first figure that results of a preset hold for each kind."""
    found: dict[str, float] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        result = json.loads(line)
        if result["preset"] == preset:
            rows = result["rows"].items()
            found = {kind: row["figure"] for kind, row in rows if row["figure"] is not None} | found
    return found


def _rows(names: Sequence[str], way: str) -> Iterator[Row]:
    """Yield what came of the kinds, in their order."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), use_one_thread) as pool:
        yield from pool.map(_measure, names, [way] * len(names))


def _measure(name: str, way: str) -> Row:
    """Measure the kind of this name, in a process of its own."""
    return measure(ALL[name], WAYS[way])


def _cells(row: Row, limit: float | None) -> list[str]:
    """Return a row as it is printed."""
    figure = "refused" if row.figure is None else f"{row.figure:.3f}"
    highest = "-" if limit is None else f"{limit:.3f}"
    closed = str(row.at_closed_times or "-")
    verdict = "ok" if passes(row, limit) else "no"
    return [row.kind, ALL[row.kind].simple, str(row.draws), figure, highest, closed, verdict]


def main() -> None:
    arguments = _arguments()
    way = _way(arguments)
    before = first_figures(RESULTS / "sanity.jsonl", way)
    start, rows, table = time.perf_counter(), {}, []
    for row in _rows(arguments.only or list(ALL), way):
        limit = bound(ALL[row.kind], before)
        table.append(_cells(row, limit))
        print(f"{row.kind}: {table[-1][3]} {row.refusal or ''}", flush=True)
        rows[row.kind] = {
            "draws": row.draws,
            "figure": row.figure,
            "bound": None if limit is None else round(limit, 3),
            "at_closed_times": row.at_closed_times,
            "ok": passes(row, limit),
        }
    print()
    print_table(("kind", "simple way", "draws", "figure", "bound", "when closed", ""), table)
    missed = [kind for kind, row in rows.items() if not row["ok"]]
    seconds = round(time.perf_counter() - start, 1)
    finish("sanity", {"preset": way, "seconds": seconds, "missed": missed, "rows": rows})


def _way(arguments: argparse.Namespace) -> str:
    if not arguments.quick:
        return "zero-shot"
    return "quick, together" if arguments.together else "quick"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="train with preset quick on each draw")
    parser.add_argument("--together", action="store_true", help="with --quick: once on all draws of a kind")
    parser.add_argument("--only", metavar="KIND", choices=ALL, action="append", help="this kind; repeatable")
    return parser.parse_args()


if __name__ == "__main__":
    main()
