"""The arrays that reading a file works with."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def rows_of(offsets: Ints, series: Ints) -> tuple[Ints, Ints]:
    """Return the row numbers of some series end to end, and the offsets of these series among them."""
    lengths = np.diff(offsets)[series]
    ends = np.cumsum(lengths)
    rows = np.arange(lengths.sum()) + np.repeat(offsets[series] - ends + lengths, lengths)
    return rows, np.append(0, ends)
