"""Requests a second of the service beside a bare FastAPI app that does nothing, both on this machine.

M3's monthly series, a model trained at `quick`, a service on SQLite; the bare app answers as many bytes, in
its own process under the same flags of uvicorn. First with the service idle otherwise, then while it trains.
The scenarios take turns, and a ratio is the median of the rounds' own, which share the machine's mood.
`uncached` asks what was never asked, but of series that the model may have forecast before, at another
horizon or other levels; `first` asks it where nothing of that is kept, so that each question costs a pass.

    python -m benchmarks.serving [--data FOLDER] [--workers N] [--peers] [--soak MINUTES]
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx2

from benchmarks import wrk
from benchmarks.costs import Costs
from benchmarks.mlflow_server import running_mlflow
from benchmarks.monthly import HORIZON, Monthly, Walk, read_monthly
from benchmarks.process_tree import eventually
from benchmarks.report import finish, print_table
from benchmarks.service import Service, end_on_sigterm
from benchmarks.serving_setup import AD_HOC_SERIES, ServingSetup, serving_setup
from benchmarks.soak import soak
from benchmarks.wrk import Load
from gatecast_client import Client

CONNECTIONS = 16
PATHS_A_SECOND = 10_000  # more than the service answers
CSV_TIMES = 3
WARM_UP_S = 1
COMPARED = ("empty_1", "uncached_1", "first_1", "empty", "cached", "uncached_16", "first_16")
LIMIT_S = 300.0
BOUNDS = "cached ≥ 0.7 of the bare app; uncached at 16 connections ≥ 0.3, at one p50 ≤ uncached_bound_ms."

Scenarios = Mapping[str, Callable[[int], Load]]
Figures = dict[str, Any]


@dataclass(frozen=True)
class Round:
    """One turn of every scenario, and what a forecast's parts cost just then."""

    loads: Mapping[str, Load]
    costs: Mapping[str, float]


def scenarios(setup: ServingSetup) -> Scenarios:
    """What is asked, by name: a function of the seconds that it shall take."""
    cached = setup.service.url + setup.cached_path
    chosen: dict[str, Callable[[int], Load]] = {
        "empty_1": lambda seconds: wrk.load(setup.bare_url, 1, seconds),
        "uncached_1": lambda seconds: uncached(setup, 1, seconds),
        "first_1": lambda seconds: first(setup, 1, seconds),
        "empty": lambda seconds: wrk.load(setup.bare_url, CONNECTIONS, seconds),
        "cached": lambda seconds: wrk.load(cached, CONNECTIONS, seconds),
        "uncached_16": lambda seconds: uncached(setup, CONNECTIONS, seconds),
        "first_16": lambda seconds: first(setup, CONNECTIONS, seconds),
    }
    if setup.etag is not None:
        headers = [f"If-None-Match: {setup.etag}"]
        chosen["not_modified"] = lambda seconds: wrk.load(cached, CONNECTIONS, seconds, headers=headers)
    if setup.ad_hoc is not None:
        script, url = (wrk.POST, setup.ad_hoc), f"{setup.service.url}/forecast"
        # One at a time: each is a quarter of a second of Theta, and of sixteen few would end within a turn.
        chosen[f"ad_hoc_{AD_HOC_SERIES}"] = lambda seconds: wrk.load(url, 1, seconds, script=script)
    return chosen


def uncached(setup: ServingSetup, connections: int, seconds: int) -> Load:
    """Ask for forecasts that were never asked for, one series each."""
    return _uncached_load(setup.service, setup.walk, setup.folder / "paths", connections, seconds)


def first(setup: ServingSetup, connections: int, seconds: int) -> Load:
    """Ask for forecasts, one series each, where each is the first of its series."""
    return _uncached_load(setup.forgetful, setup.first_walk, setup.folder / "paths", connections, seconds)


def _uncached_load(service: Service, walk: Walk, file: Path, connections: int, seconds: int) -> Load:
    """Go on with a walk, by way of a file.

    Raises RuntimeError if there were not enough addresses left.
    """
    written = walk.write(file, seconds * PATHS_A_SECOND)
    load = wrk.load(service.url, connections, seconds, script=(wrk.PATHS, file))
    if load.taken > written:
        message = f"{load.taken} addresses were asked for, and only {written} are new: take fewer rounds."
        raise RuntimeError(message)
    walk.position += load.taken
    return load


def all_series_s(setup: ServingSetup, levels: Iterator[int]) -> float:
    """Seconds until every series' forecast is here as CSV, of levels that were never asked for."""
    taken = []
    for level in (next(levels) for _ in range(CSV_TIMES)):
        began = time.perf_counter()
        address = f"{setup.service.url}/forecast?dataset_id={setup.dataset_id}&level={level}&level=96"
        answer = httpx2.get(address, headers={"Accept": "text/csv"}, timeout=LIMIT_S).raise_for_status()
        taken.append(time.perf_counter() - began)
        if len(answer.text.splitlines()) != 1 + HORIZON * len(setup.walk.names):
            message = f"{len(answer.text.splitlines())} lines are not the forecasts of every series."
            raise RuntimeError(message)
    return median(taken)


def summary(rounds: Sequence[Round]) -> Figures:
    """Medians over the rounds."""
    names = list(rounds[0].loads)

    def middle(figure: Callable[[Round], float]) -> float:
        return round(median(figure(one) for one in rounds), 4)

    def of(name: str, figure: str) -> float:
        return middle(lambda one: float(getattr(one.loads[name], figure)))

    def over_empty(name: str) -> float:
        return middle(lambda one: one.loads[name].rps / one.loads["empty"].rps)

    others = (name for name in names if name not in COMPARED)
    return {
        "empty_rps": of("empty", "rps"),
        "cached_rps": of("cached", "rps"),
        "cached_over_empty": over_empty("cached"),
        "uncached_rps_1": of("uncached_1", "rps"),
        "uncached_rps_16": of("uncached_16", "rps"),
        "uncached_16_over_empty": over_empty("uncached_16"),
        "first_rps_1": of("first_1", "rps"),
        "first_rps_16": of("first_16", "rps"),
        "first_16_over_empty": over_empty("first_16"),
        "first_p50_ms": of("first_1", "p50_ms"),
        "empty_p50_ms": of("empty_1", "p50_ms"),
        "uncached_p50_ms": of("uncached_1", "p50_ms"),
        "uncached_bound_ms": middle(bound_ms),
        "uncached_p50_over_bound": middle(lambda one: one.loads["uncached_1"].p50_ms / bound_ms(one)),
        **{f"{name}_{figure}": of(name, figure) for name in others for figure in ("rps", "p50_ms")},
        **{cost: round(median(one.costs[cost] for one in rounds), 4) for cost in rounds[0].costs},
        "p99_ms": {name: of(name, "p99_ms") for name in names},
        "errors": sum(load.errors for one in rounds for load in one.loads.values()),
    }


def bound_ms(one: Round) -> float:
    """What an uncached forecast may take: the bare app, the read, and three passes of the network."""
    return one.loads["empty_1"].p50_ms + one.costs["indexed_read_ms"] + 3 * one.costs["forward_ms"]


def measure(setup: ServingSetup, times: int, seconds: int, levels: Iterator[int]) -> Figures:
    """Every figure, as the machine is just now."""
    calls, parts = scenarios(setup), Costs(setup.service.database_url, setup.dataset_id, setup.walk.names[0])
    for call in calls.values():
        call(WARM_UP_S)
    rounds = []
    for _ in range(times):
        loads = {name: call(seconds) for name, call in calls.items()}
        rounds.append(Round(loads, parts.measure()))
    return {**summary(rounds), "all_series_csv_s": round(all_series_s(setup, levels), 3)}


@contextmanager
def training(setup: ServingSetup) -> Iterator[None]:
    """Let the service train meanwhile; says so if the training ended too early."""
    with Client(setup.service.url) as client:
        job = client.train(setup.dataset_id, HORIZON, "balanced", promote="never", seed=1)
        try:
            eventually(lambda: client.job(job.id).progress.epoch is not None, LIMIT_S, pause_s=0.5)
            yield
            if (state := client.job(job.id).state) != "running":
                print(f"The training has {state} before the measurement was over: its figures are too good.")
        finally:
            client.cancel(job.id)


def measure_both(setup: ServingSetup, times: int, seconds: int) -> Figures:
    """Idle and under training, with the memory of the service's processes before and after."""
    levels = iter(range(50, 95))
    setup.service.wait_until_quiet()
    before_mb = setup.service.memory_mb
    idle = measure(setup, times, seconds, levels)
    after_mb = setup.service.memory_mb
    with training(setup):
        busy = measure(setup, times, seconds, levels)
    return {
        **idle,
        "rss_before_mb": round(before_mb, 1),
        "rss_mb": round(after_mb, 1),
        "method": setup.method,
        "uncached_addresses": setup.walk.position,
        **{f"{name}_training": figure for name, figure in busy.items()},
    }


def compare(setup: ServingSetup, monthly: Monthly, times: int, seconds: int) -> Figures:
    """MLflow's model server with darts' LSTM beside ours, taking turns; a pass for one series a request."""
    with running_mlflow(setup.folder, monthly) as ask:
        ask(CONNECTIONS, WARM_UP_S)
        rounds = [(first(setup, CONNECTIONS, seconds).rps, ask(CONNECTIONS, seconds)) for _ in range(times)]
    return {
        "mlflow_rps": round(median(theirs.rps for _, theirs in rounds), 2),
        "mlflow_p50_ms": round(median(theirs.p50_ms for _, theirs in rounds), 2),
        "mlflow_errors": sum(theirs.errors for _, theirs in rounds),
        "times_mlflow": round(median(ours / theirs.rps for ours, theirs in rounds), 2),
    }


def _print(figures: Figures) -> None:
    print(f"\nBounds: {BOUNDS}")
    names = [name for name in figures if f"{name}_training" in figures and name != "p99_ms"]
    rows = [(name, str(figures[name]), str(figures[f"{name}_training"])) for name in names]
    rows += [
        (f"{name}_p99_ms", str(p99), str(figures["p99_ms_training"][name]))
        for name, p99 in figures["p99_ms"].items()
    ]
    print_table(("", "idle", "training"), rows)


def main() -> None:
    arguments = _arguments()
    wrk.require()
    end_on_sigterm()
    monthly = read_monthly(arguments.data / "M3.parquet")
    with serving_setup(monthly, arguments.workers) as setup:
        options = {
            "workers": arguments.workers or 1,
            "seconds": arguments.seconds,
            "rounds": arguments.rounds,
        }
        if arguments.soak:
            finish("soak", {**options, **soak(setup, monthly, arguments.soak, arguments.workers or 1)})
            return
        figures = measure_both(setup, arguments.rounds, arguments.seconds)
        if arguments.peers:
            figures |= compare(setup, monthly, arguments.rounds, arguments.seconds)
    _print(figures)
    finish("serving", {**options, **figures})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder that has M3.parquet"
    )
    parser.add_argument("--workers", type=int, help="API processes, of the service and of the bare app")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every scenario")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of each turn")
    parser.add_argument("--peers", action="store_true", help="MLflow's model server too; installs it")
    parser.add_argument(
        "--soak", type=float, metavar="MINUTES", help="half of full load for so long, in place of all else"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
