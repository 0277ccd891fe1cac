"""The core's input: many series in one flat array."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.digest import sha256
from models.errors import InvalidPanel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Panel:
    """Series of equal time steps, one after the other in one array.

    `values` (total,) float64 is NaN for a gap. `offsets` is (series + 1,) int64: series i is
    `values[offsets[i]:offsets[i + 1]]`. `phases` (series,) int64 is the position of each first value: the
    steps since a fixed time, from 0. Its place in a season is the position modulo the length, or in the year
    of a calendar what `models.inputs.calendar.places` returns. Raises `InvalidPanel`.
    """

    values: Floats
    offsets: Integers
    phases: Integers

    def __post_init__(self) -> None:
        self._check_types()
        self._check_offsets()
        if self.phases.shape != (self.series,) or (self.phases < 0).any():
            raise InvalidPanel(f"phases must hold {self.series} whole numbers from 0, one a series.")
        if np.isinf(self.values).any():
            at = int(np.flatnonzero(np.isinf(self.values))[0])
            raise InvalidPanel(f"The value at position {at} is infinite; mark a missing value with NaN.")

    @classmethod
    def of(cls, series: Sequence[ArrayLike], phases: ArrayLike | None = None) -> "Panel":
        """Return a panel of separate one-dimensional arrays; `phases` defaults to 0 for each."""
        arrays = [np.asarray(values, dtype=np.float64).reshape(-1) for values in series]
        return cls(
            values=np.concatenate(arrays) if arrays else np.empty(0),
            offsets=np.cumsum([0, *(len(values) for values in arrays)], dtype=np.int64),
            phases=np.asarray(np.zeros(len(arrays)) if phases is None else phases, dtype=np.int64),
        )

    @property
    def series(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Integers:
        """(series,) steps of each series, gaps included."""
        return np.diff(self.offsets)

    def digest(self) -> str:
        """Return the SHA-256 of offsets, phases and values, as hexadecimal digits."""
        return sha256(*(array.tobytes() for array in (self.offsets, self.phases, self.values)))

    def tail(self, length: int) -> "Panel":
        """Return the last `length` values of each series, or all of a shorter one."""
        kept = np.minimum(self.lengths, length)
        return self._part(self.lengths - kept, kept)

    def without_last(self, steps: int) -> "Panel":
        """Return each series without its last `steps` values; `InvalidPanel` if nothing is left of one."""
        return self._part(np.zeros_like(self.phases), self.lengths - steps)

    def heads(self, series: Integers, kept: Integers) -> "Panel":
        """Return the first `kept` values of the series with these numbers, which may repeat."""
        return self._gathered(self.offsets[series], kept, self.phases[series])

    def some(self, first: int, count: int) -> "Panel":
        """Return up to `count` series from number `first` on."""
        numbers = np.arange(first, min(first + count, self.series))
        return self.heads(numbers, self.lengths[numbers])

    def last(self, steps: int) -> Floats:
        """Return (series, steps), the last `steps` values of each series; NaN before a shorter one begins."""
        at = self.offsets[1:, None] + np.arange(-steps, 0)
        inside = at >= self.offsets[:-1, None]
        return np.where(inside, self.values[np.maximum(at, 0)], np.nan)

    def _part(self, skipped: Integers, kept: Integers) -> "Panel":
        """Return of each series the `kept` values after the first `skipped`, with its phase advanced."""
        return self._gathered(self.offsets[:-1] + skipped, kept, self.phases + skipped)

    def _gathered(self, starts: Integers, kept: Integers, phases: Integers) -> "Panel":
        """Return a series for each position in `starts`: the `kept` values from there on."""
        if (kept < 1).any():
            raise InvalidPanel(f"Nothing would be left of series {int(np.argmin(kept))}: it is too short.")
        offsets = np.concatenate([[0], np.cumsum(kept)])
        shift = np.repeat(starts - offsets[:-1], kept)
        return Panel(self.values[np.arange(offsets[-1]) + shift], offsets, phases)

    def _check_types(self) -> None:
        for name, kind in (("values", np.float64), ("offsets", np.int64), ("phases", np.int64)):
            array = getattr(self, name)
            if array.dtype != kind or array.ndim != 1:
                raise InvalidPanel(
                    f"{name} must be {kind.__name__} in one dimension, not {array.dtype} in {array.ndim}."
                )

    def _check_offsets(self) -> None:
        if len(self.offsets) < 2:  # noqa: PLR2004 - one series has two ends
            raise InvalidPanel("A panel needs at least one series.")
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.values):
            raise InvalidPanel(f"offsets must run from 0 to the number of values, {len(self.values)}.")
        if (self.lengths < 1).any():
            raise InvalidPanel(f"Series {int(np.argmin(self.lengths))} has no values.")
