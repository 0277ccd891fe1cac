from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.cross_fitting import calibrate, cross_fitted, fit_blend, fit_method
from models.evaluation.held_out import HeldOut
from models.methods.baselines import BASELINES
from models.methods.forecast import Forecast
from models.metrics import coverage
from models.panel import Floats
from tests.models.samples import around, bounds, held_out_of

FITTERS = {"network": calibrate("lstm"), "blend": fit_blend("lstm")}


def noise(windows: int, horizon: int = 3) -> Floats:
    return np.random.default_rng(6).normal(size=(windows, horizon))


def forecasts(held_out: HeldOut, *, network: float = 1.0, **baselines: float) -> dict[str, Forecast]:
    """Return forecasts with these medians at every step; those of the other baselines are 50."""
    above = {"lstm": network, **{name: baselines.get(name, 50.0) for name in BASELINES}}
    return {name: around(np.full(held_out.target.shape, median)) for name, median in above.items()}


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize("fitter", FITTERS)
def test_forecast_depends_on_targets_of_the_other_fold_only(fitter: str, fold: int) -> None:
    """With other targets in one fold, its forecasts keep every bit and all of the other fold change."""
    held_out = held_out_of(noise(40))
    uncalibrated = forecasts(held_out, network=1.0, theta=-2.0)
    own = held_out.folds == fold
    changed = replace(held_out, target=np.where(own[:, None], 9 * held_out.target + 3, held_out.target))
    before, after = (
        cross_fitted(FITTERS[fitter], uncalibrated, each, (80, 95)) for each in (held_out, changed)
    )
    for first, second in zip(bounds(before), bounds(after), strict=True):
        assert first[own].tobytes() == second[own].tobytes()
    assert (before.hi[80][~own] != after.hi[80][~own]).all()


def test_weight_of_the_network_is_midway_between_the_best_and_a_half() -> None:
    """The network is 1 too high everywhere, and Theta 1.5 too low: 0.6 of it would be best."""
    held_out = held_out_of(np.zeros((30, 2)))
    weights = fit_method(fit_blend("lstm"), forecasts(held_out, theta=-1.5), held_out).weights
    assert weights == pytest.approx({"lstm": 0.55, "theta": 0.45})


def test_useless_partner_has_a_weight_of_a_quarter() -> None:
    held_out = held_out_of(np.zeros((30, 2)))
    weights = fit_method(fit_blend("lstm"), forecasts(held_out), held_out).weights
    assert weights == pytest.approx({"lstm": 0.75, "theta": 0.25})


def test_theta_is_the_partner_even_where_another_is_better() -> None:
    held_out = held_out_of(np.zeros((30, 2)))
    uncalibrated = forecasts(held_out, ets=-1.0, drift=-1.0)
    assert set(fit_method(fit_blend("lstm"), uncalibrated, held_out).weights) == {"lstm", "theta"}


def test_weights_are_fitted_by_units_and_not_by_windows() -> None:
    """Theta helps in the many windows of one series, and harms in the one window of each of seven."""
    series = np.append(np.zeros(20, np.int64), np.arange(1, 8))
    many = (series == 0)[:, None]
    held_out = held_out_of(np.zeros((27, 1)), series=series)
    uncalibrated = forecasts(held_out) | {"theta": around(np.where(many, -1.0, 30.0))}
    assert fit_method(fit_blend("lstm"), uncalibrated, held_out).weights["lstm"] == 0.75


def test_each_fold_is_blended_with_the_weight_of_the_other() -> None:
    """Theta helps in one fold, whose weight comes from the other, where it harms."""
    held_out = held_out_of(np.zeros((40, 1)))
    fold = held_out.folds[:, None]
    uncalibrated = forecasts(held_out) | {"theta": around(np.where(fold, -1.0, 30.0))}
    forecast = cross_fitted(fit_blend("lstm"), uncalibrated, held_out, (80,))
    np.testing.assert_allclose(forecast.median, np.where(fold, 0.75 - 0.25, 0.5 + 15))


def test_empty_fold_gives_equal_weights_and_uncalibrated_bounds() -> None:
    """Two series at one cut are one unit: no other window is left to fit on."""
    held_out = held_out_of(noise(2))
    uncalibrated = forecasts(held_out, network=1.0, theta=5.0)
    forecast = cross_fitted(fit_blend("lstm"), uncalibrated, held_out, (80, 95))
    untouched = around(np.full((2, 3), 3.0))
    np.testing.assert_allclose(forecast.median, untouched.median)
    for level in (80, 95):
        np.testing.assert_allclose(forecast.lo[level], untouched.lo[level])
        np.testing.assert_allclose(forecast.hi[level], untouched.hi[level])


def test_kept_method_is_fitted_on_every_window() -> None:
    held_out = held_out_of(np.zeros((2, 3)))
    method = fit_method(fit_blend("lstm"), forecasts(held_out, network=1.0, theta=-0.25), held_out)
    assert method.weights == pytest.approx({"lstm": (0.2 + 0.5) / 2, "theta": 1 - (0.2 + 0.5) / 2})
    assert method.calibration.windows == 2


def test_forecasts_keep_the_floor_of_their_series() -> None:
    """The context of the first window has no negative value."""
    held_out = held_out_of(noise(30))
    contexts = replace(held_out.contexts, values=np.append(0.0, held_out.contexts.values[1:]))
    forecast = cross_fitted(
        calibrate("lstm"), forecasts(held_out), replace(held_out, contexts=contexts), (95,)
    )
    assert (forecast.lo[95][0] == 0).all()
    assert (forecast.lo[95][1:] < 0).all()


@pytest.mark.parametrize("width", [0.5, 2.0], ids="width times {}".format)
@pytest.mark.parametrize("fitter", FITTERS)
def test_cross_fitted_intervals_cover_their_share(fitter: str, width: float) -> None:
    held_out = held_out_of(noise(2000))
    uncalibrated = forecasts(held_out, network=0.2, theta=-0.2) | {
        "lstm": around(np.full((2000, 3), 0.2), width)
    }
    forecast = cross_fitted(FITTERS[fitter], uncalibrated, held_out, (50, 80, 95))
    for level in (50, 80, 95):
        covered = coverage(held_out.target, forecast.lo[level], forecast.hi[level])
        assert covered == pytest.approx(level / 100, abs=0.02)
