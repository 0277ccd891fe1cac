"""Days of weeks and months in tables that have a column for each of them."""

import contextlib
import re
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from app.intake.time.dates import Hints
from app.intake.time.times import read_times

DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def as_days(texts: Sequence[str], date_format: str | None) -> tuple[str, ...]:
    """Return dates as ISO 8601, in whatever notation they are; those that are none stay.

    Raises BadInput where day and month could be swapped.
    """
    times = read_times(pd.Series(texts, dtype="object"), Hints(date_format=date_format))
    if times.kind != "datetime":
        return tuple(texts)
    days = np.where(times.readable, times.ordinals, 0).astype("M8[us]").astype("M8[D]").astype(str)
    return tuple(
        str(day) if is_read else text for text, day, is_read in zip(texts, days, times.readable, strict=True)
    )


def is_no_day(text: str) -> bool:
    """Return whether a date as ISO 8601 is after the end of its month."""
    if DAY.fullmatch(text) is None:
        return False
    with contextlib.suppress(ValueError):
        date.fromisoformat(text)
        return False
    return True
