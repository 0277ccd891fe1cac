"""Forecasts of demand that may be over: no more of it with every step ahead."""

import numpy as np
import pytest

from models.choices import Seasons
from models.methods.combination import QuantileForecast, compute_quantile_forecast
from models.methods.zero_shot import uncalibrated_method, zero_shot_forecaster
from models.panel import Floats, Panel

HORIZON = 14


def forecast(*series: Floats) -> QuantileForecast:
    network = zero_shot_forecaster(HORIZON, Seasons((7,)))
    return compute_quantile_forecast(uncalibrated_method(HORIZON), network, Panel.of(list(series)))


def sold(zeros: int, seed: int = 0) -> Floats:
    return np.append(np.random.default_rng(seed).poisson(10.0, 100).astype(np.float64), np.zeros(zeros))


@pytest.mark.parametrize("zeros", [4, 7, 14, 30])
def test_forecast_does_not_rise_where_demand_has_ended(zeros: int) -> None:
    """After 14 zeros the mean rose from 1.3 to 2.5 within two weeks, and the 80 % bound from 4 to 8."""
    found = forecast(sold(zeros))
    bounds = found.forecast(HORIZON, (80, 95))
    for values in (found.mean, bounds.median, bounds.hi[80], bounds.hi[95]):
        first, second = values[0, :7].mean(), values[0, 7:].mean()
        assert second == pytest.approx(first)
    assert found.mean[0].mean() == pytest.approx(10 * 0.9**zeros, rel=0.1)


def test_interval_holds_both_the_end_and_a_return_while_either_may_be() -> None:
    bounds = forecast(sold(10)).forecast(HORIZON, (80,))
    assert bounds.lo[80].max() == 0
    assert bounds.hi[80].min() > 8


def test_demand_that_goes_on_keeps_its_bounds_in_any_company() -> None:
    alone = forecast(sold(0)).forecast(HORIZON, (80,))
    beside = forecast(sold(14, seed=1), sold(0)).forecast(HORIZON, (80,))
    assert beside.median[1].tolist() == alone.median[0].tolist()
    assert beside.hi[80][1].tolist() == alone.hi[80][0].tolist()
