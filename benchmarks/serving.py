"""Requests a second of the service beside a bare FastAPI app that does nothing, both on this machine.

M3's monthly series eight times over, a model of `quick`, SQLite; the bare app answers as many bytes, in
its own process under the same flags of uvicorn. First with the service idle otherwise, then while it trains.
The scenarios take turns, and a ratio is the median of the rounds' own, which share the machine's mood.
`first` asks a process that has just started, once for each series. `changed` asks likewise for series that
got a value since, before a worker has stored them again, and `stored_again` after that.

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

from app.db.engine import Database
from app.services.forecasting import storing
from benchmarks import wrk
from benchmarks.mlflow_server import running_mlflow
from benchmarks.monthly import HORIZON, Monthly, month, path, read_monthly
from benchmarks.process_tree import eventually
from benchmarks.report import finish, print_table
from benchmarks.service import end_on_sigterm
from benchmarks.serving_setup import AD_HOC_SERIES, ServingSetup, running_worker, serving_setup
from benchmarks.soak import soak
from benchmarks.wrk import Load
from gatecast_client import Client

CONNECTIONS = 16
COPIES = 8
FIRST_S = 2  # of a turn that asks for each series once: there are enough for 5,700 requests a second
CHANGED_SERIES = 4000
CSV_TIMES = 3
WARM_UP_S = 1
COMPARED = ("empty_1", "first_1", "empty", "cached", "first_16")
LIMIT_S = 300.0
BOUNDS = (
    "first ≥ 0.25 of the bare app (0.35 with the fast path), its p99 ≤ 20 ms, cached ≥ 1.5; changed ≥ 0.074; "
    "API process ≤ 700 MB."
)

Figures = dict[str, Any]


@dataclass(frozen=True)
class Round:
    """One turn of every scenario, and the memory of the processes that were asked."""

    loads: Mapping[str, Load]
    memory_mb: float


def take_turns(setup: ServingSetup, seconds: int) -> Round:
    """Ask everything once."""
    cached = setup.service.url + setup.cached_path
    loads = {
        "empty_1": wrk.load(setup.bare_url, 1, seconds),
        "empty": wrk.load(setup.bare_url, CONNECTIONS, seconds),
        "cached": wrk.load(cached, CONNECTIONS, seconds),
    }
    memory = []
    for connections in (1, CONNECTIONS):
        with setup.cold_service() as cold:
            loads[f"first_{connections}"] = first(setup, cold.url, connections, setup.names)
            memory.append(cold.memory_mb)
    if setup.etag is not None:
        headers = [f"If-None-Match: {setup.etag}"]
        loads["not_modified"] = wrk.load(cached, CONNECTIONS, seconds, headers=headers)
    if setup.ad_hoc is not None:
        script, url = (wrk.POST, setup.ad_hoc), f"{setup.service.url}/forecast"
        # One at a time: each is a quarter of a second of Theta, and of sixteen few would end within a turn.
        loads[f"ad_hoc_{AD_HOC_SERIES}"] = wrk.load(url, 1, seconds, script=script)
    return Round(loads, max(*memory, setup.service.memory_mb))


def first(setup: ServingSetup, url: str, connections: int, names: Sequence[str]) -> Load:
    """Ask for forecasts, one series each, each once.

    Raises RuntimeError if there were not enough series.
    """
    file = setup.folder / "paths"
    file.write_text("".join(f"{path(setup.dataset_id, name)}\n" for name in names))
    load = wrk.load(url, connections, FIRST_S, script=(wrk.PATHS, file))
    if load.taken > len(names):
        message = f"{load.taken} forecasts were asked for, and there are only {len(names)} series."
        raise RuntimeError(message)
    return load


def changed(setup: ServingSetup, monthly: Monthly) -> Figures:
    """Append a value to some series, and ask for each once: before a worker has stored them, and after."""
    names = setup.names[:CHANGED_SERIES]
    lengths = monthly.rows.groupby("unique_id").size()
    rows = [
        {"unique_id": name, "ds": str(at), "y": 1000.0}
        for name, at in zip(names, month(lengths[list(names)].to_numpy()), strict=True)
    ]
    sent = {"observations": rows}
    url = f"{setup.service.url}/datasets/{setup.dataset_id}/observations"
    httpx2.post(url, json=sent, timeout=LIMIT_S).raise_for_status()
    database = Database(setup.service.database_url)
    empty = wrk.load(setup.bare_url, CONNECTIONS, FIRST_S).rps
    with setup.cold_service() as cold:
        computed, memory_mb = first(setup, cold.url, CONNECTIONS, names), cold.memory_mb
    with running_worker(setup.folder):
        eventually(lambda: not storing.due(database, None).datasets, LIMIT_S, pause_s=0.5)
    database.dispose()
    with setup.cold_service() as cold:
        stored = first(setup, cold.url, CONNECTIONS, setup.names)
    return {
        "changed_16_over_empty": round(computed.rps / empty, 4),
        "changed_rps_16": computed.rps,
        "changed_p99_ms": computed.p99_ms,
        "changed_rss_mb": round(memory_mb, 1),
        "stored_again_16_over_empty": round(stored.rps / empty, 4),
        "changed_errors": computed.errors + stored.errors,
    }


def all_series_s(setup: ServingSetup, levels: Iterator[int]) -> float:
    """Seconds until every series' forecast is here as CSV, of levels that were never asked for."""
    taken = []
    for level in (next(levels) for _ in range(CSV_TIMES)):
        began = time.perf_counter()
        address = f"{setup.service.url}/forecast?dataset_id={setup.dataset_id}&level={level}&level=96"
        answer = httpx2.get(address, headers={"Accept": "text/csv"}, timeout=LIMIT_S).raise_for_status()
        taken.append(time.perf_counter() - began)
        if len(answer.text.splitlines()) != 1 + HORIZON * len(setup.names):
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
        "first_rps_1": of("first_1", "rps"),
        "first_rps_16": of("first_16", "rps"),
        "first_16_over_empty": over_empty("first_16"),
        "first_p50_ms": of("first_1", "p50_ms"),
        "empty_p50_ms": of("empty_1", "p50_ms"),
        **{f"{name}_{figure}": of(name, figure) for name in others for figure in ("rps", "p50_ms")},
        "p99_ms": {name: of(name, "p99_ms") for name in names},
        "api_rss_mb": round(max(one.memory_mb for one in rounds), 1),
        "errors": sum(load.errors for one in rounds for load in one.loads.values()),
    }


def measure(setup: ServingSetup, times: int, seconds: int, levels: Iterator[int]) -> Figures:
    """Every figure, as the machine is just now."""
    for url in (setup.bare_url, setup.service.url + setup.cached_path):
        wrk.load(url, CONNECTIONS, WARM_UP_S)
    csv_s = all_series_s(setup, levels)
    rounds = [take_turns(setup, seconds) for _ in range(times)]
    return {**summary(rounds), "all_series_csv_s": round(csv_s, 3)}


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


def measure_both(setup: ServingSetup, monthly: Monthly, times: int, seconds: int) -> Figures:
    """Idle, after changes, and under training."""
    levels = iter(range(50, 95))
    setup.service.wait_until_quiet()
    idle = measure(setup, times, seconds, levels)
    after = changed(setup, monthly)
    with running_worker(setup.folder), training(setup):
        busy = measure(setup, times, seconds, levels)
    return {
        **idle,
        **after,
        "method": setup.method,
        "series": len(setup.names),
        **{f"{name}_training": figure for name, figure in busy.items()},
    }


def compare(setup: ServingSetup, monthly: Monthly, times: int, seconds: int) -> Figures:
    """MLflow's model server with darts' LSTM, a pass for one series a request, beside ours, taking turns."""
    with running_mlflow(setup.folder, monthly) as ask:
        ask(CONNECTIONS, WARM_UP_S)
        rounds = []
        for _ in range(times):
            with setup.cold_service() as cold:
                ours = first(setup, cold.url, CONNECTIONS, setup.names).rps
            rounds.append((ours, ask(CONNECTIONS, seconds)))
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
    rows += [
        (name, str(figure), "") for name, figure in figures.items() if name.startswith(("changed", "stored"))
    ]
    print_table(("", "idle", "training"), rows)


def main() -> None:
    arguments = _arguments()
    wrk.require()
    end_on_sigterm()
    monthly = read_monthly(arguments.data / "M3.parquet")
    if not arguments.soak:
        monthly = monthly.times(COPIES)
    with serving_setup(monthly, arguments.workers) as setup:
        options = {
            "workers": arguments.workers or 1,
            "seconds": arguments.seconds,
            "rounds": arguments.rounds,
        }
        if arguments.soak:
            with running_worker(setup.folder):
                found = soak(setup, monthly, arguments.soak, arguments.workers or 1)
            finish("soak", {**options, **found})
            return
        figures = measure_both(setup, monthly, arguments.rounds, arguments.seconds)
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
