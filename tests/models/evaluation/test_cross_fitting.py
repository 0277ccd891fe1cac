from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.cross_fitting import alone, blend, cross_fitted, learned
from models.evaluation.held_out import HeldOut
from models.methods.baselines import BASELINES
from models.methods.forecast import Forecast
from models.metrics import coverage
from models.panel import Floats
from tests.models.samples import around, bounds, held_out_of

LEARNERS = {"alone": alone("lstm"), "blend": blend("lstm")}


def noise(windows: int, horizon: int = 3) -> Floats:
    return np.random.default_rng(6).normal(size=(windows, horizon))


def answers(held_out: HeldOut, *, network: float = 1.0, **simple: float) -> dict[str, Forecast]:
    """Medians this much above zero at every step; of the simple methods 50 where nothing is said."""
    above = {"lstm": network, **{name: simple.get(name, 50.0) for name in BASELINES}}
    return {name: around(np.full(held_out.target.shape, median)) for name, median in above.items()}


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("learner", LEARNERS)
def test_own_target_does_not_change_the_answer_and_the_other_half_does(learner: str, half: int) -> None:
    """Other targets in one half: its answers keep every bit, those of the other half are none the same."""
    held_out = held_out_of(noise(40))
    raw = answers(held_out, network=1.0, theta=-2.0)
    mine = held_out.halves == half
    changed = replace(held_out, target=np.where(mine[:, None], 9 * held_out.target + 3, held_out.target))
    before, after = (cross_fitted(LEARNERS[learner], raw, each, (80, 95)) for each in (held_out, changed))
    for first, second in zip(bounds(before), bounds(after), strict=True):
        assert first[mine].tobytes() == second[mine].tobytes()
    assert (before.hi[80][~mine] != after.hi[80][~mine]).all()


def test_network_weighs_midway_between_what_is_best_and_a_half() -> None:
    """The network is 1 too high everywhere, and Theta 1.5 too low: 0.6 of it would be best."""
    held_out = held_out_of(np.zeros((30, 2)))
    weights = learned(blend("lstm"), answers(held_out, theta=-1.5), held_out).weights
    assert weights == pytest.approx({"lstm": 0.55, "theta": 0.45})


def test_partner_that_is_no_help_weighs_a_quarter() -> None:
    held_out = held_out_of(np.zeros((30, 2)))
    weights = learned(blend("lstm"), answers(held_out), held_out).weights
    assert weights == pytest.approx({"lstm": 0.75, "theta": 0.25})


def test_theta_is_the_partner_even_where_another_would_help_more() -> None:
    held_out = held_out_of(np.zeros((30, 2)))
    raw = answers(held_out, ets=-1.0, drift=-1.0)
    assert set(learned(blend("lstm"), raw, held_out).weights) == {"lstm", "theta"}


def test_weights_are_learned_by_units_and_not_by_windows() -> None:
    """Theta helps in the many windows of one series, and harms in the one window of each of seven."""
    series = np.append(np.zeros(20, np.int64), np.arange(1, 8))
    many = (series == 0)[:, None]
    held_out = held_out_of(np.zeros((27, 1)), series=series)
    raw = answers(held_out) | {"theta": around(np.where(many, -1.0, 30.0))}
    assert learned(blend("lstm"), raw, held_out).weights["lstm"] == 0.75


def test_each_half_is_blended_as_the_other_asks() -> None:
    """Theta helps in one half, which does not believe it, and harms in the other, which does."""
    held_out = held_out_of(np.zeros((40, 1)))
    half = held_out.halves[:, None]
    raw = answers(held_out) | {"theta": around(np.where(half, -1.0, 30.0))}
    answer = cross_fitted(blend("lstm"), raw, held_out, (80,))
    np.testing.assert_allclose(answer.median, np.where(half, 0.75 - 0.25, 0.5 + 15))


def test_empty_half_leaves_half_and_half_with_bounds_as_they_were() -> None:
    """Two series at one cut are one unit: there is nothing to learn from but themselves."""
    held_out = held_out_of(noise(2))
    raw = answers(held_out, network=1.0, theta=5.0)
    answer = cross_fitted(blend("lstm"), raw, held_out, (80, 95))
    untouched = around(np.full((2, 3), 3.0))
    np.testing.assert_allclose(answer.median, untouched.median)
    for level in (80, 95):
        np.testing.assert_allclose(answer.lo[level], untouched.lo[level])
        np.testing.assert_allclose(answer.hi[level], untouched.hi[level])


def test_method_that_is_kept_learns_from_every_window() -> None:
    held_out = held_out_of(np.zeros((2, 3)))
    method = learned(blend("lstm"), answers(held_out, network=1.0, theta=-0.25), held_out)
    assert method.weights == pytest.approx({"lstm": (0.2 + 0.5) / 2, "theta": 1 - (0.2 + 0.5) / 2})
    assert method.calibration.windows == 2


def test_answers_keep_the_floor_of_their_series() -> None:
    """The first window's history never was below zero."""
    held_out = held_out_of(noise(30))
    known = replace(held_out.known, values=np.append(0.0, held_out.known.values[1:]))
    answer = cross_fitted(alone("lstm"), answers(held_out), replace(held_out, known=known), (95,))
    assert (answer.lo[95][0] == 0).all()
    assert (answer.lo[95][1:] < 0).all()


@pytest.mark.parametrize("width", [0.5, 2.0], ids="width times {}".format)
@pytest.mark.parametrize("learner", LEARNERS)
def test_cross_fitted_intervals_hold_their_share(learner: str, width: float) -> None:
    held_out = held_out_of(noise(2000))
    raw = answers(held_out, network=0.2, theta=-0.2) | {"lstm": around(np.full((2000, 3), 0.2), width)}
    answer = cross_fitted(LEARNERS[learner], raw, held_out, (50, 80, 95))
    for level in (50, 80, 95):
        held = coverage(held_out.target, answer.lo[level], answer.hi[level])
        assert held == pytest.approx(level / 100, abs=0.02)
