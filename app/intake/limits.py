"""Notes on what the values of an upload say about the limits of its forecasts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.schemas.choices import Limits

Floats = NDArray[np.float64]


def upload_notes(y: Floats, limits: Limits) -> list[str]:
    """Return the notes on all values of a dataset, NaN for gaps."""
    return [*([_SHARES] if _may_be_shares(y, limits) else []), *notes(y, limits)]


def notes(y: Floats, limits: Limits) -> list[str]:
    """Return the notes on values that are not as limits ask forecasts to be; they are kept as they are."""
    low, high = replace(limits, integer=False).range
    found = [_note(int(np.count_nonzero((y < low) | (y > high))), f"outside the limits, {_range(limits)}")]
    if limits.integer:
        found.append(_note(int(np.count_nonzero(y % 1 > 0)), "not whole"))
    return [note for note in found if note]


_SHARES = (
    "All values lie between 0 and 1, as shares do. Nothing is assumed: if forecasts are to stay there, set "
    "lower to 0 and upper to 1 by PATCH /datasets/{dataset_id}."
)


def _may_be_shares(y: Floats, limits: Limits) -> bool:
    known = y[~np.isnan(y)]
    inside = (known >= 0) & (known <= 1)
    return limits.upper is None and bool(inside.all() and (known % 1 > 0).any())


def _note(count: int, what: str) -> str:
    if not count:
        return ""
    values = "1 value is" if count == 1 else f"{count:,} values are"
    return f"{values} {what}. Values are kept as they are: limits and integer shape forecasts alone."


def _range(limits: Limits) -> str:
    ends: Sequence[tuple[str, float | None]] = (("lower", limits.lower), ("upper", limits.upper))
    return " and ".join(f"{name} {value:g}" for name, value in ends if value is not None)
