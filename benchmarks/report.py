"""What every benchmark ends with: a table for people, one JSON line last, and a line kept in `results/`."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their longest cell, the first aligned left and the numbers right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for name, *numbers in lines:
        cells = [cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True)]
        print("  ".join([name.ljust(widths[0]), *cells]))


def finish(name: str, result: Mapping[str, object]) -> None:
    """Keep the result with date and hardware in `results/NAME.jsonl`, and print it as the last line."""
    RESULTS.mkdir(exist_ok=True)
    kept = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **hardware(), **result}
    with (RESULTS / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(kept) + "\n")
    print(json.dumps({"benchmark": name, **result}))


def hardware() -> dict[str, object]:
    """What it ran on; a load well over the benchmark's own processes says that its seconds are too many."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _processor() -> str:
    """The model name where Linux tells it, else the architecture."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
