"""A service in a process of its own, for one benchmark; ended with all below it, whatever happens."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.server import free_port
from benchmarks.process_tree import descendants, end_tree, eventually, processor_ticks, tree_memory_mb
from gatecast_client import Client

START_LIMIT_S = 60.0
STOP_LIMIT_S = 20.0
QUIET_LIMIT_S = 60.0
QUIET_S, QUIET_TICKS = 0.5, 3  # a process that only looks at its clocks now and then takes fewer
POLL_S = 0.01


@dataclass(frozen=True)
class Service:
    """One that answers; `seconds_to_ready` from the start of its process to the first ready answer."""

    url: str
    database_url: str
    pid: int
    seconds_to_ready: float

    @property
    def memory_mb(self) -> float:
        """What all its processes hold together."""
        return tree_memory_mb(self.pid)

    def wait_until_quiet(self) -> None:
        """Wait until its processes take no processor time to speak of, or a minute is over."""
        before = 0

        def is_quiet() -> bool:
            nonlocal before
            last, before = before, sum(map(processor_ticks, (self.pid, *descendants(self.pid))))
            return last > 0 and before - last <= QUIET_TICKS

        with suppress(TimeoutError):
            eventually(is_quiet, QUIET_LIMIT_S, QUIET_S)


@contextmanager
def running_service(
    folder: Path, options: Sequence[str] = (), command: str = "serve", **more: object
) -> Iterator[Service]:
    """Run a command of `gatecast` that serves on the database in a folder, with its log there.

    `options` are the command's, `more` are settings by their names in capitals.
    """
    port, database_url = free_port(), f"sqlite:///{folder / 'gatecast.db'}"
    settings = {
        "DATABASE_URL": database_url,
        "HOST": "127.0.0.1",
        "PORT": port,
        "DEVICE": "cpu",
        "LOG_LEVEL": "warning",
        **more,
    }
    environment = {f"GATECAST_{name}": str(value) for name, value in settings.items()}
    words = [sys.executable, "-m", "app", command, *options]
    log = folder / f"{command}.log"
    began = time.perf_counter()
    with running_process(words, environment, log) as process:
        url = f"http://127.0.0.1:{port}"
        with Client(url) as client:
            wait_for(client.is_ready, process, log)
        yield Service(url, database_url, process.pid, time.perf_counter() - began)


@contextmanager
def running_process(
    words: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command with its output in a file; afterwards it and all below it is ended."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(words),
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the benchmark, which ends it
        )
    try:
        yield process
    finally:
        if left := end_tree(process, STOP_LIMIT_S):
            print(f"{left} processes did not end by themselves and were killed.")


def wait_for(is_ready: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a process is ready.

    Raises SystemExit with what it logged if it ends before, or takes longer than a minute.
    """

    def is_over() -> bool:
        return process.poll() is not None or is_ready()

    with suppress(TimeoutError):
        eventually(is_over, START_LIMIT_S, POLL_S)
        if process.poll() is None:
            return
    raise SystemExit(f"{log.stem} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def end_on_sigterm() -> None:
    """Let a benchmark that is told to end leave through its `finally` clauses, which end what it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
