"""Answers as DataFrames."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gatecast_client.errors import ForecastWarning, MissingPandas
from gatecast_client.shapes import BacktestRow, SeriesForecast, Time
from gatecast_client.tables import columns_of, is_frame

if TYPE_CHECKING:
    import pandas as pd

SIDES = ("lo", "hi")
CALL_DEPTH = 6  # from a caller's line to the warning


def loaded() -> Any:
    """Return pandas; raises MissingPandas."""
    try:
        import pandas as pd  # noqa: PLC0415  # the client works without it
    except ImportError as error:
        raise MissingPandas(
            "This call makes a DataFrame, and pandas is not installed. Install it by pip install "
            "'gatecast-client[pandas]', or call `forecasts` or `backtest_rows`, which do without."
        ) from error
    return pd


def forecast_frame(forecasts: Sequence[SeriesForecast], data: object) -> "pd.DataFrame":
    """Return a row for each series and time: `unique_id`, `ds`, `forecast`, `mean`, and `lo-80` to `hi-95`.

    Times are timestamps, in the zone of the `data` that were sent, else in UTC where they have an offset;
    years and other plain numbers stay numbers. A ForecastWarning says what the service warns of.
    """
    levels = list(forecasts[0].intervals) if forecasts else []
    columns: dict[str, list[Any]] = {
        "unique_id": [each.unique_id for each in forecasts for _ in each.ds],
        "ds": [time for each in forecasts for time in each.ds],
        "forecast": [value for each in forecasts for value in each.forecast],
        "mean": [value for each in forecasts for value in each.mean],
    }
    for level in levels:
        for side in SIDES:
            bounds = [getattr(each.intervals[level], side) for each in forecasts]
            columns[f"{side}-{level}"] = [value for values in bounds for value in values]
    frame: pd.DataFrame = loaded().DataFrame(columns)
    frame["ds"] = _in_zone_of(data, _timestamps(columns["ds"]))
    _warn([each.warning for each in forecasts if each.warning])
    return frame


def backtest_frame(rows: Sequence[BacktestRow]) -> "pd.DataFrame":
    """Return a row for each step held out, with a column for each method and for each of its bounds."""
    frame: pd.DataFrame = loaded().DataFrame([_backtest_cells(row) for row in rows])
    for name in ("cutoff", "ds"):
        if name in frame:
            frame[name] = _timestamps(list(frame[name]))
    return frame


def cross_validation_frame(
    rows: Sequence[BacktestRow], levels: Sequence[int], data: object
) -> "pd.DataFrame":
    """Return the same with the columns of statsforecast: no step, and bounds at the `levels` alone.

    Times are in the zone of the `data` that were sent.
    """
    frame = backtest_frame(rows)
    for name in ("cutoff", "ds"):
        frame[name] = _in_zone_of(data, frame[name])
    methods = list(rows[0].methods) if rows else []
    ends = ["", *(f"-{side}-{level}" for level in levels for side in SIDES)]
    names = ["unique_id", "ds", "cutoff", "y", *(f"{method}{end}" for method in methods for end in ends)]
    return frame.reindex(columns=names)


def _backtest_cells(row: BacktestRow) -> dict[str, Any]:
    cells = {"unique_id": row.unique_id, "cutoff": row.cutoff, "ds": row.ds, "step": row.step, "y": row.y}
    for method, step in row.methods.items():
        cells[method] = step.forecast
        for level, bounds in step.intervals.items():
            cells |= {f"{method}-{side}-{level}": getattr(bounds, side) for side in SIDES}
    return cells


def _timestamps(times: list[Time]) -> Any:
    """Return times as timestamps, in UTC if they have an offset; numbers as they are."""
    pd = loaded()
    if not times or isinstance(times[0], int):
        return pd.Series(times, dtype="int64" if times else "datetime64[ns]")
    has_offset = pd.Timestamp(times[0]).tzinfo is not None
    return pd.Series(pd.to_datetime(times, format="ISO8601", utc=has_offset))


def _in_zone_of(data: object, times: Any) -> Any:
    if not is_frame(data):
        return times
    sent = columns_of(data).get("ds")
    zone = getattr(getattr(sent, "dtype", None), "tz", None)
    is_aware = getattr(times.dtype, "tz", None) is not None
    return times.dt.tz_convert(zone) if zone is not None and is_aware else times


def _warn(sentences: list[str]) -> None:
    different = list(dict.fromkeys(sentences))
    if different:
        more = f" ({len(different) - 1} more like it.)" if len(different) > 1 else ""
        warnings.warn(different[0] + more, ForecastWarning, stacklevel=CALL_DEPTH)
