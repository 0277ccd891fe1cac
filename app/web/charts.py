"""The data blocks that the page's charts are drawn from: positions, lines and bands."""

from collections.abc import Sequence
from typing import Any

from app.schemas.backtests import BacktestRow
from app.schemas.datasets import ObservationPage, Time
from app.schemas.forecast import SeriesForecast
from app.services.shared.paging import CountedPageRequest
from app.web import numbers, times

Block = dict[str, Any]
SHOWN_HISTORY = 3  # horizons of history that a chart of a forecast begins with
LEAST_SHOWN = 24  # steps
EVERY = CountedPageRequest(200_000)  # values of one series in a chart
DIGITS = 7  # of a value; a chart shows fewer


def of_history(observed: ObservationPage, frequency: str | int, language: str) -> Block:
    """Return the block of one series."""
    block = _block(observed.ds, frequency, language)
    block["lines"] = [_line("history", [_short(value) for value in observed.y])]
    return block


def of_forecast(
    observed: ObservationPage,
    forecast: SeriesForecast,
    rows: Sequence[BacktestRow],
    language: str,
) -> Block:
    """Return the block of a forecast: history, what was forecast of it, median, mean, and the bands.

    The fan opens at the last value.
    """
    known = _until_last(observed)
    past, ahead = len(known.ds), len(forecast.ds)
    block = _block([*known.ds, *forecast.ds], forecast.frequency, language)
    block["begin"] = max(0, past - max(SHOWN_HISTORY * ahead, LEAST_SHOWN))
    block["precision"] = numbers.precision_of(narrowest(forecast))
    before: list[float | None] = [None] * (past - 1)
    joint = _short(known.y[-1])
    block["lines"] = [_line("history", [*map(_short, known.y), *[None] * ahead])]
    for level in sorted(forecast.intervals, key=int, reverse=True):
        for side in ("lo", "hi"):
            bound = getattr(forecast.intervals[level], side)
            block["lines"].append(_line(side, [*before, joint, *map(_short, bound)], level=int(level)))
    block["lines"].append(_line("mean", [*before, joint, *map(_short, forecast.mean)]))
    block["lines"].append(_line("median", [*before, joint, *map(_short, forecast.forecast)]))
    if rows:
        block["lines"] += _tested(known.ds, ahead, rows, forecast.method)
    return block


def narrowest(forecast: SeriesForecast) -> float:
    """Return the width of the narrowest level's interval at the first step: what the numbers are good for."""
    widths = [each.hi[0] - each.lo[0] for each in forecast.intervals.values() if each.hi]
    return min(widths, default=0.0)


def _block(ds: Sequence[Time], frequency: str | int, language: str) -> Block:
    is_number = any(isinstance(time, int) for time in ds[:1])
    unit = "number" if is_number else times.unit_of(frequency)
    return {"unit": unit, "language": language, "x": _rising([times.position(time) for time in ds])}


def _rising(positions: list[float]) -> list[float]:
    """Return positions that rise: an hour that clocks repeat comes just behind itself."""
    for i in range(1, len(positions)):
        if positions[i] <= positions[i - 1]:
            positions[i] = positions[i - 1] + 1
    return positions


def _line(role: str, y: Sequence[float | None], **more: Any) -> Block:
    return {"role": role, "y": list(y), **more}


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")


def _until_last(observed: ObservationPage) -> ObservationPage:
    """Return the observations up to the last value; steps ahead have columns alone."""
    last = max((i for i, value in enumerate(observed.y) if value is not None), default=0)
    kept = {"ds": observed.ds[: last + 1], "y": observed.y[: last + 1]}
    return observed.model_copy(update=kept)


def _tested(ds: Sequence[Time], ahead: int, rows: Sequence[BacktestRow], method: str) -> list[Block]:
    """Return a line for each cut: what the method forecast there, from the value that it had seen last."""
    places = {time: i for i, time in enumerate(ds)}
    lines: dict[Time, list[float | None]] = {}
    for row in rows:
        forecast = row.methods.get(method)
        if forecast is not None and row.ds in places:
            line = lines.setdefault(row.cutoff, [None] * (len(ds) + ahead))
            line[places[row.ds]] = _short(forecast.forecast)
    return [_line("tested", line) for line in lines.values()]
