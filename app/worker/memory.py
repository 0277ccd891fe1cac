"""How much memory there is, and how much a process takes."""

import os
from pathlib import Path

from app.settings import MEBIBYTE, Settings

SHARE_OF_MACHINE = 0.8  # the rest is for the system, the database and the API
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def limit_bytes(settings: Settings) -> int:
    """Return how much memory one training may take: as set, or its part of what machine or container has."""
    if settings.worker_memory_mb is not None:
        return settings.worker_memory_mb * MEBIBYTE
    return int(SHARE_OF_MACHINE * _available() / settings.worker_concurrency)


def resident_bytes(pid: int) -> int:
    """Return the memory a process has resident; 0 where it is gone or the system does not say."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _available() -> int:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    return machine if limit == "max" else min(machine, int(limit))
