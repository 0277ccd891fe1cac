"""Series as the core takes them: the one place where times become positions in a season."""

import numpy as np
from numpy.typing import NDArray

from app.intake.arrays import Ints
from app.intake.frame import SeriesFrame
from app.intake.time.axis import TimeAxis
from models.panel import Panel


def panel_of(axis: TimeAxis, values: NDArray[np.float64], offsets: Ints, firsts: Ints) -> Panel:
    """Return series end to end in `values`; `firsts` (series,) are the ordinals at which they begin.

    However much of a series is taken, from its beginning or its end, a time has the same position in it.
    """
    return Panel(values=values, offsets=offsets, phases=axis.phase(firsts))


def of_frame(frame: SeriesFrame) -> Panel:
    """Return the series of a frame."""
    return panel_of(frame.axis, frame.y, frame.offsets, frame.ds[frame.offsets[:-1]])
