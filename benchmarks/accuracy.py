"""The accuracy of the served method, the network alone and simple methods on a competition's data.

One model for each frequency, trained with a preset alone, as the service's worker does: a fit for the
backtest on held-out steps of the training part, with the baselines, and one on all of it. Served is the
network or its blend with the dynamic optimised Theta method, whichever was better on those steps. The horizon
comes from the file, the season is the one that the service finds in times of that frequency (a year of weeks,
say; the file has none for them, and the scores keep to the file). Each frequency runs in a process of its
own, one after the other.

    python -m benchmarks.accuracy --data ../shared/data/M3.parquet [--frequency F] [--preset P] [--peers]
    python -m benchmarks.accuracy --data ../shared/data/M3.parquet --zero-shot

With `--zero-shot` nothing is trained: the pretrained networks forecast, calibrated on a few windows of the
training part, as the service does for a dataset without a model.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import get_args

from benchmarks.competition import Part, read_parts
from benchmarks.peers import DARTS, NEURALFORECAST, run_peer
from benchmarks.report import finish, print_table
from benchmarks.scores import LEVELS, Score, owa, point_forecast, pooled, score
from benchmarks.statistical import run_statistics
from models.choices import NO_SEASONS, Architecture, Preset, Seasons
from models.config import preset
from models.evaluation.assessment import Assessment
from models.evaluation.zero_shot import backtest_zero_shot
from models.methods.baselines import preload
from models.methods.combination import forecast_by
from models.methods.zero_shot import uncalibrated_method, zero_shot_forecaster
from models.network.devices import use_one_thread
from models.training.train import train

PROCESSES = 2
NETWORK: Architecture = "lstm"
SERVED = "served"
SEASONS = {
    "yearly": NO_SEASONS,
    "quarterly": Seasons((4,)),
    "monthly": Seasons((12,)),
    "weekly": Seasons((52,)),
    "hourly": Seasons((24, 168)),
    "other": NO_SEASONS,
}
"""What the service finds in times a year, a quarter, ... apart."""

PUBLISHED = {
    "TiRex": {"monthly": 0.831, "quarterly": 1.154, "yearly": 2.710},
    "Chronos-Bolt base": {"monthly": 0.851, "quarterly": 1.289, "yearly": 2.906},
}
"""MASE of large zero-shot models on M3, as published."""

Results = dict[str, dict[str, Score]]
"""Scores by frequency, then by method."""


def run_ours(part: Part, name: Preset) -> dict[str, Score]:
    """Train and forecast one part, as `app/services/training/run.py` does."""
    start = time.perf_counter()
    config = preset(
        name,
        horizon=part.horizon,
        seasons=SEASONS[part.frequency],
        values=len(part.history.values),
        longest=int(part.history.lengths.max()),
    )
    trained = train(part.history, config, [NETWORK])
    _print_backtest(part, trained.assessment)
    methods = {SERVED: trained.assessment.served, NETWORK: NETWORK}
    forecasts = {
        name: forecast_by(trained.assessment.methods[method], trained.model, part.history, levels=LEVELS)
        for name, method in methods.items()
    }
    seconds = time.perf_counter() - start
    verdicts = {name: trained.assessment.verdicts[method].outcome for name, method in methods.items()}
    return {
        name: replace(score(part, forecast, seconds, _peak_mb()), verdict=verdicts[name])
        for name, forecast in forecasts.items()
    }


def run_zero_shot(part: Part) -> dict[str, Score]:
    """Forecast one part without a training, as the service does for a dataset that has no model."""
    use_one_thread()
    start = time.perf_counter()
    forecaster = zero_shot_forecaster(part.horizon, SEASONS[part.frequency])
    assessment = backtest_zero_shot(forecaster, part.history)
    method = assessment.methods[assessment.served] if assessment else uncalibrated_method(part.horizon)
    forecast = forecast_by(method, forecaster, part.history, levels=LEVELS)
    seconds = time.perf_counter() - start
    if assessment:
        _print_backtest(part, assessment)
    return {SERVED: score(part, forecast, seconds, _peak_mb())}


def _print_backtest(part: Part, assessment: Assessment) -> None:
    """Print the result of the backtest, without the test part."""
    weights = assessment.methods[assessment.served].weights
    parts = ", ".join(f"{weight:.0%} {name}" for name, weight in weights.items())
    print(f"\n{part.frequency}: served is {assessment.served} ({parts})")
    for verdict in assessment.verdicts.values():
        print(f"  {verdict.outcome}: {verdict.sentence}", flush=True)


def _peak_mb() -> float:
    """Return the peak memory of this process; Linux counts it in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def run_peers(part: Part) -> dict[str, Score]:
    """Other libraries' LSTMs; the seconds are those of training and forecasting."""
    scores = {}
    for peer in (NEURALFORECAST, DARTS):
        answer = run_peer(peer, part.history, horizon=part.horizon, season_length=part.season_length)
        scores[peer.name] = score(part, point_forecast(answer.median), answer.seconds)
    return scores


def in_processes(
    processes: int, work: Callable[..., dict[str, Score]], parts: Sequence[Part], *more: object
) -> Iterator[tuple[str, dict[str, Score]]]:
    """Yield the frequency and the result of `work` for each part, as they end, each in a fresh process."""
    context = get_context("spawn")
    # As a process of the worker, each has imported what takes seconds before there is a training for it.
    with ProcessPoolExecutor(processes, context, preload, max_tasks_per_child=1) as pool:
        frequencies = {pool.submit(work, part, *more): part.frequency for part in parts}
        for future in as_completed(frequencies):
            yield frequencies[future], future.result()


def _summary(method: str, results: Results) -> dict[str, float]:
    """The figures of one method over all the frequencies given."""
    scores = [part[method] for part in results.values()]
    whole = pooled(scores)
    figures = {
        "smape_pooled": whole.smape,
        "mase": whole.mase,
        "owa": owa(scores, [part["naive2"] for part in results.values()]),
        **{f"cov{level}": 100 * share for level, share in whole.coverage.items()},
        "seconds": whole.seconds,
    }
    if whole.interval_score is not None:
        figures["interval_score"] = whole.interval_score
    if whole.peak_mb is not None:
        figures["peak_mb"] = whole.peak_mb
    return {name: round(figure, 4) for name, figure in figures.items()}


def _print(title: str, results: Results) -> None:
    methods = next(iter(results.values()))
    covered = (f"cov{level}" for level in LEVELS)
    columns = ("smape_pooled", "mase", "owa", *covered, "interval_score", "seconds", "peak_mb")
    print(f"\n{title}: {sum(part[SERVED].series for part in results.values())} series")
    rows = []
    for method in methods:
        figures = _summary(method, results)
        rows.append([method, *(_cell(figures, column) for column in columns)])
    print_table(("method", *columns), rows)
    sys.stdout.flush()


def _print_published(results: Results) -> None:
    """Beside what the authors of large zero-shot models give for M3."""
    frequencies = [name for name in PUBLISHED["TiRex"] if name in results]
    ours = {name: _summary(SERVED, {name: results[name]})["mase"] for name in frequencies}
    rows = [("ours", *(f"{ours[name]:.3f}" for name in frequencies))]
    rows += [(model, *(f"{mase[name]:.3f}" for name in frequencies)) for model, mase in PUBLISHED.items()]
    print("\nMASE without training; the others as published for M3")
    print_table(("model", *frequencies), rows)


def _cell(figures: Mapping[str, float], column: str) -> str:
    if column not in figures:
        return "-"
    return f"{figures[column]:.{1 if column in {'seconds', 'peak_mb'} else 3}f}"


def _result(results: Results, seconds: float) -> dict[str, object]:
    """What is served first, as the measures are named; `seconds` are those on the clock."""
    methods = list(next(iter(results.values())))
    by_frequency = {
        frequency: {
            **_summary(SERVED, one),
            "verdicts": {method: its.verdict for method, its in part.items() if its.verdict is not None},
            "others": _others(methods, one),
        }
        for frequency, part in results.items()
        for one in [{frequency: part}]
    }
    return {
        **_summary(SERVED, results),
        "seconds": round(seconds, 1),
        "others": _others(methods, results),
        "frequencies": by_frequency,
    }


def _others(methods: Sequence[str], results: Results) -> dict[str, dict[str, float]]:
    return {method: _summary(method, results) for method in methods if method != SERVED}


def main() -> None:
    arguments = _arguments()
    parts = _chosen(read_parts(arguments.data), arguments.frequency)
    others = dict(in_processes(PROCESSES, run_statistics, parts))
    if arguments.peers:
        others = {part.frequency: others[part.frequency] | run_peers(part) for part in parts}
    start = time.perf_counter()
    results: Results = {}
    work, more = (run_zero_shot, ()) if arguments.zero_shot else (run_ours, (arguments.preset,))
    for frequency, ours in in_processes(1, work, parts, *more):
        results[frequency] = {**ours, **others[frequency]}
        _print(frequency, {frequency: results[frequency]})
    seconds = time.perf_counter() - start
    _print("all", results)
    if arguments.zero_shot:
        _print_published(results)
    preset_name = "zero-shot" if arguments.zero_shot else arguments.preset
    header = {"data": arguments.data.stem, "preset": preset_name, "frequency": arguments.frequency}
    finish("accuracy", {**header, **_result(results, seconds)})


def _chosen(parts: list[Part], frequency: str | None) -> list[Part]:
    chosen = [part for part in parts if frequency in {None, part.frequency}]
    if not chosen:
        there = ", ".join(part.frequency for part in parts)
        raise SystemExit(f"The file has no frequency {frequency!r}; choose one of {there}.")
    return chosen


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="Parquet file of the competition")
    parser.add_argument("--frequency", help="this frequency alone; every one of the file when not given")
    parser.add_argument("--preset", choices=get_args(Preset), default="balanced")
    parser.add_argument("--zero-shot", action="store_true", help="without a training, in place of a preset")
    parser.add_argument("--peers", action="store_true", help="other libraries' LSTMs too; installs them")
    return parser.parse_args()


if __name__ == "__main__":
    main()
