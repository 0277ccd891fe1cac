import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.config import HISTORY_LIMIT
from models.errors import HorizonTooLong, InvalidLevel, UnusableHistory
from models.methods.baselines import BASELINES
from models.methods.calibration import CALIBRATED_LEVELS, Calibration
from models.methods.combination import (
    Method,
    forecast_by,
    uncalibrated_forecast,
    weighted_mean,
)
from models.methods.ensemble import ensemble_forecast
from models.methods.forecast import floors
from models.methods.reach import Reach
from models.network.forecaster import Forecaster
from models.panel import Floats, Panel
from models.training.fit import fit
from tests.models.samples import around, bounds, tiny_config, wave, waves

MOST = np.finfo(np.float64).max
T = np.arange(40)
ABSURD: dict[str, Floats] = {
    "both ends of float64": np.where(T % 2 == 0, MOST, -MOST),
    "its end at last": np.where(T == 39, MOST, -1.0),
    "a walk to its end": np.linspace(-MOST / 2, MOST / 2, 40),
    "its smallest": np.full(40, 5e-324),
    "one value": np.array([MOST]),
}


@pytest.fixture(scope="module")
def model() -> Forecaster:
    return fit(waves(), tiny_config())


def method(*, factor: float = 1.0, **weights: float) -> Method:
    """One that stretches its bounds by `factor`, and once more by 1 to 4 at the steps."""
    factors = factor * np.arange(1.0, 5)[:, None] * np.ones(len(CALIBRATED_LEVELS))
    return Method(weights, Calibration(factors, windows=99))


def test_network_alone_answers_with_stretched_bounds(model: Forecaster) -> None:
    """Of positive series, so that no bound is cut off. Levels that nearly meet are kept apart."""
    raw = ensemble_forecast(model, waves())
    forecast = forecast_by(method(lstm=1.0, factor=0.1), model, waves())
    assert forecast.median.tolist() == raw.median.tolist()
    for level in (80, 95):
        width = (raw.hi[level] - raw.median) * 0.1 * np.arange(1, 5)
        np.testing.assert_allclose(forecast.hi[level] - forecast.median, width, rtol=0.06)


def test_model_stored_before_counts_were_whole_serves_the_bounds_that_it_was_measured_with(
    model: Forecaster,
) -> None:
    sold = Panel.of([np.random.default_rng(5).poisson(0.5, 60).astype(float)])
    now = method(lstm=1.0)
    before = Method(now.weights, replace(now.calibration, whole=False))
    whole, former = (forecast_by(each, model, sold, levels=(80,)) for each in (now, before))
    assert (whole.hi[80] == np.rint(whole.hi[80])).all()
    assert (former.hi[80] != np.rint(former.hi[80])).all()
    assert (former.lo[80] > 0).any()


def test_blend_is_the_weighted_mean_with_the_bounds_of_the_network(model: Forecaster) -> None:
    raw, theta = ensemble_forecast(model, waves()), BASELINES["theta"](waves(), 4, 4)
    forecast = forecast_by(method(lstm=0.3, theta=0.7, factor=0.1), model, waves())
    np.testing.assert_allclose(forecast.median, 0.3 * raw.median + 0.7 * theta)
    width = (raw.median - raw.lo[95]) * 0.1 * np.arange(1, 5)
    np.testing.assert_allclose(forecast.median - forecast.lo[95], width, rtol=0.06)


def test_bounds_of_a_blend_are_the_networks_in_any_order_of_the_parts() -> None:
    parts = {"theta": around([[8.0]], 9.0), "lstm": around([[4.0]], 1.0)}
    blend = weighted_mean(parts, {"theta": 0.75, "lstm": 0.25})
    for ours, expected in zip(bounds(blend), bounds(around([[7.0]], 1.0)), strict=True):
        np.testing.assert_allclose(ours, expected)


@pytest.mark.parametrize("name", BASELINES)
def test_baseline_alone_needs_no_network(model: Forecaster, name: str) -> None:
    forecast = forecast_by(method(**{name: 1.0}), model, waves())
    floored = np.maximum(BASELINES[name](waves(), 4, 4), floors(waves())[:, None])
    assert forecast.median.tolist() == floored.tolist()
    above = forecast.hi[95] > 0  # a line that falls far below zero has its bounds at zero as well
    assert (forecast.hi[95] > forecast.hi[80])[above].all()


@pytest.mark.parametrize("weights", [{"lstm": 1.0}, {"lstm": 0.5, "drift": 0.5}, {"theta": 1.0}], ids=str)
def test_shorter_horizon_is_the_start_of_the_longer(model: Forecaster, weights: dict[str, float]) -> None:
    chosen = method(**weights)
    short, whole = forecast_by(chosen, model, waves(), horizon=2), forecast_by(chosen, model, waves())
    assert [part.tolist() for part in bounds(short)] == [part[:, :2].tolist() for part in bounds(whole)]


@pytest.mark.parametrize("weights", [{"lstm": 1.0}, {"lstm": 0.1, "drift": 0.9}, {"drift": 1.0}], ids=str)
def test_nothing_is_below_zero_where_the_history_never_was(
    model: Forecaster, weights: dict[str, float]
) -> None:
    """The second history is the first with one value below zero, and falls as steeply."""
    never, once = np.linspace(100.0, 0.0, 30), np.append(-1.0, np.linspace(100.0, -1.0, 29))
    forecast = forecast_by(method(**weights, factor=9.0), model, Panel.of([never, once]))
    assert all((part[0] >= 0).all() for part in bounds(forecast))
    assert (forecast.lo[95][1] < 0).all()


@pytest.mark.parametrize("name", ABSURD)
@pytest.mark.parametrize("partner", ["theta", "drift"])
def test_absurd_values_get_finite_ordered_answers(model: Forecaster, name: str, partner: str) -> None:
    for weights in ({"lstm": 0.7, partner: 1 - 0.7}, {partner: 1.0}):
        forecast = forecast_by(method(**weights, factor=20.0), model, Panel.of([ABSURD[name]]))
        assert all(np.isfinite(part).all() for part in bounds(forecast))
        assert all((lower <= upper).all() for lower, upper in pairwise(bounds(forecast)))


def test_values_older_than_the_history_limit_do_not_count(model: Forecaster) -> None:
    """Nor do they let the bounds go below zero."""
    recent = wave(HISTORY_LIMIT, level=0.01, growth=0.002)
    chosen = method(lstm=0.5, drift=0.5, factor=20.0)
    whole, tail = (
        forecast_by(chosen, model, Panel.of([values]))
        for values in (np.append(np.full(8, -1e6), recent), recent)
    )
    assert [part.tolist() for part in bounds(whole)] == [part.tolist() for part in bounds(tail)]
    assert (whole.lo[95][0, -1], whole.median[0, -1] > 0) == (0.0, True)


def test_forecast_of_a_series_alone_has_the_bits_of_the_one_beside_others(model: Forecaster) -> None:
    panel, chosen = waves(), method(lstm=0.5, drift=0.5)
    whole = forecast_by(chosen, model, panel, levels=(60, 95))
    for number in range(panel.series):
        one = panel.heads(np.array([number]), panel.lengths[[number]])
        alone = forecast_by(chosen, model, one, levels=(60, 95))
        assert [part[0].tolist() for part in bounds(alone)] == [
            part[number].tolist() for part in bounds(whole)
        ]


def test_uncalibrated_forecast_has_the_bounds_that_calibration_starts_from(model: Forecaster) -> None:
    for name in ("lstm", "naive"):
        assert tuple(uncalibrated_forecast(name, model, waves()).lo) == CALIBRATED_LEVELS


def test_horizon_beyond_the_trained_is_refused(model: Forecaster) -> None:
    with pytest.raises(HorizonTooLong, match="4 steps"):
        forecast_by(method(naive=1.0), model, waves(), horizon=5)


def test_level_that_is_no_percentage_is_refused(model: Forecaster) -> None:
    with pytest.raises(InvalidLevel, match="from 1 to 99"):
        forecast_by(method(naive=1.0), model, waves(), levels=(100,))


@pytest.mark.parametrize("name", ["lstm", "naive"])
def test_history_without_a_value_is_named(model: Forecaster, name: str) -> None:
    with pytest.raises(UnusableHistory, match="Series 1 has no value"):
        forecast_by(method(**{name: 1.0}), model, Panel.of([wave(9), np.full(9, np.nan)]))


def test_method_survives_json_to_the_bit(model: Forecaster) -> None:
    first = method(lstm=0.7, theta=1 - 0.7, factor=1 / 3)
    again = Method.from_dict(json.loads(json.dumps(first.to_dict())))
    forecasts = [forecast_by(each, model, waves(), levels=(66, 99)) for each in (first, again)]
    assert [part.tobytes() for part in bounds(forecasts[0])] == [p.tobytes() for p in bounds(forecasts[1])]
    assert again.calibration.windows == 99


@pytest.mark.parametrize("weights", [{"lstm": 1.0}, {"lstm": 0.5, "drift": 0.5}, {"theta": 1.0}], ids=str)
def test_absurd_factors_leave_every_bound_in_reach_and_apart(
    model: Forecaster, weights: dict[str, float]
) -> None:
    """Ten ranges of the history from its last value; the medians here stay well within one."""
    panel = waves()
    forecast = forecast_by(method(**weights, factor=20.0), model, panel, levels=(50, 80, 90, 95, 99))
    last, reach = panel.values[panel.offsets[1:] - 1][:, None], 10 * np.ptp(panel.last(40), axis=1)[:, None]
    assert all((np.abs(bound - last) <= reach).all() for bound in bounds(forecast))
    upper = np.stack([forecast.hi[level] for level in forecast.hi])
    assert (np.diff(upper, axis=0) > 0).all()


def test_method_stored_before_bounds_were_kept_in_reach_serves_what_it_served(model: Forecaster) -> None:
    stored = method(lstm=1.0, factor=20.0).to_dict()
    stored["calibration"] = {"factors": (80 * np.ones((4, 4))).tolist(), "windows": 9}
    raw, forecast = ensemble_forecast(model, waves()), forecast_by(Method.from_dict(stored), model, waves())
    np.testing.assert_allclose(forecast.hi[95], raw.median + 80 * (raw.hi[95] - raw.median), rtol=1e-6)


def test_bounds_of_a_series_do_not_depend_on_its_neighbours() -> None:
    """To the last bit, where the medians do not: reach and calibration look at one series alone."""
    panel, parts = waves(), {"naive": around(np.full((12, 4), 9.0), np.arange(1.0, 13)[:, None])}
    whole = method(naive=1.0).interval_bounds(parts, Reach.of(panel, 4))
    for number in range(panel.series):
        rows = {"naive": parts["naive"].rows(np.arange(12) == number)}
        alone = method(naive=1.0).interval_bounds(rows, Reach.of(panel.some(number, 1), 4))
        assert alone.half_widths.tobytes() == whole.half_widths[:, :, number : number + 1].tobytes()
