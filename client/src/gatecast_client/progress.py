"""The progress of a training, shown as one line of text."""

import sys
from typing import TextIO

from gatecast_client.shapes import Job

WIDTH = 30
FINAL = ("succeeded", "failed", "cancelled")


class ProgressBar:
    """Write a bar that is drawn again at each call, and ends with the job; to stderr by default."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._drawn = 0

    def __call__(self, job: Job) -> None:
        """Show a job as it is now."""
        done = 1.0 if job.state == "succeeded" else job.progress.share_done
        full = round(WIDTH * done)
        line = f"[{'#' * full}{'.' * (WIDTH - full)}] {done:4.0%} {_words(job)}"
        end = "\n" if job.state in FINAL else ""
        self._stream.write(f"\r{line.ljust(self._drawn)}{end}")
        self._stream.flush()
        self._drawn = len(line)


def default_bar() -> ProgressBar | None:
    """Return a bar where somebody looks on: at a terminal, and in a notebook."""
    return ProgressBar() if sys.stderr.isatty() or "ipykernel" in sys.modules else None


def _words(job: Job) -> str:
    progress = job.progress
    if job.state != "running":
        return job.state
    if progress.epoch is None:
        return progress.phase
    return f"{progress.phase} {progress.architecture}, epoch {progress.epoch} of {progress.epochs}"
