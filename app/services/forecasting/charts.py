"""Draw the fan chart of one series: its context, the median forecast, and a band for each level."""

import io
import textwrap
import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.arrays import Ints
from app.intake.time.axis import TimeAxis
from app.intake.time.steps import DAY
from app.services.forecasting.result import Context, ForecastResult
from models.panel import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ChartFormat = Literal["png", "svg"]
BLUE, GREY = (0.0, 0.447, 0.698), "#444444"  # the blue of Okabe and Ito, which the colour-blind see too
LIGHTEST, DARKEST = 0.18, 0.5  # share of blue in the outermost and the innermost band
SIZE, DOTS_PER_INCH = (8.0, 4.5), 150  # size in inches
MAX_TITLE, MAX_LINE = 64, 110  # characters
MIN_CONTEXT, MAX_CONTEXT = 24, 1000  # steps drawn
MAX_VALUE = 1e300  # larger values are clipped: an axis reaches a little beyond what is on it
FIRST_DATE, LAST_DATE = np.array(["0002-01-01", "9998-12-31"], dtype="M8[us]").astype(np.int64).tolist()
DAYS_A_YEAR = 365.2425

# The whole process shares the fonts and settings of matplotlib, so it draws one chart at a time.
_drawing = threading.Lock()


def refuse_several(names: int, pointer: str) -> None:
    """Raise BadInput unless a request for a chart names one series."""
    if names == 1:
        return
    found = f"{names:,} were asked for" if names else "none was named"
    raise BadInput(
        f"A chart shows one series, and {found}: give one unique_id, or ask for a table.",
        [FieldError(pointer, "Name one series to have its chart.")],
    )


def draw(result: ForecastResult, context: Context, chart_format: ChartFormat) -> bytes:
    """Draw the only series of a result. Equal arguments produce equal bytes."""
    # No font has every character. Boxes replace the missing ones, and nobody needs the warning.
    with _drawing, warnings.catch_warnings(action="ignore"):
        import matplotlib as mpl  # noqa: PLC0415  # takes half a second

        with mpl.rc_context({"svg.hashsalt": "gatecast", "svg.fonttype": "none"}):
            return _saved(_figure(result, _shown_end(context, result.forecast.median.shape[1])), chart_format)


def _shown_end(context: Context, horizon: int) -> Context:
    """Return the end of the context, long enough to show its pattern."""
    wanted = max(3 * horizon, 2 * context.axis.season_length, MIN_CONTEXT)
    last = slice(-min(wanted, MAX_CONTEXT), None)
    return Context(context.axis, context.ds[last], context.y[last])


def _saved(figure: "Figure", chart_format: ChartFormat) -> bytes:
    buffer = io.BytesIO()
    left_out = {"png": "Software", "svg": "Date"}  # they would make equal charts differ
    figure.savefig(buffer, format=chart_format, dpi=DOTS_PER_INCH, metadata={left_out[chart_format]: None})
    return buffer.getvalue()


def _figure(result: ForecastResult, context: Context) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415  # as above
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415

    figure = Figure(figsize=SIZE, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    axes = figure.subplots()
    _draw_lines(axes, result, context)
    _draw_titles(figure, axes, result)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.12g}")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower left", ncols=4, frameon=False, fontsize=9)
    return figure


def _draw_lines(axes: "Axes", result: ForecastResult, context: Context) -> None:
    """Draw intervals, median and context, from back to front. The fan opens at the last value."""
    ahead = context.axis.future(int(context.ds[-1]), result.forecast.median.shape[1])
    shown = slice(None) if result.is_open is None else result.is_open[0]
    ahead = ahead[shown]
    past, future = np.split(_coordinates(axes, context.axis, np.append(context.ds, ahead)), [len(context.ds)])
    observed = _drawable(context.y)
    future = np.append(past[-1], future)
    for level, colour in _shades(result):
        sides = (result.forecast.lo[level][0][shown], result.forecast.hi[level][0][shown])
        lo, hi = (np.append(observed[-1], _drawable(side)) for side in sides)
        remark = "" if result.calibration[level].calibrated else ", not calibrated"
        axes.fill_between(future, lo, hi, color=colour, linewidth=0, label=f"{level} % interval{remark}")
    median = np.append(observed[-1], _drawable(result.forecast.median[0][shown]))
    axes.plot(past, observed, color=GREY, linestyle="", marker=".", markevery=_isolated(observed))
    axes.plot(future, median, color=BLUE, linewidth=2, linestyle=(0, (3, 1)), label="median forecast")
    axes.plot(past, observed, color=GREY, linewidth=1.6, label="observed")


def _coordinates(axes: "Axes", axis: TimeAxis, ordinals: Ints) -> Floats:
    """Set up the axis of times, and return their coordinates on it."""
    from matplotlib import dates, ticker  # noqa: PLC0415  # as above

    ordinals = axis.local(ordinals)
    if axis.kind == "datetime" and ordinals[0] > FIRST_DATE and ordinals[-1] < LAST_DATE:
        locator = dates.AutoDateLocator()  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        return ordinals / DAY
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.12g}")
    if axis.kind == "datetime":  # outside the calendar of matplotlib: in years
        return 1970 + ordinals / DAY / DAYS_A_YEAR
    return ordinals.astype(np.float64)


def _drawable(values: Floats) -> Floats:
    return np.clip(values, -MAX_VALUE, MAX_VALUE)


def _isolated(observed: Floats) -> list[int]:
    """Return the positions of values between two gaps, which no line connects."""
    gap = np.pad(np.isnan(observed), 1, constant_values=True)
    isolated: list[int] = np.flatnonzero(gap[:-2] & ~gap[1:-1] & gap[2:]).tolist()
    return isolated


def _shades(result: ForecastResult) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Yield the levels from the widest on, each with a darker shade of blue."""
    levels = sorted(result.levels, reverse=True)
    for level, share in zip(levels, np.linspace(LIGHTEST, DARKEST, max(2, len(levels))), strict=False):
        yield level, tuple(1 - share * (1 - part) for part in BLUE)


def _draw_titles(figure: "Figure", axes: "Axes", result: ForecastResult) -> None:
    """Write the name, and the warning below it if there is one; neither is parsed as a formula."""
    name = _one_line(result.unique_ids[0])
    title = name if len(name) <= MAX_TITLE else f"{name[: MAX_TITLE - 1]}…"
    figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=13, parse_math=False)
    if result.warning_on_all is not None:
        warning = textwrap.fill(_one_line(result.warning_on_all), MAX_LINE)
        axes.set_title(warning, loc="left", fontsize=8.5, color="#555555", parse_math=False)


def _one_line(text: str) -> str:
    """Return a text without line breaks and characters that XML forbids."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())
