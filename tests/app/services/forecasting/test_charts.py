"""The fan chart: what is on it, and that nothing odd breaks it."""

import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadInput
from app.intake.time.axis import TimeAxis
from app.services.forecasting.charts import _shown_end, draw, refuse_several
from app.services.forecasting.result import Context, ForecastResult
from tests.factories import result

MONTHS = TimeAxis("datetime", "MS")
DAYS = TimeAxis("datetime", "D")
YEARS = TimeAxis("year", "YS")
INTEGERS = TimeAxis("integer", 7)
POPULATION = np.linspace(5_100_000, 5_500_000, 40)


def context(
    axis: TimeAxis = MONTHS, end: str | int = "2024-01-01", y: "list[float] | np.ndarray" = POPULATION
) -> Context:
    last = end if isinstance(end, int) else int(np.datetime64(end, "us").astype(np.int64))
    return Context.until(axis, last, np.array(y, dtype=np.float64))


def texts(some: ForecastResult, observed: Context) -> list[str]:
    """What can be read on the SVG."""
    root = ET.fromstring(draw(some, observed, "svg"))  # noqa: S314  # our own
    return ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_png_has_its_size_in_pixels() -> None:
    assert size(draw(result(["Norway"]), context(), "png")) == (1200, 675)


def test_chart_names_the_series_and_what_is_drawn() -> None:
    written = texts(result(["Norway"], [5.5e6, 5.6e6]), context())
    legend = ["observed", "median forecast", "80 % interval", "95 % interval, not calibrated"]
    assert [text for text in written if text in {*legend, "Norway"}] == ["Norway", *legend]


def test_large_numbers_are_written_out_and_without_offset() -> None:
    written = texts(result(["Norway"], [5.5e6, 5.6e6]), context())
    assert "5,500,000" in written
    assert not [text for text in written if "e+" in text or "1e" in text]


@pytest.mark.parametrize(
    ("observed", "shown"),
    [
        (context(YEARS, 2023), "2020"),
        (context(MONTHS, "2024-01-01"), "2023"),
        (context(INTEGERS, 400), "350"),
        (context(TimeAxis("datetime", "h", "UTC"), "2024-06-01T05"), "12:00"),
    ],
    ids=["years", "months", "integers", "hours"],
)
def test_time_is_written_as_its_kind_is(observed: Context, shown: str) -> None:
    assert shown in texts(result(["a"]), observed)


def test_warning_stands_below_the_name() -> None:
    some = replace(result(["a"]), warning="On the last steps this LSTM's error was twice drift's. " * 3)
    written = texts(some, context())
    assert [text for text in written if text.startswith("On the last steps")]


def test_context_is_cut_to_what_shows_its_pattern() -> None:
    long = context(TimeAxis("datetime", "h"), y=np.arange(1024.0))
    assert [len(_shown_end(long, horizon).y) for horizon in (1, 48, 10_000)] == [48, 144, 1000]
    assert _shown_end(long, 48).ds[-1] == long.ds[-1]


@pytest.mark.parametrize("chart_format", ["png", "svg"])
def test_same_forecast_gives_the_same_bytes_from_any_thread(chart_format: str) -> None:
    def make(_: int) -> bytes:
        return draw(result(["a"]), context(), chart_format)  # type: ignore[arg-type]

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(make, range(8)))) == 1


@pytest.mark.parametrize(
    "name",
    ["$x_1$", r"$\frac{$", "two\nlines", "日本 🎌", "W" * 500, "\x01\x1b<b>&amp;", "\ufffe", " "],
)
@pytest.mark.parametrize("chart_format", ["png", "svg"])
def test_name_of_any_kind_can_be_drawn(name: str, chart_format: str) -> None:
    some = replace(result([name]), warning=name)
    chart = draw(some, context(), chart_format)  # type: ignore[arg-type]
    assert chart_format == "png" or ET.fromstring(chart) is not None  # noqa: S314  # our own


def test_formula_in_a_name_is_left_as_it_is() -> None:
    assert "from $5 to $x_1 <b>" in texts(result(["from $5\nto $x_1 <b>"]), context())


@pytest.mark.parametrize(
    "y",
    [
        [3.0],
        [7.0] * 30,
        [0.0] * 30,
        [1.0, np.nan, np.nan, 2.0, np.nan, 3.0],
        [1e300, -1e300, 1e300],
        [np.finfo(np.float64).max, -np.finfo(np.float64).max],
        [5e-324, 0.0, 5e-324],
    ],
    ids=["one value", "constant", "zero", "gaps", "huge", "largest", "smallest"],
)
def test_context_of_any_values_can_be_drawn(y: list[float]) -> None:
    observed = context(y=y)
    assert size(draw(result(["a"], [y[0], y[-1]]), observed, "png")) == (1200, 675)
    assert "observed" in texts(result(["a"], [y[0], y[-1]]), observed)


@pytest.mark.parametrize(
    "observed",
    [
        context(DAYS, "9999-12-30"),
        context(DAYS, "0001-02-15"),
        context(TimeAxis("datetime", "YS-JAN"), "9998-01-01"),
        context(TimeAxis("datetime", "400YS-JAN"), "2000-01-01"),
        context(TimeAxis("datetime", "us"), "2024-01-01"),
        context(INTEGERS, 10**15),
        context(YEARS, 2999),
    ],
    ids=["last day", "first days", "last year", "centuries", "microseconds", "large", "late"],
)
def test_time_of_any_kind_can_be_drawn(observed: Context) -> None:
    assert "observed" in texts(result(["a"]), observed)


@settings(max_examples=20, deadline=None)
@given(
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4),
    end=st.integers(-(10**15), 10**15),
)
def test_forecast_of_any_numbers_can_be_drawn(numbers: list[float], end: int) -> None:
    assert "observed" in texts(result(["a"], numbers), context(INTEGERS, end, numbers))


@pytest.mark.parametrize(("names", "found"), [(0, "none was named"), (3, "3 were asked for")])
def test_chart_of_several_series_is_refused(names: int, found: str) -> None:
    with pytest.raises(BadInput, match=f"{found}: give one unique_id") as caught:
        refuse_several(names, "?unique_id")
    assert [error.pointer for error in caught.value.errors] == ["?unique_id"]
