"""Quantile forecasts of series, as records that keep every bit."""

import numpy as np
import pytest

from app.db.queries.datasets import LastWindow
from app.services.registry.quantile_forecasts import SeriesQuantiles
from models.methods.calibration import CALIBRATED_LEVELS, IntervalBounds
from models.methods.combination import QuantileForecast
from models.methods.support import Support

HORIZON = 5
RNG = np.random.default_rng(3)
LAST = (4e9 + 25.1, -0.0, 1.7e308, 5e-324)


def made(names: str, horizon: int = HORIZON) -> tuple[QuantileForecast, SeriesQuantiles]:
    """What was forecast of series, and its records; the second of several has one value and closed steps."""
    count = len(names)
    widths = np.concatenate(
        [np.zeros((1, 2, count, horizon)), RNG.lognormal(size=(len(CALIBRATED_LEVELS), 2, count, horizon))]
    )
    median = RNG.choice(LAST, (count, horizon)) + RNG.normal(size=(count, horizon))
    column = np.arange(count, dtype=np.float64)[:, None]
    smallest = np.where(column > 0, 0.25, -np.inf)
    support = Support(column - 1.5, column % 2 > 0, column / 10, smallest)
    forecast = QuantileForecast(IntervalBounds(median, widths), support, median + 0.1)
    is_open = np.ones((count, horizon), dtype=np.bool_)
    is_open[1:2, 2:3] = False
    rows = [
        LastWindow(name, 7 + at, -(10**17) + at, np.ones(2 - at % 2).tobytes())
        for at, name in enumerate(names)
    ]
    return forecast, SeriesQuantiles.of(rows, forecast, is_open if count > 1 else None)


def same(found: QuantileForecast, forecast: QuantileForecast) -> bool:
    pairs = [(each.bounds.median, each.bounds.half_widths, each.mean) for each in (found, forecast)]
    supports = [
        (each.support.lowest, each.support.is_count, each.support.zeros, each.support.smallest)
        for each in (found, forecast)
    ]
    return all(
        one.tobytes() == other.tobytes()
        for one, other in zip((*pairs[0], *supports[0]), (*pairs[1], *supports[1]), strict=True)
    )


@pytest.mark.parametrize("names", ["a", "äbc", "abcdefghijklmnopq"])
@pytest.mark.parametrize("horizon", [1, 8, 18])
def test_forecast_survives_being_packed_bit_by_bit(names: str, horizon: int) -> None:
    forecast, series = made(names, horizon)
    again = SeriesQuantiles.unpack(series.pack())
    assert same(series.forecast, forecast)
    assert same(again.forecast, forecast)
    assert (again.unique_ids, again.ends, again.is_cold) == (list(names), series.ends, series.is_cold)
    assert again.records.tobytes() == series.records.tobytes()


def test_record_tells_of_which_values_it_was_made() -> None:
    _, series = made("abc")
    assert series.versions.tolist() == [7, 8, 9]
    assert series.ends == [-(10**17), 1 - 10**17, 2 - 10**17]
    assert series.is_cold == [False, True, False]


def test_closed_steps_are_known_of_the_series_that_has_them() -> None:
    _, series = made("abc")
    assert series.is_open is not None
    assert series.is_open.tolist() == [[True] * 5, [True, True, False, True, True], [True] * 5]
    assert series.take([0, 2]).is_open is None


def test_series_taken_and_joined_keep_their_records() -> None:
    _, series = made("abcd")
    mixed = SeriesQuantiles.joined([series.take([3, 1]), series.take([]), series.take([0]), series.take([2])])
    assert mixed.unique_ids == ["d", "b", "a", "c"]
    assert mixed.sorted().records.tolist() == series.records.tolist()
    assert [len(part) for part in series.split(3)] == [3, 1]


def test_100_000_series_take_about_150_megabytes() -> None:
    _, series = made("abcdefghijklmnop", horizon=18)
    assert len(series.pack()) / len(series) * 100_000 == pytest.approx(151.9e6, rel=0.01)
