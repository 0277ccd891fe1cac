"""Load made by the program `wrk`: in one thread, over so many connections, for so many seconds."""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
PATHS, POST = _HERE / "paths.lua", _HERE / "post.lua"
TIMEOUT_S = 30
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Load:
    """What wrk saw. `errors`: answers of 400 and more, and calls without one; `taken`: of a file of paths."""

    requests: int
    rps: float
    p50_ms: float
    p99_ms: float
    errors: int
    taken: int


def require() -> None:
    """Leave with status 2 if wrk is not here."""
    if shutil.which("wrk") is None:
        print("This benchmark needs wrk, which is not here (Debian: apt-get install wrk).", file=sys.stderr)
        sys.exit(2)


def load(
    url: str, connections: int, seconds: int, *, script: Sequence[Path] = (), headers: Sequence[str] = ()
) -> Load:
    """Ask as fast as answers come; `script` is one for wrk and the file it reads."""
    words = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--latency"]
    words += [f"--timeout={TIMEOUT_S}s", *(word for header in headers for word in ("-H", header))]
    if script:
        words += ["--script", str(script[0])]
    words += [url, "--", *map(str, script[1:])]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return parse(done.stdout)


def parse(output: str) -> Load:
    """Read the figures out of what `wrk --latency` prints.

    Raises ValueError if they are not there.
    """
    counted = re.search(r"^\s+(\d+) requests in", output, re.MULTILINE)
    rate = re.search(r"^Requests/sec:\s+([\d.]+)", output, re.MULTILINE)
    if counted is None or rate is None:
        message = f"wrk printed no figures:\n{output}"
        raise ValueError(message)
    failed = re.search(r"^\s+Non-2xx or 3xx responses: (\d+)", output, re.MULTILINE)
    broken = re.search(
        r"^\s+Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output, re.MULTILINE
    )
    taken = re.search(r"^Paths taken: (\d+)", output, re.MULTILINE)
    return Load(
        requests=int(counted[1]),
        rps=float(rate[1]),
        p50_ms=_percentile(output, 50),
        p99_ms=_percentile(output, 99),
        errors=sum(int(count) for found in (failed, broken) if found for count in found.groups()),
        taken=int(taken[1]) if taken else 0,
    )


def _percentile(output: str, percent: int) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", output, re.MULTILINE)
    return round(float(found[1]) * MILLISECONDS[found[2]], 6) if found else float("nan")
