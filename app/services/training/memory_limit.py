"""Limit the memory of a training: by an estimate before it begins, by its resident memory while it runs."""

import os
from pathlib import Path

from app.errors import AppError
from app.settings import MEBIBYTE, Settings

SHARE_OF_MACHINE = 0.8  # the rest is for the system, the database and the API
REMEDY = "Use a worker with more (GATECAST_WORKER_MEMORY_MB), fewer series, or a shorter horizon."
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


class MemoryTooSmall(AppError):
    """A training needs more memory than this worker allows."""

    code = "memory-too-small"
    title = "The training needs more memory than the worker has"


def check(needed_bytes: int, allowed_bytes: int) -> None:
    """Raise MemoryTooSmall, with the figures, if a training needs more memory than is allowed."""
    if needed_bytes > allowed_bytes:
        raise MemoryTooSmall(
            f"This training would need about {_mebibytes(needed_bytes)} of memory, and its worker allows "
            f"{_mebibytes(allowed_bytes)}. {REMEDY}"
        )


def exceeded(allowed_bytes: int) -> str:
    """Return the reason why a training over its memory limit was ended."""
    return (
        f"The training was ended because it took more memory than its worker allows, "
        f"{_mebibytes(allowed_bytes)}. {REMEDY}"
    )


def limit_bytes(settings: Settings) -> int:
    """Return how much memory one training may take: the setting, or a share of the machine or container."""
    if settings.worker_memory_mb is not None:
        return settings.worker_memory_mb * MEBIBYTE
    return int(SHARE_OF_MACHINE * _available() / settings.worker_concurrency)


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process; 0 if it is gone or the system has no /proc."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _available() -> int:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    return machine if limit == "max" else min(machine, int(limit))


def _mebibytes(count: int) -> str:
    return f"{count / MEBIBYTE:,.0f} MiB"
