"""Compute the quantile forecasts of stored series, and hold them as they are kept in memory and on disk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json, to_json

from app.db.queries.datasets import LastWindow
from app.intake.arrays import Ints, Mask
from app.intake.time.axis import TimeAxis
from app.services.datasets import panels, series_store
from app.services.registry.baseline_forecasts import BaselineForecasts
from models.inputs.closed_steps import open_steps
from models.methods.calibration import CALIBRATED_LEVELS, IntervalBounds
from models.methods.combination import Method, QuantileForecast, compute_quantile_forecast
from models.methods.support import Support

if TYPE_CHECKING:
    from models.network.forecaster import Forecaster

WORD = 8  # bytes
HEAD, OWN = 4, 6  # words: of a chunk before its names, and of a record before its numbers
FORMAT = 1
BOUNDS = 2 * len(CALIBRATED_LEVELS)
IS_COUNT, IS_COLD, IS_PARTLY_CLOSED = 1, 2, 4  # flags


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in memory: its network, and the stored baseline forecasts of the methods it is mixed with."""

    forecaster: "Forecaster"
    baseline_forecasts: BaselineForecasts

    @property
    def nbytes(self) -> int:
        """Its size in memory, in bytes."""
        return self.forecaster.nbytes + self.baseline_forecasts.nbytes


@dataclass(frozen=True, eq=False)
class SeriesQuantiles:
    """The quantile forecasts of some series, to the model's horizon: a record of 64-bit words for each.

    `records` (series, words) hold what `forecast` returns to the last bit, and of which values it was made:
    the version of the index row, the ordinal of the last value, flags; `lowest`, `zeros` and `smallest` of
    the support; medians, means, half-widths; and a byte for each step, 0 where the series never has a value.
    """

    unique_ids: list[str]
    horizon: int
    records: NDArray[np.int64]

    @classmethod
    def of(
        cls, rows: Sequence[LastWindow], forecast: QuantileForecast, is_open: Mask | None
    ) -> "SeriesQuantiles":
        """Return what was forecast from some index rows; `is_open` (series, horizon) is None if all are."""
        count, horizon = forecast.mean.shape
        records = np.zeros((count, _words(horizon)), dtype=np.int64)
        records[:, 0] = [row.version for row in rows]
        records[:, 1] = [row.end for row in rows]
        cold = np.array([series_store.is_single(row) for row in rows])
        support, widths = forecast.support, forecast.bounds.half_widths[1:]
        records[:, 2] = IS_COUNT * support.is_count[:, 0] + IS_COLD * cold
        parts = [support.lowest, support.zeros, support.smallest, forecast.bounds.median, forecast.mean]
        parts.append(np.moveaxis(widths, 2, 0).reshape(count, BOUNDS * horizon))
        numbers = np.concatenate(parts, axis=1)
        records[:, 3 : 3 + numbers.shape[1]] = numbers.view(np.int64)
        if is_open is not None:
            records[:, 2] += IS_PARTLY_CLOSED * ~is_open.all(axis=1)
            records[:, 3 + numbers.shape[1] :].view(np.uint8)[:, :horizon] = is_open
        return cls([row.unique_id for row in rows], horizon, records)

    @classmethod
    def empty(cls, horizon: int) -> "SeriesQuantiles":
        """Return the forecasts of no series."""
        return cls([], horizon, np.empty((0, _words(horizon)), dtype=np.int64))

    @classmethod
    def joined(cls, parts: Sequence["SeriesQuantiles"]) -> "SeriesQuantiles":
        """Return the series of all parts, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        names = [name for part in parts for name in part.unique_ids]
        return cls(names, parts[0].horizon, np.concatenate([part.records for part in parts]))

    def take(self, places: Sequence[int]) -> "SeriesQuantiles":
        """Return the series at these places, in this order."""
        if len(places) == 1:
            (place,) = places
            return SeriesQuantiles([self.unique_ids[place]], self.horizon, self.records[place : place + 1])
        return SeriesQuantiles(
            [self.unique_ids[place] for place in places], self.horizon, self.records[places]
        )

    def sorted(self) -> "SeriesQuantiles":
        """Return the series by name."""
        return self.take(sorted(range(len(self.unique_ids)), key=self.unique_ids.__getitem__))

    def split(self, size: int) -> Iterator["SeriesQuantiles"]:
        """Yield up to `size` series at a time."""
        for first in range(0, len(self), size):
            yield self.take(range(first, min(first + size, len(self))))

    def __len__(self) -> int:
        return len(self.unique_ids)

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each series by its name."""
        return {name: place for place, name in enumerate(self.unique_ids)}

    @property
    def versions(self) -> Ints:
        """(series,) versions of the index rows."""
        return self.records[:, 0]

    @property
    def ends(self) -> list[int]:
        """The ordinal of each last value."""
        ends: list[int] = self.records[:, 1].tolist()
        return ends

    @property
    def is_cold(self) -> list[bool]:
        """Whether each series has a single value."""
        return [flags & IS_COLD > 0 for flags in self.records[:, 2].tolist()]

    @property
    def is_open(self) -> Mask | None:
        """(series, horizon), False for steps at which a series never has a value; None where all are open."""
        if not (self.records[:, 2] & IS_PARTLY_CLOSED).any():
            return None
        last = OWN + (2 + BOUNDS) * self.horizon
        found = np.ascontiguousarray(self.records[:, last:]).view(np.bool_)[:, : self.horizon]
        is_whole: Mask = (self.records[:, 2] & IS_PARTLY_CLOSED == 0)[:, None]
        return found | is_whole

    @property
    def forecast(self) -> QuantileForecast:
        """What the model said of these series."""
        count, steps = self.records.shape[0], self.horizon
        numbers = self.records.view(np.float64)
        median, mean = numbers[:, OWN : OWN + steps], numbers[:, OWN + steps : OWN + 2 * steps]
        widths = np.zeros((1 + len(CALIBRATED_LEVELS), 2, count, steps))
        stored = numbers[:, OWN + 2 * steps : OWN + (2 + BOUNDS) * steps]
        widths[1:] = stored.reshape(count, len(CALIBRATED_LEVELS), 2, steps).transpose(1, 2, 0, 3)
        is_count = self.records[:, 2:3] & IS_COUNT > 0
        support = Support(numbers[:, 3:4], is_count, numbers[:, 4:5], numbers[:, 5:6])
        return QuantileForecast(IntervalBounds(median, widths), support, mean)

    def pack(self) -> bytes:
        """Return the bytes of a chunk: a head of four words, the names as JSON, the records."""
        names = to_json(self.unique_ids)
        names += b" " * (-len(names) % WORD)
        head = np.array([FORMAT, self.horizon, len(self), len(names)], dtype="<i8")
        return b"".join((head.tobytes(), names, self.records.astype("<i8").tobytes()))

    @classmethod
    def unpack(cls, data: bytes) -> "SeriesQuantiles":
        """Invert `pack`, without a copy of the records. Raises ValueError for bytes that are no chunk."""
        _, horizon, count, length = np.frombuffer(data, "<i8", HEAD).tolist()
        first = HEAD * WORD + length
        words = _words(horizon)
        records = np.frombuffer(data, "<i8", count * words, first).reshape(count, words)
        return cls(from_json(data[HEAD * WORD : first]), horizon, records)


def _words(horizon: int) -> int:
    return OWN + (2 + BOUNDS) * horizon + -(-horizon // WORD)


def compute(
    method: Method, axis: TimeAxis, model: LoadedModel, rows: Sequence[LastWindow]
) -> SeriesQuantiles:
    """Run a model's method on the last values of series, all together; the series keep the rows' order."""
    if not rows:
        return SeriesQuantiles.empty(model.forecaster.config.horizon)
    panel = panels.of_last_windows(axis, rows)
    forecast = compute_quantile_forecast(method, model.forecaster, panel, model.baseline_forecasts.of(rows))
    return SeriesQuantiles.of(rows, forecast, open_steps(panel, axis.cycles, forecast.mean.shape[1]))
