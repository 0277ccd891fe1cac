"""Keep quantile forecasts in memory: they serve requests for any shorter horizon and any levels."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from app.intake.arrays import Mask
from app.observability import metrics
from app.services.forecasting.resolve import ForecastKey
from app.services.shared.lru import Lru
from models.methods.combination import QuantileForecast

OBJECT_BYTES = 1000  # roughly the memory of a forecast beside its numbers: objects, name and key

Key = tuple[ForecastKey, str]  # and the series' name


@dataclass(frozen=True, eq=False)
class SeriesQuantiles:
    """The quantile forecast of one series, to the model's horizon; `end` is the ordinal of its last value.

    `is_open` (horizon,) is False for the steps at which the series never has a value; None if all are open.
    """

    unique_id: str
    end: int
    forecast: QuantileForecast
    is_open: Mask | None = None
    is_cold: bool = False  # the series has a single value

    @property
    def nbytes(self) -> int:
        """Its size in memory, in bytes."""
        return self.forecast.nbytes + OBJECT_BYTES


class QuantileForecastCache:
    """The quantile forecasts used last, bounded in bytes; none gets stale under its key.

    For use in one event loop.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._forecasts: Lru[Key, SeriesQuantiles] = Lru(limit_bytes, lambda series: series.nbytes)

    @property
    def nbytes(self) -> int:
        """Bytes of all forecasts in memory."""
        return self._forecasts.size

    def get(self, key: ForecastKey, unique_ids: Collection[str]) -> list[SeriesQuantiles] | None:
        """Return the forecasts of the named series, sorted by name; None if any is missing."""
        found = []
        for name in sorted(unique_ids):
            series = self._forecasts.get((key, name))
            if series is None:
                return None
            found.append(series)
        return found

    def put(self, key: ForecastKey, found: Iterable[SeriesQuantiles]) -> None:
        """Keep forecasts, except those that are larger than the cache."""
        for series in found:
            if series.nbytes <= self._limit:
                self._forecasts.put((key, series.unique_id), series)
        metrics.QUANTILE_FORECAST_CACHE_BYTES.set(self.nbytes)
