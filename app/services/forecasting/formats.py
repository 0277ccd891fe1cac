"""Write results as bytes: JSON, tables and charts.

A number has the same digits in every format, as few as identify it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, compress
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic_core import to_json

from app.schemas.media_types import (
    ARROW,
    CONTENT_TYPES,
    CSV,
    CSV_EXCEL,
    JSON,
    NDJSON,
    PARQUET,
    PNG,
    SVG,
    XLSX,
    file_headers,
)
from app.services.forecasting.charts import ChartFormat, draw
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.result import Context, ForecastResult
from app.services.shared.paging import encode_cursor
from app.services.shared.table_files import quoted_formulas, table_parts
from models.panel import Floats

QUOTED = frozenset(',"\r\n')  # CSV quotes a text that holds one of them
Item = dict[str, Any]
METHOD, VERDICT, WARNING = "gatecast-method", "gatecast-verdict", "gatecast-warning"
CHARTS: dict[str, ChartFormat] = {PNG: "png", SVG: "svg"}


def write(result: ForecastResult, media_type: str, context: Context | None = None) -> bytes:
    """Write a result in a media type; a chart also shows the `context` of its series."""
    if context is not None:
        return draw(result, context, CHARTS[media_type])
    if media_type in TABLES:
        return b"".join(TABLES[media_type]([result]))
    return page_json(result)


def headers(result: ForecastResult, media_type: str) -> dict[str, str]:
    """Return the headers of a result: all but JSON name method, verdict and warning there.

    The rows of a table have no place for them, and a chart shows them to the eye alone.
    """
    texts = {"content-type": CONTENT_TYPES[media_type], **file_headers("forecast", media_type)}
    if media_type != JSON:
        facts = {METHOD: result.method, VERDICT: result.verdict, WARNING: result.warning_on_all}
        texts |= {name: header_value(text) for name, text in facts.items() if text is not None}
    return texts


def header_value(text: str) -> str:
    """Return a text as one line of ASCII, which every header may hold; replace other characters by ?."""
    return " ".join(text.split()).encode("ascii", "replace").decode()


def page_json(result: ForecastResult) -> bytes:
    """Write a page of series as `ForecastPage`."""
    return items_json(items(result), result.following)


def items_json(forecasts: Sequence[Item], following: str | None = None) -> bytes:
    """Write a page of items; `following` is the name of the last if another page follows."""
    return _json({"forecasts": forecasts, "next": encode_cursor(following)})


def ndjson_parts(pages: Iterable[ForecastResult]) -> Iterator[bytes]:
    """Yield a line of JSON for each series, page by page."""
    for page in pages:
        yield b"".join(_json(item) + b"\n" for item in items(page))


def csv_parts(pages: Iterable[ForecastResult]) -> Iterator[bytes]:
    """Yield one CSV table in parts: the header, then the rows of each page."""
    first, pages = _peeked(pages)
    yield f"unique_id,ds,{','.join(_columns(first))}\n".encode()
    for page in pages:
        yield "".join(_csv_rows(page)).encode()


def batch_parts(media_type: str, pages: Iterable[ForecastResult]) -> Iterator[bytes]:
    """Yield one table in parts, made of a record batch for each page.

    The metadata of Arrow and Parquet holds what all rows share, as text, without what is null.
    """
    first, pages = _peeked(pages)
    schema = _schema(first)
    yield from table_parts(media_type, schema, (_record_batch(page, schema) for page in pages))


def with_names_for(request: ForecastRequest, page: ForecastResult) -> ForecastResult:
    """Return a result with an apostrophe before names that are formulas, if the request asks for that."""
    if not request.quote_formulas or request.media_type not in (CSV, CSV_EXCEL):
        return page
    return replace(page, unique_ids=quoted_formulas(pa.array(page.unique_ids, pa.string())).to_pylist())


TABLES: dict[str, Callable[[Iterable[ForecastResult]], Iterator[bytes]]] = {
    CSV: csv_parts,
    NDJSON: ndjson_parts,
    **{each: partial(batch_parts, each) for each in (CSV_EXCEL, ARROW, PARQUET, XLSX)},
}


def items(result: ForecastResult) -> list[Item]:
    """Return the fields of each `SeriesForecast`, in its order; objects would cost twice as much."""
    before = {
        "dataset_id": result.dataset_id,
        "dataset_version": result.dataset_version,
        "model_id": result.model_id,
        "frequency": result.frequency,
    }
    after = {"method": result.method, "verdict": result.verdict}
    each = (_shown_rows(result, values) for values in (result.forecast.median, result.mean))
    rows = zip(
        result.unique_ids, _shown_times(result), *each, _intervals(result), result.warnings, strict=True
    )
    return [
        {
            "unique_id": name,
            **before,
            "ds": ds,
            "forecast": median,
            "mean": mean,
            "intervals": bounds,
            **after,
            "warning": warning,
        }
        for name, ds, median, mean, bounds, warning in rows
    ]


def _intervals(result: ForecastResult) -> Iterator[dict[str, Any]]:
    known = {level: result.calibration[level].model_dump() for level in result.levels}
    sides = [(result.forecast.lo[level], result.forecast.hi[level]) for level in result.levels]
    bounds = [zip(_shown_rows(result, lo), _shown_rows(result, hi), strict=True) for lo, hi in sides]
    for each in zip(*bounds, strict=True):
        yield {
            str(level): {"lo": lo, "hi": hi, **known[level]}
            for level, (lo, hi) in zip(result.levels, each, strict=True)
        }


def _shown_rows(result: ForecastResult, values: Floats) -> list[list[float]]:
    """Return the values (series, horizon) of each series at its open steps."""
    if result.is_open is None:
        rows: list[list[float]] = values.tolist()
        return rows
    return [row[is_open].tolist() for row, is_open in zip(values, result.is_open, strict=True)]


def _shown_times(result: ForecastResult) -> list[list[str | int]]:
    """Return the times of each series at its open steps."""
    if result.is_open is None:
        return result.times
    return [list(compress(times, each)) for times, each in zip(result.times, result.is_open, strict=True)]


def _shown(result: ForecastResult, values: Floats) -> Floats:
    """Return the values (series, horizon) at open steps, end to end."""
    return values.ravel() if result.is_open is None else values[result.is_open]


def _json(value: dict[str, Any]) -> bytes:
    return to_json(value, inf_nan_mode="null")


def _peeked(pages: Iterable[ForecastResult]) -> tuple[ForecastResult, Iterator[ForecastResult]]:
    """Return the first page, and all pages with it."""
    rest = iter(pages)
    first = next(rest)
    return first, chain([first], rest)


def _columns(result: ForecastResult) -> list[str]:
    return ["forecast", "mean", *(f"{side}-{level}" for level in result.levels for side in ("lo", "hi"))]


def _values(result: ForecastResult) -> list[Floats]:
    """Return median, mean and bounds in the order of the columns, each (series, horizon)."""
    forecast = result.forecast
    bounds = [side[level] for level in result.levels for side in (forecast.lo, forecast.hi)]
    return [forecast.median, result.mean, *bounds]


def _csv_rows(result: ForecastResult) -> Iterator[str]:
    names = [_cell(name) for name in result.unique_ids]
    starts = [f"{name},{ds}" for name, times in zip(names, _shown_times(result), strict=True) for ds in times]
    if not starts:
        return
    table = np.stack([_shown(result, values) for values in _values(result)], axis=1)
    # One pass of JSON writes the numbers four times as fast as the csv module.
    numbers = to_json(table.tolist()).decode()[2:-2].split("],[")
    for start, row in zip(starts, numbers, strict=True):
        yield f"{start},{row}\n"


def _cell(text: str) -> str:
    if QUOTED.isdisjoint(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _schema(result: ForecastResult) -> pa.Schema:
    shared = {
        "model_id": result.model_id,
        "dataset_id": result.dataset_id,
        "dataset_version": result.dataset_version,
        "frequency": result.frequency,
        "method": result.method,
        "verdict": result.verdict,
        "warning": result.warning_on_all,
    }
    times = pa.int64() if isinstance(result.times[0][0], int) else pa.string()
    numbers = [(name, pa.float64()) for name in _columns(result)]
    return pa.schema(
        [("unique_id", pa.string()), ("ds", times), *numbers],
        metadata={name: str(fact) for name, fact in shared.items() if fact is not None},
    )


def _record_batch(result: ForecastResult, schema: pa.Schema) -> pa.RecordBatch:
    shown = _shown_times(result)
    rows = np.arange(len(result)).repeat([len(times) for times in shown])
    names = pa.array(result.unique_ids, pa.string()).take(rows)
    times = pa.array(list(chain.from_iterable(shown)), schema.field("ds").type)
    numbers = [pa.array(_shown(result, values)) for values in _values(result)]
    return pa.record_batch([names, times, *numbers], schema=schema)
