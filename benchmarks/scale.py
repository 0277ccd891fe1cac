"""Upload, training at `quick` and a forecast of all, from a thousand series to a hundred thousand.

Daily series of a hundred points from a seeded generator, as CSV over HTTP, each size to a service of its own
on SQLite. Tells the seconds of each phase, the most memory that any one process of the service ever held, and
how the seconds a series compare with those of the sizes below: 1 is linear.

    python -m benchmarks.scale [--series N]
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
import numpy as np

from benchmarks.process_tree import descendants, memory_mb
from benchmarks.report import finish, print_table
from benchmarks.service import Service, end_on_sigterm, running_service
from gatecast_client import Client

SERIES, SMALLER = 100_000, (1_000, 10_000)
POINTS, HORIZON, SEASON = 100, 14, 7
START = np.datetime64("2024-01-01")
CHUNK = 1_000  # series, made and written together
BOUND_S, BOUND_MB = 1800, 4096
CALL_LIMIT_S = 1800.0
LOOK_S = 0.1

Figures = dict[str, Any]


class PeakMemory(threading.Thread):
    """The most memory that any process of a service ever held, by the kernel's own account."""

    def __init__(self, pid: int) -> None:
        super().__init__(name="peak-memory")
        self.largest_mb = 0.0
        self._pid, self._stopping = pid, threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Look at every process there is, until told to stop; one that ends in between was seen before."""
        while not self._stopping.wait(LOOK_S):
            held = (memory_mb(pid, "VmHWM") for pid in (self._pid, *descendants(self._pid)))
            self.largest_mb = max(self.largest_mb, *held)


def write_series(path: Path, series: int) -> None:
    """Write a table `unique_id,ds,y` of positive series with trend, season and noise, always the same."""
    days = (START + np.arange(POINTS)).astype(str)
    with path.open("w", encoding="ascii") as file:
        file.write("unique_id,ds,y\n")
        for first in range(0, series, CHUNK):
            values = _values(first, min(CHUNK, series - first))
            file.writelines(
                f"series {first + row:06d},{day},{value:.2f}\n"
                for row, line in enumerate(values)
                for day, value in zip(days, line, strict=True)
            )


def _values(seed: int, series: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
    generator = np.random.default_rng(seed)
    walk = generator.normal(0.001, 0.02, (series, POINTS)).cumsum(axis=1)
    season = generator.normal(0, 0.1, (series, SEASON))[:, np.arange(POINTS) % SEASON]
    level = generator.lognormal(6, 1, (series, 1))
    return level * np.exp(walk + season)


def measure(series: int) -> Figures:
    """The seconds of each phase for so many series, the largest process' memory in MB, and what answered."""
    with tempfile.TemporaryDirectory(prefix="gatecast-scale-") as name:
        file = Path(name) / "series.csv"
        write_series(file, series)
        with running_service(Path(name)) as service, PeakMemory(service.pid) as peak:
            service.wait_until_quiet()
            seconds, method = phases(service, file, series)
    figures = {**seconds, "total_s": sum(seconds.values()), "peak_mb": peak.largest_mb}
    return {**{name: round(figure, 2) for name, figure in figures.items()}, "method": method}


def phases(service: Service, file: Path, series: int) -> tuple[dict[str, float], str]:
    """Upload, train, forecast: the seconds of each, and the method that answers."""
    moments = [time.perf_counter()]
    with httpx2.Client(base_url=service.url, timeout=CALL_LIMIT_S) as http, Client(service.url) as client:
        with file.open("rb") as content:
            files = {"file": ("series.csv", content, "text/csv")}
            dataset_id = http.post("/datasets", files=files).raise_for_status().json()["id"]
        moments.append(time.perf_counter())
        job = client.wait(client.train(dataset_id, HORIZON, "quick").id)
        moments.append(time.perf_counter())
        rows = forecast_rows(http, dataset_id)
        moments.append(time.perf_counter())
        method = client.model(str(job.model_id)).method
    if rows != series * HORIZON:
        message = f"{rows} rows are not the forecasts of {series} series."
        raise RuntimeError(message)
    spans = (end - begin for begin, end in pairwise(moments))
    return dict(zip(("upload_s", "train_s", "forecast_s"), spans, strict=True)), method


def forecast_rows(http: httpx2.Client, dataset_id: str) -> int:
    """Read the forecasts of every series as CSV, and return how many rows there are."""
    address = f"/forecast?dataset_id={dataset_id}"
    with http.stream("GET", address, headers={"Accept": "text/csv"}) as answer:
        answer.raise_for_status()
        return sum(part.count(b"\n") for part in answer.iter_bytes()) - 1


def linearity(sizes: Mapping[int, Mapping[str, Any]]) -> dict[str, float]:
    """How the seconds a series of the largest size compare with those of each smaller one."""
    largest = max(sizes)
    each = {series: figures["total_s"] / series for series, figures in sizes.items()}
    return {
        f"over_linear_from_{series}": round(each[largest] / each[series], 4)
        for series in sorted(sizes)
        if series != largest
    }


def _print(sizes: Mapping[int, Figures]) -> None:
    print(f"\nBounds: {BOUND_S} s in all, {BOUND_MB} MB for the largest process.")
    columns = list(next(iter(sizes.values())))
    rows: Sequence[Sequence[str]] = [
        (f"{series:,}", *(str(figures[column]) for column in columns)) for series, figures in sizes.items()
    ]
    print_table(("series", *columns), rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=SERIES, help="the largest size; smaller ones run too")
    series = parser.parse_args().series
    end_on_sigterm()
    sizes: dict[int, Figures] = {}
    for size in (*(smaller for smaller in SMALLER if smaller < series), series):
        sizes[size] = measure(size)
        print(f"{size:,} series: {sizes[size]}", flush=True)
    _print(sizes)
    kept = {str(size): figures for size, figures in sizes.items()}
    finish("scale", {"series": series, "points": POINTS, **sizes[series], **linearity(sizes), "sizes": kept})


if __name__ == "__main__":
    main()
