"""The arrays and columns of text that reading a file works with."""

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # it takes long to import, and a worker needs it for nothing else
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts: TypeAlias = "pd.Series[str]"


def rows_of(offsets: Ints, series: Ints) -> tuple[Ints, Ints]:
    """Return the row numbers of some series end to end, and the offsets of these series among them."""
    lengths = np.diff(offsets)[series]
    ends = np.cumsum(lengths)
    rows = np.arange(lengths.sum()) + np.repeat(offsets[series] - ends + lengths, lengths)
    return rows, np.append(0, ends)


def order_of(key: Ints) -> Ints:
    """Return the order that sorts keys of 0 or more; equal ones stay as they stand."""
    bits = len(key).bit_length()
    if int(key.max(initial=0)).bit_length() + bits >= 63:  # noqa: PLR2004 - of an int64
        return np.argsort(key, kind="stable")
    order = key << bits  # with its place below each key, a plain sort is stable, and faster
    order |= np.arange(len(key))
    order.sort()
    order &= (1 << bits) - 1
    return order
