"""The mean beside the median: right in sum, also where most values are 0."""

from collections.abc import Callable

import numpy as np
import pytest

from models.choices import Seasons
from models.methods.calibration import Calibration
from models.methods.combination import Method, QuantileForecast, compute_quantile_forecast
from models.methods.mean import means
from models.methods.zero_shot import uncalibrated_method, zero_shot_forecaster
from models.panel import Floats, Panel
from tests.models.samples import around

SERIES, KNOWN, HORIZON = 200, 150, 28
Draw = Callable[[np.random.Generator, int], Floats]


def poisson(rate: float) -> Draw:
    return lambda rng, count: rng.poisson(rate, count).astype(np.float64)


def negative_binomial(mean: float, size: float) -> Draw:
    return lambda rng, count: rng.negative_binomial(size, size / (size + mean), count).astype(np.float64)


def zero_inflated(share: float) -> Draw:
    return lambda rng, count: (rng.random(count) < share) * rng.lognormal(2, 0.8, count)


def forecast(panel: Panel, method: Method | None = None) -> QuantileForecast:
    network = zero_shot_forecaster(HORIZON, Seasons((7,)))
    return compute_quantile_forecast(method or uncalibrated_method(HORIZON), network, panel)


@pytest.mark.parametrize(
    "draw",
    [
        *(pytest.param(poisson(rate), id=f"Poisson {rate}") for rate in (0.1, 0.3, 1.0)),
        pytest.param(negative_binomial(1.0, 0.5), id="negative binomial"),
        pytest.param(negative_binomial(4.0, 1.0), id="negative binomial with few zeros"),
        pytest.param(zero_inflated(0.3), id="zero-inflated lognormal"),
        pytest.param(zero_inflated(0.8), id="zero-inflated lognormal with few zeros"),
    ],
)
def test_sum_of_means_is_what_comes_where_medians_are_far_below(draw: Draw) -> None:
    rng = np.random.default_rng(11)
    drawn = [draw(rng, KNOWN + 4000) for _ in range(SERIES)]
    comes = sum(values[KNOWN:].mean() for values in drawn) * HORIZON
    found = forecast(Panel.of([values[:KNOWN] for values in drawn]))
    assert found.mean.sum() == pytest.approx(comes, rel=0.05)
    assert found.bounds.median.sum() < 0.9 * comes


def autoregressive(spread: float) -> Draw:
    def draw(rng: np.random.Generator, count: int) -> Floats:
        logs = rng.normal(0, spread, count)
        for step in range(1, count):
            logs[step] = 0.7 * logs[step - 1] + 0.51**0.5 * logs[step]
        return np.exp(logs)

    return draw


@pytest.mark.parametrize("known", [24, 60, 400])
@pytest.mark.parametrize(
    "draw",
    [
        *(pytest.param(lambda rng, n, s=s: rng.lognormal(0, s, n), id=f"lognormal {s}") for s in (0.5, 1.0)),
        *(pytest.param(lambda rng, n, k=k: rng.gamma(k, 1, n), id=f"gamma {k}") for k in (0.5, 1.0, 2.0)),
        *(pytest.param(autoregressive(s), id=f"autoregression of logarithms {s}") for s in (0.5, 1.0)),
    ],
)
def test_sum_of_means_of_skewed_values_is_what_comes(draw: Draw, known: int) -> None:
    """They were 10 to 110 % too high: bounds of logarithms are wide, and exponentials of them wider."""
    rng = np.random.default_rng(13)
    series = [draw(rng, known) for _ in range(4 * SERIES)]
    comes = np.mean([draw(rng, 400).mean() for _ in range(4 * SERIES)])
    assert forecast(Panel.of(series)).mean.mean() == pytest.approx(comes, rel=0.06)


def test_mean_of_a_skewed_forecast_lies_above_its_median() -> None:
    around_ten = around([[10.0]], 2.0)
    upper = {level: 10 + 2 * (bound - 10) for level, bound in around_ten.hi.items()}
    skewed = Calibration.identity(1).apply(type(around_ten)(around_ten.median, around_ten.lo, upper))
    even = Calibration.identity(1).apply(around_ten)
    lowest = np.zeros((1, 1))
    assert means(even, lowest, {}).tolist() == [[pytest.approx(10.0)]]
    above = 0.3 * (upper[80] - around_ten.hi[80])
    assert means(skewed, lowest, {})[0, 0] == pytest.approx(10.0 + above[0, 0])


def test_mean_is_no_lower_than_the_floor() -> None:
    wide = Calibration.identity(1).apply(around([[-3.0]], 2.0))
    assert means(wide, np.zeros((1, 1)), {}).tolist() == [[0.0]]


def test_means_of_series_do_not_depend_on_their_company() -> None:
    rng = np.random.default_rng(2)
    series = [rng.poisson(rate, 60 + 10 * i).astype(float) for i, rate in enumerate((0.2, 1.0, 5.0, 40.0))]
    method = Method({"theta": 1.0}, Calibration.identity(HORIZON))
    together = forecast(Panel.of(series), method)
    for number, values in enumerate(series):
        alone = forecast(Panel.of([values]), method)
        assert alone.mean.tolist() == together.mean[number : number + 1].tolist()
