"""Identifiers that sort by the time they were made, so that a list is paged by its primary key alone."""

import secrets
import time


def new_id(prefix: str) -> str:
    """Return `prefix_` and 26 hex digits: 14 of the time in microseconds, 12 of chance."""
    return f"{prefix}_{time.time_ns() // 1000:014x}{secrets.token_hex(6)}"
