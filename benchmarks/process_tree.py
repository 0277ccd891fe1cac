"""Processes as /proc shows them: who is below whom, and what they hold; patience with them, and their end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from app.services.shared.heartbeats import process_started

Found = TypeVar("Found")


def is_running(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    return _parents().get(pid) is not None


def grandchildren(pid: int) -> list[int]:
    """Return the pids two steps below a process: below a worker, what its fork server has started."""
    parents = _parents()
    return [other for other, parent in parents.items() if parents.get(parent or 0) == pid]


def descendants(pid: int) -> list[int]:
    """Return every pid below a process."""
    parents = _parents()
    found, fresh = [], [pid]
    while fresh:
        fresh = [other for other, parent in parents.items() if parent in fresh]
        found += fresh
    return found


def processor_ticks(pid: int) -> int:
    """Return how much processor time a process has taken, in hundredths of a second on most systems."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    user, system = stat.rpartition(")")[2].split()[11:13]  # fields 14 and 15 of proc(5)
    return int(user) + int(system)


def memory_mb(pid: int, field: str = "VmRSS") -> float:
    """Return the memory of one process: what it holds now, or with `VmHWM` the most it ever held."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    values = [line.split()[1] for line in status.splitlines() if line.startswith(f"{field}:")]
    return int(values[0]) / 2**10 if values else 0.0  # a zombie has none; the kernel tells KiB


def tree_memory_mb(pid: int) -> float:
    """Return what a process and all below it hold; pages they share count once for each."""
    return sum(memory_mb(one) for one in (pid, *descendants(pid)))


def end_tree(process: "subprocess.Popen[bytes]", within_s: float) -> int:
    """Ask a process to end and wait; kill what is left of it and of all below it, and return how many."""
    known = {pid: process_started(pid) for pid in (process.pid, *descendants(process.pid))}
    deadline = time.monotonic() + within_s
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(within_s)

    def left() -> list[int]:
        return [pid for pid, began in known.items() if began and process_started(pid) == began]

    with suppress(TimeoutError):
        eventually(lambda: not left(), max(1.0, deadline - time.monotonic()))
    killed = left()
    for pid in killed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    return len(killed)


def eventually(look: Callable[[], Found | None], within_s: float = 60.0, pause_s: float = 0.02) -> Found:
    """Look until there is something to see, and return it.

    Raises TimeoutError if there is nothing within the time.
    """
    deadline = time.monotonic() + within_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:g} s")
        time.sleep(pause_s)
    return found


def _parents() -> dict[int, int]:
    """Return the parent of each process that is no zombie."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            parents[int(stat.parent.name)] = int(parent)
    return parents
