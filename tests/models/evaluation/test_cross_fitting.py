import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from models.evaluation.cross_fitting import (
    CUTS_HALFWAY,
    WINDOWS_HALFWAY,
    alone,
    cross_fitted,
    fit_blend,
    fit_method,
    reported_share,
    strength_of,
)
from models.evaluation.held_out import HeldOut
from models.methods.baselines import BASELINES
from models.methods.forecast import Forecast
from models.methods.reach import CONSTANT, Reach
from models.methods.support import Support
from models.metrics import coverage
from models.panel import Floats, Panel
from tests.models.samples import around, bounds, held_out_of

FITTERS = {"network": alone("lstm"), "blend": fit_blend("lstm")}


def noise(windows: int, horizon: int = 3) -> Floats:
    return np.random.default_rng(6).normal(size=(windows, horizon))


def forecasts(held_out: HeldOut, *, network: float = 1.0, **baselines: float) -> dict[str, Forecast]:
    """Return forecasts with these medians at every step; those of the other baselines are 50."""
    above = {"lstm": network, **{name: baselines.get(name, 50.0) for name in BASELINES}}
    return {name: around(np.full(held_out.target.shape, median)) for name, median in above.items()}


def free(held_out: HeldOut) -> Reach:
    """Return the reach of histories that let bounds go anywhere."""
    windows = len(held_out)
    return Reach(np.zeros(windows), np.full(windows, np.inf), np.ones(windows, dtype=np.int64), 1)


def two_cuts(target: Floats) -> HeldOut:
    """Return two windows of each series, one at each of two cuts."""
    windows = len(target)
    return held_out_of(target, series=np.arange(windows) // 2, cut=np.arange(windows) % 2)


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize("fitter", FITTERS)
def test_forecast_depends_on_targets_of_the_other_fold_only(fitter: str, fold: int) -> None:
    """With other targets in one fold, its forecasts keep every bit and all of the other fold change."""
    held_out = held_out_of(noise(40))
    uncalibrated = forecasts(held_out, network=1.0, theta=-2.0)
    own = held_out.folds == fold
    changed = replace(held_out, target=np.where(own[:, None], 9 * held_out.target + 3, held_out.target))
    before, after = (
        cross_fitted(FITTERS[fitter], uncalibrated, each, (80, 95), free(held_out))
        for each in (held_out, changed)
    )
    for first, second in zip(bounds(before), bounds(after), strict=True):
        assert first[own].tobytes() == second[own].tobytes()
    assert (before.hi[80][~own] != after.hi[80][~own]).all()


def test_weight_of_the_network_is_midway_between_the_best_and_a_half() -> None:
    """The network is 1 too high everywhere, and Theta 1.5 too low: 0.6 of it would be best."""
    held_out = held_out_of(np.zeros((30, 2)))
    weights = fit_method(fit_blend("lstm"), forecasts(held_out, theta=-1.5), held_out, free(held_out)).weights
    assert weights == pytest.approx({"lstm": 0.55, "theta": 0.45})


def test_useless_partner_has_a_weight_of_a_quarter() -> None:
    held_out = held_out_of(np.zeros((30, 2)))
    weights = fit_method(fit_blend("lstm"), forecasts(held_out), held_out, free(held_out)).weights
    assert weights == pytest.approx({"lstm": 0.75, "theta": 0.25})


def test_theta_is_the_partner_even_where_another_is_better() -> None:
    held_out = held_out_of(np.zeros((30, 2)))
    uncalibrated = forecasts(held_out, ets=-1.0, drift=-1.0)
    assert set(fit_method(fit_blend("lstm"), uncalibrated, held_out, free(held_out)).weights) == {
        "lstm",
        "theta",
    }


def test_weights_are_fitted_by_units_and_not_by_windows() -> None:
    """Theta helps in the many windows of one series, and harms in the one window of each of seven."""
    series = np.append(np.zeros(20, np.int64), np.arange(1, 8))
    many = (series == 0)[:, None]
    held_out = held_out_of(np.zeros((27, 1)), series=series)
    uncalibrated = forecasts(held_out) | {"theta": around(np.where(many, -1.0, 30.0))}
    assert fit_method(fit_blend("lstm"), uncalibrated, held_out, free(held_out)).weights["lstm"] == 0.75


def test_each_fold_is_blended_with_the_weight_of_the_other() -> None:
    """Theta helps in one fold, whose weight comes from the other, where it harms."""
    held_out = held_out_of(np.zeros((40, 1)))
    fold = held_out.folds[:, None]
    uncalibrated = forecasts(held_out) | {"theta": around(np.where(fold, -1.0, 30.0))}
    forecast = cross_fitted(fit_blend("lstm"), uncalibrated, held_out, (80,), free(held_out))
    np.testing.assert_allclose(forecast.median, np.where(fold, 0.75 - 0.25, 0.5 + 15))


def test_empty_fold_gives_equal_weights_and_uncalibrated_bounds() -> None:
    """Two series at one cut are one unit: no other window is left to fit on."""
    held_out = held_out_of(noise(2))
    uncalibrated = forecasts(held_out, network=1.0, theta=5.0)
    forecast = cross_fitted(fit_blend("lstm"), uncalibrated, held_out, (80, 95), free(held_out))
    untouched = around(np.full((2, 3), 3.0))
    np.testing.assert_allclose(forecast.median, untouched.median)
    for level in (80, 95):
        np.testing.assert_allclose(forecast.lo[level], untouched.lo[level])
        np.testing.assert_allclose(forecast.hi[level], untouched.hi[level])


def test_kept_method_is_fitted_on_every_window() -> None:
    held_out = held_out_of(np.zeros((2, 3)))
    method = fit_method(
        fit_blend("lstm"), forecasts(held_out, network=1.0, theta=-0.25), held_out, free(held_out)
    )
    assert method.weights == pytest.approx({"lstm": (0.2 + 0.5) / 2, "theta": 1 - (0.2 + 0.5) / 2})
    assert method.calibration.windows == 2


def test_forecasts_keep_the_floor_of_their_series() -> None:
    """The context of the first window has no negative value."""
    held_out = held_out_of(noise(30))
    values = held_out.contexts.values.copy()
    values[: held_out.contexts.lengths[0]] = 0.0
    contexts = replace(held_out.contexts, values=values)
    forecast = cross_fitted(
        alone("lstm"), forecasts(held_out), replace(held_out, contexts=contexts), (95,), free(held_out)
    )
    assert (forecast.lo[95][0] == 0).all()
    assert (forecast.lo[95][1:] < 0).all()


@pytest.mark.parametrize("width", [0.5, 2.0], ids="width times {}".format)
@pytest.mark.parametrize("fitter", FITTERS)
def test_cross_fitted_intervals_come_closer_to_their_share(fitter: str, width: float) -> None:
    """Two cuts go half of the way: bounds twice too wide or too narrow are left 1.4 times so."""
    held_out = two_cuts(noise(2000))
    uncalibrated = forecasts(held_out, network=0.2, theta=-0.2) | {
        "lstm": around(np.full((2000, 3), 0.2), width)
    }
    forecast = cross_fitted(FITTERS[fitter], uncalibrated, held_out, (50, 80, 95), free(held_out))
    for level in (50, 80, 95):
        covered = coverage(held_out.target, forecast.lo[level], forecast.hi[level])
        probit = NormalDist().inv_cdf(0.5 + level / 200) * math.sqrt(width)
        share = math.erf(probit / math.sqrt(2))
        assert covered == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("width", [0.5, 2.0], ids="width times {}".format)
def test_bounds_of_a_baseline_cover_their_share(width: float) -> None:
    """They are a guess that calibration starts from: its factors go all of their way."""
    held_out = two_cuts(noise(2000))
    uncalibrated = {"naive": around(np.zeros((2000, 3)), width)}
    forecast = cross_fitted(alone("naive"), uncalibrated, held_out, (50, 80, 95), free(held_out))
    for level in (50, 80, 95):
        covered = coverage(held_out.target, forecast.lo[level], forecast.hi[level])
        assert covered == pytest.approx(level / 100, abs=0.02)


def test_bounds_at_a_cut_are_calibrated_on_the_other_cuts() -> None:
    """With other targets at the last cut its bounds keep every bit, and those at the first change."""
    held_out = two_cuts(noise(200))
    last = held_out.cut == 0
    changed = replace(held_out, target=np.where(last[:, None], 9 * held_out.target, held_out.target))
    before, after = (
        cross_fitted(alone("lstm"), forecasts(held_out), each, (80,), free(held_out))
        for each in (held_out, changed)
    )
    assert before.hi[80][last].tobytes() == after.hi[80][last].tobytes()
    assert (before.hi[80][~last] < after.hi[80][~last]).all()


def test_bounds_are_calibrated_on_no_window_that_shares_a_step() -> None:
    """Of six cuts a step apart, of three steps each, only the fourth is clear of the last."""
    target = noise(600)
    cut = np.arange(600) % 6
    held_out = replace(held_out_of(target, series=np.arange(600) // 6, cut=cut), step_size=1)

    def upper_at_the_last(wild: int) -> bytes:
        wilder = np.where((cut == wild)[:, None], 9 * target, target)
        found = cross_fitted(
            alone("lstm"), forecasts(held_out), replace(held_out, target=wilder), (80,), free(held_out)
        )
        return bytes(found.hi[80][cut == 0])

    plain = upper_at_the_last(-1)
    assert [at for at in range(6) if upper_at_the_last(at) != plain] == [3]


def test_period_unlike_the_others_lowers_the_share_held() -> None:
    """At the last cut values spread three times as far. Folds of series would know that, cuts do not."""
    held_out = two_cuts(noise(400))
    held_out = replace(held_out, target=np.where(held_out.cut[:, None] == 0, 3.0, 1.0) * held_out.target)
    forecast = cross_fitted(alone("lstm"), forecasts(held_out, network=0.0), held_out, (80,), free(held_out))
    last = held_out.cut == 0
    assert coverage(held_out.target[last], forecast.lo[80][last], forecast.hi[80][last]) < 0.4
    assert coverage(held_out.target[~last], forecast.lo[80][~last], forecast.hi[80][~last]) > 0.9


def test_bounds_stay_in_reach_of_the_history() -> None:
    """A history that never changed from -1 says that nothing goes far from there."""
    held_out = two_cuts(noise(40) - 1)
    reach = Reach.of(Panel.of([[-1.0, -1.0]] * 40), 1)
    forecast = cross_fitted(alone("lstm"), forecasts(held_out, network=-1.0), held_out, (95,), reach)
    assert (np.abs(forecast.hi[95] + 1) <= 10 * CONSTANT).all()


@pytest.mark.parametrize(
    ("windows", "share"),
    [([10**6], 1 / 3), ([10**6] * 2, 1 / 2), ([10**6] * 4, 2 / 3), ([10**6, 1, 1], 1 / 3)],
)
def test_strength_grows_with_the_cuts_that_have_windows(windows: list[int], share: float) -> None:
    """One cut is one period, however many series it has; a cut of few windows adds little."""
    cut = np.repeat(np.arange(len(windows)), windows)
    assert CUTS_HALFWAY == 2
    assert strength_of(cut) == pytest.approx(share, rel=1e-3)


def test_strength_grows_with_the_windows() -> None:
    """As many windows as go halfway, in two cuts, go half of the half that two cuts go."""
    assert strength_of(np.arange(int(WINDOWS_HALFWAY)) % 2) == pytest.approx(0.25)
    assert strength_of(np.array([], dtype=np.int64)) == 0


@pytest.mark.parametrize(("windows", "share"), [(2, 0.5), (8, 0.8), (100, 0.98)])
def test_coverage_of_a_series_alone_is_reported_as_far_as_its_windows_say(windows: int, share: float) -> None:
    any_value = Support.free(windows)
    assert reported_share(np.arange(windows), any_value) == pytest.approx(share, abs=0.01)


def test_coverage_of_counts_is_reported_as_it_was_held() -> None:
    """Three of four windows are of counts, whose intervals hold more than their level by design."""
    some = replace(Support.free(4), is_count=np.array([[True], [True], [True], [False]]))
    assert reported_share(np.arange(4), some) == pytest.approx(0.75 + 0.25 * 4 / 6)
