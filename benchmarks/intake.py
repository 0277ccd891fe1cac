"""A large file, from its upload to the stored dataset, beside what pandas takes to read, sort and write it.

One CSV of some 200 MB, 5 million rows of hours in a thousand series, shuffled. pandas reads it in a process
of its own, with times parsed, sorts it and writes Parquet; then a service takes it, while `/healthz` is asked
every 10 ms. Then eight files of a fifth of that come at once, and the same rows as lines of JSON. `peak_mb`
is what all processes of the service held at most, above what they held before; `cpu_s` is processor time,
which others on the machine change less than seconds.

    python -m benchmarks.intake [--rows N]
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import pandas as pd

from benchmarks.process_tree import processor_ticks
from benchmarks.report import finish
from benchmarks.service import Service, end_on_sigterm, running_service

ROWS, SERIES = 5_000_000, 1_000
AT_ONCE, SHARE = 8, 5
RATIO_BOUND, PEAK_BOUND_MB, HEALTH_BOUND_MS = 3.0, 1024.0, 50.0
PROBE_S, LOOK_S = 0.01, 0.05
PATIENCE_S = 900.0
PANDAS = """
import sys, time
import pandas as pd
began = time.perf_counter(), time.process_time()
frame = pd.read_csv(sys.argv[1], parse_dates=["ds"])
frame.sort_values(["unique_id", "ds"]).to_parquet(sys.argv[2])
print(time.perf_counter() - began[0], time.process_time() - began[1])
"""
TICKS = 100  # of processor time, a second


@dataclass
class Watch:
    """What is seen of a service while something else goes on."""

    before_mb: float
    peak_mb: float = 0.0
    seconds: float = 0.0
    cpu_s: float = 0.0  # of the process that answers
    latencies: list[float] = field(default_factory=list)  # seconds

    @property
    def grown_mb(self) -> float:
        return self.peak_mb - self.before_mb

    @property
    def p99_ms(self) -> float:
        return float(np.quantile(self.latencies, 0.99)) * 1e3


def write_csv(path: Path, rows: int, series: int) -> None:
    """Write hourly values of series, the rows in no order."""
    random = np.random.default_rng(1)
    steps = rows // series
    order = random.permutation(steps * series)
    times = pd.date_range("2020-01-01", periods=steps, freq="h").strftime("%Y-%m-%d %H:%M:%S").to_numpy()
    names = np.array([f"series_{i:05}" for i in range(series)])
    columns = {"unique_id": names[order // steps], "ds": times[order % steps]}
    pd.DataFrame({**columns, "y": random.normal(100, 10, len(order)).round(4)}).to_csv(path, index=False)


def write_lines(path: Path, csv: Path) -> None:
    """Write the rows of a CSV as lines of JSON."""
    with path.open("w", encoding="utf-8") as lines, csv.open(encoding="utf-8") as rows:
        next(rows)
        for row in rows:
            name, time_, y = row.rstrip("\n").split(",")
            lines.write(f'{{"unique_id": "{name}", "ds": "{time_}", "y": {y}}}\n')


def pandas_seconds(path: Path, folder: Path) -> tuple[float, float]:
    """Return the seconds and the processor time of pandas, in a process of its own that has imported it."""
    words = [sys.executable, "-c", PANDAS, str(path), str(folder / "sorted.parquet")]
    seconds, cpu_s = subprocess.run(words, capture_output=True, check=True, text=True).stdout.split()
    return float(seconds), float(cpu_s)


@contextmanager
def watched(service: Service) -> Iterator[Watch]:
    """Look at the memory and the health of a service meanwhile."""
    watch, is_over = Watch(service.memory_mb), threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_S):
            watch.peak_mb = max(watch.peak_mb, service.memory_mb)

    def probe() -> None:
        with httpx2.Client(base_url=service.url, timeout=PATIENCE_S) as client:
            while not is_over.wait(PROBE_S):
                began = time.perf_counter()
                client.get("/healthz")
                watch.latencies.append(time.perf_counter() - began)

    threads = [threading.Thread(target=each) for each in (look, probe)]
    for thread in threads:
        thread.start()
    try:
        yield watch
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def upload_seconds(service: Service, path: Path) -> float:
    """Upload a file and return the time to its answer."""
    began = time.perf_counter()
    with path.open("rb") as file, httpx2.Client(base_url=service.url, timeout=PATIENCE_S) as client:
        answer = client.post("/datasets", files={"file": (path.name, file)})
    if answer.status_code != httpx2.codes.CREATED:
        raise SystemExit(f"{answer.status_code}: {answer.text[:500]}")
    return time.perf_counter() - began


def watched_uploads(folder: Path, path: Path, count: int) -> Watch:
    """Return what is seen of a service of its own while a file is uploaded so many times at once."""
    folder.mkdir()
    write_csv(folder / "first.csv", 1_000, 10)
    with running_service(folder) as service:
        upload_seconds(service, folder / "first.csv")  # what a first upload imports is there after it
        service.wait_until_quiet()
        with watched(service) as watch, ThreadPoolExecutor(count) as pool:
            before = processor_ticks(service.pid)
            watch.seconds = max(pool.map(lambda _: upload_seconds(service, path), range(count)))
            watch.cpu_s = (processor_ticks(service.pid) - before) / TICKS
    return watch


def measured(folder: Path, rows: int) -> dict[str, float]:
    """Return every figure."""
    large, small = folder / "large.csv", folder / "small.csv"
    write_csv(large, rows, SERIES)
    write_csv(small, rows // SHARE, SERIES // SHARE)
    write_lines(folder / "large.ndjson", large)
    pandas_s, pandas_cpu_s = pandas_seconds(large, folder)
    one = watched_uploads(folder / "one", large, 1)
    several = watched_uploads(folder / "several", small, AT_ONCE)
    lines = watched_uploads(folder / "lines", folder / "large.ndjson", 1)
    return {
        "rows": rows,
        "file_mb": large.stat().st_size / 2**20,
        "pandas_s": pandas_s,
        "upload_s": one.seconds,
        "ratio_to_pandas": one.seconds / pandas_s,
        "pandas_cpu_s": pandas_cpu_s,
        "upload_cpu_s": one.cpu_s,
        "peak_mb": one.grown_mb,
        "healthz_p99_ms": one.p99_ms,
        "seconds_of_8": several.seconds,
        "peak_of_8_mb": several.grown_mb,
        "healthz_p99_of_8_ms": several.p99_ms,
        "seconds_of_lines": lines.seconds,
        "peak_of_lines_mb": lines.grown_mb,
        "healthz_p99_of_lines_ms": lines.p99_ms,
    }


def main() -> None:
    """Print each figure beside its bound."""
    end_on_sigterm()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), rows)
    for name, figure in found.items():
        print(f"{name:24} {figure:12,.2f}")
    bounds = (
        f"{RATIO_BOUND:g} times pandas, {PEAK_BOUND_MB:g} MB, {HEALTH_BOUND_MS:g} ms for 99 of 100 probes"
    )
    print(f"Bounds: {bounds}.")
    finish("intake", {name: round(figure, 3) for name, figure in found.items()})


if __name__ == "__main__":
    main()
