"""What methods say of series, kept in memory: a question of another horizon or levels is answered from it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from app.observability import metrics
from app.services.forecasting.resolve import OutlookKey, Reading, Source, told_of
from app.services.forecasting.result import Answers
from app.services.shared.lru import Lru
from models.methods.combination import QuantileForecast

OBJECT_BYTES = 1000  # about what an outlook takes beside its numbers: its objects, its name and its key

Key = tuple[OutlookKey, str]  # and the series' name


@dataclass(frozen=True, eq=False)
class SeriesOutlook:
    """All that a method says of one series, whose last time is the ordinal `end`."""

    unique_id: str
    end: int
    outlook: QuantileForecast

    @property
    def nbytes(self) -> int:
        """Bytes it takes in memory."""
        return self.outlook.nbytes + OBJECT_BYTES


class Outlooks:
    """Keeps those used last. What is under a key never grows old.

    To be used in one event loop.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._kept: Lru[Key, SeriesOutlook] = Lru(limit_bytes, lambda series: series.nbytes)

    @property
    def nbytes(self) -> int:
        """Bytes of all that are kept."""
        return self._kept.size

    def recall(self, key: OutlookKey, unique_ids: Collection[str]) -> list[SeriesOutlook] | None:
        """Return those of the named series, by name; None unless all are here."""
        found = []
        for name in sorted(unique_ids):
            series = self._kept.get((key, name))
            if series is None:
                return None
            found.append(series)
        return found

    def keep(self, key: OutlookKey, found: Iterable[SeriesOutlook]) -> None:
        """Keep what was found out, but nothing that is too large for the memory by itself."""
        for series in found:
            if series.nbytes <= self._limit:
                self._kept.put((key, series.unique_id), series)
        metrics.QUANTILE_FORECAST_CACHE_BYTES.set(self.nbytes)


def look_at(reading: Reading) -> list[SeriesOutlook]:
    """Do what takes long, for all series that were read at once."""
    outlooks = reading.outlook().split() if reading.rows else ()
    return [
        SeriesOutlook(row.unique_id, row.end, outlook)
        for row, outlook in zip(reading.rows, outlooks, strict=True)
    ]


def answers_of(source: Source, series: Sequence[SeriesOutlook], levels: Sequence[int]) -> Answers:
    """Forecast as far as the source is asked for, from what is known already."""
    forecast = QuantileForecast.concatenate([one.outlook for one in series]).forecast(source.horizon, levels)
    return told_of(source, [one.unique_id for one in series], [one.end for one in series], forecast, levels)
