"""Convert what is no text in a process of its own: a file that breaks its reader breaks nothing else."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.errors import BadInput, TooLarge
from app.intake.files.kinds import Kind
from app.intake.files.refusals import EXIT_LARGE, EXIT_REFUSED
from app.settings import MEBIBYTE, Settings

ROOT = Path(__file__).parents[3]
PATIENCE_S = 300.0
LONGEST_REASON = 200
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    # Each thread and each arena takes memory that counts.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
WORDS: dict[Kind, str] = {
    "workbook": "an Excel or OpenDocument workbook",
    "parquet": "a Parquet file",
    "arrow": "an Arrow or Feather file",
    "json": "JSON",
    "text": "text",
}


TOO_MUCH = (EXIT_LARGE, -signal.SIGABRT, -signal.SIGKILL, -signal.SIGXCPU)
"""How the process ends that is not granted memory, or is ended since it takes too much."""


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileLimits:
    """How much one file may hold."""

    columns: int = 20_000
    size: int = 512 * MEBIBYTE  # bytes, unpacked

    @classmethod
    def of(cls, settings: Settings) -> "FileLimits":
        """Return the limits that the settings have."""
        return cls(settings.max_columns, settings.max_upload_mb * MEBIBYTE)


def converted(file: IO[bytes], kind: Kind, limits: FileLimits) -> IO[bytes]:
    """Return what a file holds as a temporary file: sheets as lines of JSON, columns as an Arrow stream.

    Raises BadInput for a file that cannot be read, TooLarge for one that takes too much memory or room.
    """
    with tempfile.TemporaryFile() as source:
        file.seek(0)
        shutil.copyfileobj(file, source, MEBIBYTE)
        source.seek(0)
        target = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            _run(source, target, kind, limits)
        except BaseException:
            target.close()
            raise
    target.seek(0)
    return target


def _run(source: IO[bytes], target: IO[bytes], kind: Kind, limits: FileLimits) -> None:
    command = [
        sys.executable,
        "-P",
        "-m",
        "app.intake.files.child",
        kind,
        str(limits.size),
        str(limits.columns),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - no word of it comes from the file
            command,
            stdin=source,
            stdout=target,
            stderr=subprocess.PIPE,
            env=os.environ | ENVIRONMENT,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_much() from error
    if done.returncode not in (0, EXIT_REFUSED, EXIT_LARGE):
        why = done.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1][:LONGEST_REASON]
        logger.warning("The process that read a file as %s ended with %d: %s", kind, done.returncode, why)
    if done.returncode in TOO_MUCH:
        raise _too_much(_detail(done.stderr) if done.returncode == EXIT_LARGE else "")
    if done.returncode == EXIT_REFUSED:
        raise BadInput(_detail(done.stderr))
    if done.returncode:
        raise BadInput(f"The file begins as {WORDS[kind]} but cannot be read. Save it again, or send CSV.")


def _detail(said: bytes) -> str:
    detail: str = json.loads(said.splitlines()[-1])
    return detail


def _too_much(detail: str = "") -> TooLarge:
    return TooLarge(
        detail
        or "Reading this file takes more memory, room or time than one may. Send fewer series in one dataset;"
        " as CSV or Parquet they take the least."
    )
