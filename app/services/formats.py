"""Forecasts as text."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from app.schemas.forecast import SeriesForecast


def csv_parts(levels: Sequence[int], pages: Iterable[list[SeriesForecast]]) -> Iterator[str]:
    """Yield one CSV table in parts: the header, then the rows of each page."""
    bounds = [f"{side}-{level}" for level in levels for side in ("lo", "hi")]
    yield _lines([["unique_id", "ds", "forecast", *bounds]])
    for page in pages:
        yield _lines(row for item in page for row in _rows(item))


def _rows(item: SeriesForecast) -> Iterator[tuple[object, ...]]:
    bounds = [side for interval in item.intervals.values() for side in (interval.lo, interval.hi)]
    for ds, *values in zip(item.ds, item.forecast, *bounds, strict=True):
        yield item.unique_id, ds, *values


def _lines(rows: Iterable[Iterable[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
