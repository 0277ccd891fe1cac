import numpy as np
import pytest

from models.methods.reach import (
    BACK,
    CONSTANT,
    MOST_RANGES,
    RANGES,
    SETTLED_STEPS,
    Reach,
    approached,
    settled_steps,
    slowed,
    widening,
)
from models.panel import Panel
from tests.models.samples import around, bounds

MOST = np.finfo(np.float64).max


def test_bounds_reach_four_ranges_from_the_last_value() -> None:
    """The range is 6, the last value 4; after a hundred steps one step ahead is little."""
    history = np.append(np.full(99, 1.0), 4.0)
    history[50] = 7.0
    below, above = Reach.of(Panel.of([history]), 1).limits(np.array([[4.0]]))[:, 0, 0]
    assert below == above == pytest.approx(RANGES * 6 * 1.01)


def test_short_history_lets_bounds_reach_further_ahead() -> None:
    """Ten values say little about the next ten, and less about the next hundred."""
    reach = Reach.of(Panel.of([np.arange(10.0)]), 1).limits(np.full((1, 100), 9.0))[1, 0] / 9
    assert reach[9] == pytest.approx(RANGES * 2)
    assert reach[-1] == MOST_RANGES


def test_median_that_leaves_takes_of_the_reach_on_that_side_and_may_come_back() -> None:
    reach = Reach.of(Panel.of([np.arange(1000.0) % 2]), 1)
    near, far = (reach.limits(np.array([[1.0 + gone]]))[:, 0, 0] for gone in (0.0, 2.0))
    assert far[1] == pytest.approx(near[1] - 2)
    assert far[0] == pytest.approx(near[0] + BACK * 2)


def test_bounds_go_where_the_median_goes() -> None:
    """A median that is twenty ranges away has bounds around it, half as far again."""
    reach = Reach.of(Panel.of([np.arange(1000.0) % 2]), 1)
    assert reach.limits(np.array([[21.0]]))[1, 0, 0] == pytest.approx(10.0)


@pytest.mark.parametrize(("value", "limit"), [(200.0, RANGES * CONSTANT * 200), (0.0, np.inf)])
def test_constant_may_change_a_little(value: float, limit: float) -> None:
    history = Panel.of([np.full(10**6, value)])
    assert Reach.of(history, 1).limits(np.array([[value]]))[1, 0, 0] == pytest.approx(limit, rel=1e-3)


def test_gaps_do_not_count() -> None:
    gappy = Reach.of(Panel.of([[np.nan, 1.0, np.nan, 3.0, np.nan], [5.0, 5.0, 5.0, 5.0, 7.0]]), 1)
    assert (gappy.last.tolist(), gappy.span.tolist()) == ([3.0, 7.0], [2.0, 2.0])


def test_values_at_the_ends_of_float64_have_limits() -> None:
    reach = Reach.of(Panel.of([[-MOST, MOST], [MOST, 0.0]]), 1)
    limits = reach.limits(np.array([[-MOST], [MOST]]))
    assert not np.isnan(limits).any()
    assert (limits >= 0).all()


def test_half_widths_bend_at_half_of_the_limit() -> None:
    """The curve and its slope are those of the straight line there."""
    widths = np.array([4.0, 5.0, 5.0 + 1e-6, 10.0, 1e300])
    bent = approached(widths, np.full(5, 10.0))
    assert bent[:2].tolist() == [4.0, 5.0]
    assert bent[2] - 5 == pytest.approx(1e-6, rel=1e-3)
    assert bent[3:].tolist() == [7.5, 10.0]


def test_limit_of_nothing_leaves_nothing() -> None:
    assert approached(np.array([0.0, 3.0]), np.zeros(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("season_length", "steps"), [(1, SETTLED_STEPS), (4, SETTLED_STEPS), (12, 24)])
def test_two_seasons_are_settled(season_length: int, steps: int) -> None:
    assert settled_steps(season_length) == steps


def test_spread_beyond_the_settled_steps_grows_as_a_random_walk_at_most() -> None:
    """This one doubles with every step: after twelve it grows with the root of the step."""
    wild = around(np.zeros((2, 20)), 2.0 ** np.arange(20))
    slow = slowed(wild, 1)
    for before, after in zip(bounds(wild), bounds(slow), strict=True):
        assert after[:, :12].tobytes() == before[:, :12].tobytes()
        np.testing.assert_allclose(after[:, 12:], before[:, 11:12] * np.sqrt(np.arange(13, 21) / 12))


def test_spread_that_grows_slower_stays_as_it_is() -> None:
    calm = around(np.zeros((2, 20)), np.full(20, 3.0))
    for before, after in zip(bounds(calm), bounds(slowed(calm, 1)), strict=True):
        np.testing.assert_allclose(after, before)


def test_season_of_the_spread_goes_on() -> None:
    """Every fourth step is ten times as wide: it is compared with the fourth of the last settled season."""
    season = np.tile([1.0, 1.0, 1.0, 10.0], 6)
    wild = around(np.zeros((1, 24)), season)
    for before, after in zip(bounds(wild), bounds(slowed(wild, 4)), strict=True):
        np.testing.assert_allclose(after, before)


def test_trend_far_ahead_may_have_ended() -> None:
    """It rises by 1 a step, with bounds of no width: the 99 % one stays below the last settled median."""
    slow = slowed(around(np.arange(1.0, 41.0)[None], 1e-9), 1)
    assert slow.lo[99][0, :12] == pytest.approx(np.arange(1.0, 13.0))
    assert (slow.lo[99][0, 12:] < 12).all()
    assert (slow.lo[80][0, 20:] > 12).all()
    assert slow.hi[99][0] == pytest.approx(np.arange(1.0, 41.0))


def test_doubt_of_a_trend_and_spread_add_up_as_deviations() -> None:
    falling = -np.arange(1.0, 25.0)[None]
    (wide, none), alone = (
        [slowed(around(median, spread), 1).hi[80] - median for spread in (2.0, 1e-9)]
        for median in (falling, np.zeros((1, 24)))
    )
    np.testing.assert_allclose(wide[:, 12:], np.hypot(alone[0][:, 12:], none[:, 12:]))


def test_season_is_no_trend() -> None:
    season = np.tile([5.0, 9.0, 1.0, 30.0], 10)[None]
    for before, after in zip(bounds(around(season)), bounds(slowed(around(season), 4)), strict=True):
        np.testing.assert_allclose(after, before)


def test_half_widths_fall_no_more_beyond_the_settled_steps() -> None:
    widths = np.array([np.r_[np.full(12, 3.0), 5, 4, 6, 2], np.r_[np.full(12, 3.0), 1, 1, 1, 4]])
    assert widening(widths, 1)[:, 12:].tolist() == [[5, 5, 6, 6], [3, 3, 3, 4]]
    assert widening(widths, 1)[:, :12].tolist() == widths[:, :12].tolist()


def test_half_widths_may_fall_within_a_season() -> None:
    """Each fourth is wide; what is narrower than a season before becomes as wide, also in half a season."""
    widths = np.append(np.tile([1.0, 1.0, 1.0, 10.0], 4), [0.5, 2.0])
    widths[15] = 7.0
    assert widening(widths, 4).tolist() == [*np.tile([1, 1, 1, 10], 4), 1, 2]


@pytest.mark.parametrize("steps", [3, 12])
def test_settled_steps_stay_as_they_are(steps: int) -> None:
    widths = np.arange(steps, 0.0, -1)
    assert widening(widths, 1).tolist() == widths.tolist()
