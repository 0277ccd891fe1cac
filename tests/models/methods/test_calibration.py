import json
import math
from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
import pytest
from numpy.random import Generator

from models.coverage import POOLED
from models.errors import InvalidLevel
from models.methods.calibration import (
    CALIBRATED_LEVELS,
    FEWEST_WINDOWS,
    LEAST_RISE,
    Calibration,
)
from models.methods.conformal import MAX_FACTOR
from models.methods.forecast import Forecast
from models.methods.reach import Reach
from models.metrics import coverage
from models.panel import Floats
from tests.models.samples import around, bounds

GROWTH = np.sqrt(np.arange(1.0, 7.0))
"""How the spread of a random walk grows over six steps."""

NOISES: Mapping[str, Callable[[Generator, tuple[int, int]], Floats]] = {
    "normal": lambda rng, size: rng.normal(size=size),
    "skewed": lambda rng, size: rng.exponential(size=size) - math.log(2),
    "heavy-tailed": lambda rng, size: rng.standard_t(3, size=size),
    "changing scale": lambda rng, size: rng.normal(size=size) * rng.choice([0.5, 2.0], (size[0], 1)),
}


def noise(kind: str, rng: Generator, windows: int, horizon: int = 6) -> Floats:
    """(window, horizon): targets that spread like a random walk around their median, zero."""
    spread: Floats = GROWTH[:horizon] * NOISES[kind](rng, (windows, horizon))
    return spread


def guess(windows: int, width: float, horizon: int = 6) -> Forecast:
    """Bounds of a method that takes a random walk to spread `width` times as much as it does."""
    return around(np.zeros((windows, horizon)), width * GROWTH[:horizon])


WHOLLY = 1.0
"""The strength of factors that go all of their way."""


def of_factors(*steps: list[float]) -> Calibration:
    return Calibration(np.array(steps), windows=1000)


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("width", [0.5, 1.0, 2.0], ids="width times {}".format)
def test_calibrated_intervals_hold_their_share_of_new_values(kind: str, width: float) -> None:
    """The level 90 is interpolated between two that are calibrated."""
    rng = np.random.default_rng(8)
    calibration = Calibration.of(guess(2000, width), noise(kind, rng, 2000), WHOLLY)
    result, new = calibration.apply(guess(2000, width)).at((50, 80, 90, 95, 99)), noise(kind, rng, 2000)
    for level, tolerance in ((50, 0.02), (80, 0.02), (90, 0.02), (95, 0.02), (99, 0.01)):
        held = coverage(new, result.lo[level], result.hi[level])
        assert held == pytest.approx(level / 100, abs=tolerance)


def test_bound_is_the_conformal_quantile_of_the_distances() -> None:
    """Of 20 distances 1 to 20, the ceil(21 * level)-th; there is no 21st for 99 %, so the largest."""
    forecast = around(np.zeros((20, 1)))
    target = (np.arange(1.0, 21) * (-1.0) ** np.arange(20))[:, None]
    calibration = Calibration.of(forecast, target, WHOLLY)
    result = calibration.apply(around([[100.0]])).at(CALIBRATED_LEVELS)
    assert [result.hi[level][0, 0] for level in (50, 80, 95)] == pytest.approx([111, 117, 120])
    assert result.hi[99][0, 0] == pytest.approx(100 + 20 * LEAST_RISE)
    assert [result.lo[level][0, 0] for level in (50, 80, 95)] == pytest.approx([89, 83, 80])


def test_distance_counts_in_half_widths_of_its_own_side() -> None:
    """Every value lies twice as far out as the bound on its side: 2 below, or 20 above."""
    target = np.where(np.arange(50) % 2 == 0, -2.0, 20.0)[:, None]
    ones = np.ones((50, 1))
    lopsided = Forecast(
        0 * ones, lo=dict.fromkeys(CALIBRATED_LEVELS, -ones), hi=dict.fromkeys(CALIBRATED_LEVELS, 10 * ones)
    )
    result = Calibration.of(lopsided, target, WHOLLY).apply(lopsided).at((50,))
    assert (result.lo[50][0, 0], result.hi[50][0, 0]) == pytest.approx((-2.0, 20.0))


def test_series_of_all_sizes_count_alike() -> None:
    rng = np.random.default_rng(8)
    size = 10.0 ** rng.uniform(-6, 6, (500, 1))
    target = rng.normal(size=(500, 2))
    alike = Calibration.of(around(np.zeros((500, 2)), 0.5), target, WHOLLY)
    mixed = Calibration.of(around(np.zeros((500, 2)), 0.5 * size), size * target, WHOLLY)
    np.testing.assert_allclose(mixed.factors, alike.factors)


def test_each_step_has_a_factor_of_its_own_where_windows_are_many() -> None:
    """The values spread like a random walk; the bounds do not grow."""
    flat = around(np.zeros((5000, 4)))
    factors = Calibration.of(flat, noise("normal", np.random.default_rng(8), 5000, 4), WHOLLY).factors
    np.testing.assert_allclose(factors[:, CALIBRATED_LEVELS.index(80)], np.sqrt([1, 2, 3, 4]), rtol=0.1)


@pytest.mark.parametrize(("windows", "share"), [(25, 0.2), (100, 0.5), (900, 0.9)])
def test_step_has_more_of_a_factor_of_its_own_the_more_windows_there_are(windows: int, share: float) -> None:
    """Step 1 lies at the bounds of 80 %, step 2 four times as far out; all steps together ask for four."""
    flat = around(np.zeros((windows, 2)))
    target = flat.hi[80] * [1.0, 4.0]
    first = Calibration.of(flat, target, WHOLLY).factors[0, CALIBRATED_LEVELS.index(80)]
    assert first == pytest.approx(4.0 ** (1 - share))


def test_step_with_gaps_takes_more_of_the_factor_of_all() -> None:
    """The second step lies ten times as far out as the first; a tenth of its values is known, or all."""
    target = np.random.default_rng(8).normal(size=(1000, 2)) * [1.0, 10.0]
    gappy = target.copy()
    gappy[100:, 1] = np.nan
    whole, part = (
        Calibration.of(around(np.zeros((1000, 2))), each, WHOLLY).factors[1, CALIBRATED_LEVELS.index(80)]
        for each in (target, gappy)
    )
    assert part < 0.7 * whole


def test_gaps_do_not_count() -> None:
    target = noise("normal", np.random.default_rng(8), 400)
    gappy = np.concatenate([target, np.full((400, 6), np.nan)])
    whole, part = (Calibration.of(guess(len(each), 1.0), each, WHOLLY) for each in (target, gappy))
    assert (part.windows, part.factors.tolist()) == (400, whole.factors.tolist())


@pytest.mark.parametrize(
    ("windows", "levels"),
    [
        (0, []),
        (FEWEST_WINDOWS - 1, []),
        (FEWEST_WINDOWS, [50, 80, 90, 95]),
        (98, [50, 80, 90, 95]),
        (99, [50, 80, 90, 95, 99]),
    ],
)
def test_level_holds_from_as_many_windows_as_its_quantile_needs(windows: int, levels: list[int]) -> None:
    """90 is interpolated towards 95, and needs as many."""
    targets = noise("normal", np.random.default_rng(8), windows)
    calibration = Calibration.of(guess(windows, 1.0), targets, WHOLLY)
    assert [level for level in (50, 80, 90, 95, 99) if calibration.is_calibrated(level)] == levels


def test_window_of_gaps_alone_is_none() -> None:
    target = np.array([[np.nan, np.nan], [np.nan, 1.0]])
    assert Calibration.of(around(np.zeros((2, 2))), target, WHOLLY).windows == 1


def test_too_few_windows_leave_bounds_as_they_are() -> None:
    windows = FEWEST_WINDOWS - 1
    calibration = Calibration.of(guess(windows, 100.0), np.zeros((windows, 6)), WHOLLY)
    assert (calibration.factors == 1).all()


def test_factors_go_half_of_their_way_at_half_the_strength() -> None:
    """The bounds are four times too narrow: half of the way to a factor of four is one of two."""
    forecast = around(np.zeros((1000, 1)), 0.25)
    target = np.random.default_rng(8).normal(size=(1000, 1))
    whole, half = (Calibration.of(forecast, target, strength).factors[0, 1] for strength in (1.0, 0.5))
    assert (whole, half) == (pytest.approx(4.0, rel=0.1), pytest.approx(np.sqrt(whole)))


@pytest.mark.parametrize("windows", [0, 5], ids=["none", "gaps alone"])
def test_nothing_to_learn_from_leaves_bounds_as_they_are(windows: int) -> None:
    calibration = Calibration.of(guess(windows, 1.0), np.full((windows, 6), np.nan), WHOLLY)
    assert calibration.factors.tolist() == np.ones((6, 4)).tolist()
    result = calibration.apply(guess(1, 1.0)).at(CALIBRATED_LEVELS)
    assert [bound.tolist() for bound in bounds(result)] == [b.tolist() for b in bounds(guess(1, 1.0))]


@pytest.mark.parametrize("kind", NOISES)
def test_bounds_widen_with_every_level(kind: str) -> None:
    calibration = Calibration.of(guess(500, 0.5), noise(kind, np.random.default_rng(8), 500), WHOLLY)
    parts = bounds(calibration.apply(guess(1, 0.5)).at(range(50, 100)))
    assert all((lower < upper).all() for lower, upper in pairwise(parts))


def test_level_is_always_wider_than_a_smaller_one() -> None:
    """Its factor alone would make each level narrower than the one before."""
    result = of_factors([3.0, 1.0, 0.5, 0.1]).apply(around([[0.0]])).at(CALIBRATED_LEVELS)
    wider = [3 * 0.6745 * LEAST_RISE**place for place in range(4)]
    assert [result.hi[level][0, 0] for level in CALIBRATED_LEVELS] == pytest.approx(wider, rel=1e-4)


def test_calibration_stored_before_levels_were_kept_apart_serves_what_it_served() -> None:
    stored = {"factors": [[3.0, 1.0, 0.5, 0.1]], "windows": 9}
    assert not Calibration.from_dict(stored).whole
    result = Calibration.from_dict(stored).apply(around([[0.0]])).at(CALIBRATED_LEVELS)
    assert {result.hi[level][0, 0] for level in CALIBRATED_LEVELS} == {result.hi[50][0, 0]}


def test_bounds_approach_their_limits_and_stay_apart() -> None:
    """Half-widths up to 5 of 10 stay as they are; larger ones approach it, absurd ones too."""
    forecast = around([[0.0], [0.0], [0.0]], [[1.0], [4.0], [1e200]])
    ten = Reach(last=np.zeros(3), span=np.full(3, 10 / 4.04), steps=np.full(3, 100), season_length=1)
    result = of_factors([1.0] * 4).apply(forecast).within(ten).at(CALIBRATED_LEVELS)
    widths = np.stack([result.hi[level][:, 0] for level in CALIBRATED_LEVELS])
    assert widths[-1, 0] == pytest.approx(2.5758, rel=1e-4)
    assert widths[-1, 1] == pytest.approx(10 - 25 / (4 * 2.5758), rel=1e-4)
    assert (widths <= 10).all()
    assert (np.diff(widths, axis=0) > 0).all()
    np.testing.assert_array_equal(np.stack([-result.lo[level][:, 0] for level in CALIBRATED_LEVELS]), widths)


def test_rounding_lets_no_bound_cross() -> None:
    """A thousand series of all sizes, at every level there is; from 80 on all have the same width."""
    rng = np.random.default_rng(8)
    median = rng.normal(size=(1000, 1)) * 10.0 ** rng.uniform(-9, 9, (1000, 1))
    forecast = around(median, np.abs(median) * rng.lognormal(0, 2, (1000, 1)))
    parts = bounds(of_factors([1.0, 1.2, 0.1, 0.1]).apply(forecast).at(range(1, 100)))
    assert all((lower <= upper).all() for lower, upper in pairwise(parts))


@pytest.mark.parametrize("level", [10, 50, 65, 90, 97, 99])
def test_levels_between_follow_the_normal_curve(level: int) -> None:
    """Those of a normal distribution stay so when all are stretched alike."""
    result = of_factors([2.0] * 4).apply(around([[5.0]])).at((level,))
    probit = math.sqrt(2) * float(np.interp(level / 100, *_error_function()))
    assert result.hi[level][0, 0] == pytest.approx(5 + 2 * probit, rel=1e-3)
    assert result.lo[level][0, 0] == pytest.approx(5 - 2 * probit, rel=1e-3)


def _error_function() -> tuple[list[float], Floats]:
    points = np.linspace(0, 3, 20_001)
    return [math.erf(point) for point in points], points


def test_median_stays_as_it_is() -> None:
    forecast = around([[3.0, -4.0]])
    result = of_factors([2.0] * 4, [3.0] * 4).apply(forecast).at((80,))
    assert result.median.tolist() == [[3.0, -4.0]]


def test_fewer_steps_take_the_factors_of_the_first_ones() -> None:
    calibration = of_factors([1.0] * 4, [2.0] * 4, [3.0] * 4)
    whole, short = (calibration.apply(around(np.zeros((2, steps)))).at((80,)) for steps in (3, 2))
    assert short.hi[80].tolist() == whole.hi[80][:, :2].tolist()
    assert whole.hi[80][0, 2] == pytest.approx(3 * whole.hi[80][0, 0])


@pytest.mark.parametrize("level", [0, 100, 80.5])
def test_level_that_is_no_percentage_is_refused(level: float) -> None:
    with pytest.raises(InvalidLevel, match="from 1 to 99"):
        of_factors([1.0] * 4).apply(around([[0.0]])).at((level,))  # type: ignore[arg-type]


@pytest.mark.parametrize("target", [0.0, 5.0], ids=["on them", "beside them"])
def test_bounds_of_no_width_stay_finite(target: float) -> None:
    calibration = Calibration.of(around(np.zeros((200, 2)), 0.0), np.full((200, 2), target), WHOLLY)
    assert np.isfinite(calibration.factors).all()
    assert all(
        (part == 0).all()
        for part in bounds(calibration.apply(around([[0.0, 0.0]], 0.0)).at(CALIBRATED_LEVELS))
    )


def test_values_beside_bounds_of_no_width_widen_others_by_a_limit() -> None:
    """Thirty of a hundred series are taken for constants, and are not."""
    spread = np.where(np.arange(100) < 30, 0.0, 1.0)[:, None]
    factors = Calibration.of(around(np.ones((100, 1)), spread), np.full((100, 1), 1.5), WHOLLY).factors
    assert factors[0, 0] == pytest.approx(0.5 / 0.6745, rel=1e-3)
    assert factors[0, 1:].tolist() == pytest.approx([MAX_FACTOR] * 3)


def test_constant_that_rounding_moves_is_no_miss() -> None:
    forecast = around(np.full((200, 1), 1e9), 0.0)
    factors = Calibration.of(forecast, np.full((200, 1), 1e9 * (1 + 1e-15)), WHOLLY).factors
    assert (factors < 1).all()


def test_values_at_the_ends_of_float64_give_finite_factors() -> None:
    most = np.finfo(np.float64).max
    target = np.where(np.arange(200) % 2 == 0, most, -most)[:, None]
    calibration = Calibration.of(around(-target, 1e-300), target, WHOLLY)
    assert calibration.factors[0].tolist() == pytest.approx([MAX_FACTOR] * 4)
    result = (
        calibration.apply(around([[most / 2]], 1e307)).at(CALIBRATED_LEVELS).at_least(np.array([-np.inf]))
    )
    assert all(np.isfinite(part).all() for part in bounds(result))


def test_bounds_further_apart_than_float64_reaches_may_be_drawn_in() -> None:
    most = np.full((1, 1), np.finfo(np.float64).max)
    forecast = Forecast(
        -most, lo=dict.fromkeys(CALIBRATED_LEVELS, -most), hi=dict.fromkeys(CALIBRATED_LEVELS, most)
    )
    result = of_factors([0.0] * 4).apply(forecast).at(CALIBRATED_LEVELS)
    assert [part.tolist() for part in bounds(result)] == [(-most).tolist()] * 9


@pytest.mark.parametrize(
    ("coverage", "periods", "reason"),
    [({80: 0.7}, 2, None), ({95: 0.7}, 2, "not tested"), ({}, 1, "one period"), ({}, 0, "not tested")],
)
def test_coverage_that_is_not_known_has_a_reason(
    coverage: dict[int, float], periods: int, reason: str | None
) -> None:
    """Windows without another cut are one period; a level or a method without windows has no test."""
    assert Calibration(np.ones((1, 4)), 40, coverage, periods=periods).untested(80) == reason


@pytest.mark.parametrize("level", [60, 80, 85, 90, 97])
def test_level_between_tested_ones_has_their_coverage(level: int) -> None:
    """All held 6 points too few, so those between do as well."""
    held = {tested: tested / 100 - 0.06 for tested in CALIBRATED_LEVELS}
    calibration = Calibration(np.ones((1, 4)), 40, held)
    assert calibration.coverage_at(level) == pytest.approx(level / 100 - 0.06)
    assert calibration.untested(level) is None
    assert calibration.reliability(level)["coverage"] == calibration.coverage_at(level)


def test_level_between_unlike_ones_is_the_nearer_to_the_nearer_one() -> None:
    calibration = Calibration(np.ones((1, 4)), 40, {80: 0.7, 95: 0.95})
    off = [(calibration.coverage_at(level) or 0) - level / 100 for level in (81, 85, 90, 94)]
    assert off == sorted(off)
    assert -0.1 < off[0] < -0.09
    assert -0.02 < off[-1] < 0


@pytest.mark.parametrize("level", [30, 60, 97, 99])
def test_level_beside_the_tested_ones_is_not_tested(level: int) -> None:
    calibration = Calibration(np.ones((1, 4)), 40, {80: 0.7, 95: 0.9})
    assert (calibration.coverage_at(level), calibration.untested(level)) == (None, "not tested")


def test_coverage_to_expect_lies_between_what_was_held_and_what_others_held() -> None:
    expected = Calibration.identity(1).with_coverage({80: 0.7, 95: math.nan}, share=0.5, periods=2, series=9)
    assert expected.coverage == pytest.approx({80: (0.7 + POOLED[80]) / 2})


def test_range_of_what_comes_is_wide_for_one_series_and_narrow_for_many() -> None:
    one, many = (
        Calibration.identity(1).with_coverage({80: 0.8}, share=1.0, periods=4, series=series)
        for series in (1, 1000)
    )
    assert one.coverage_range(80) == pytest.approx((0.368, 1.0), abs=1e-3)
    assert many.coverage_range(80) == pytest.approx((0.739, 0.861), abs=1e-3)
    assert many.reliability(80)["periods"] == 4


def test_coverage_that_is_not_known_has_no_range() -> None:
    assert Calibration.identity(1, periods=1).coverage_range(80) is None


@pytest.mark.parametrize(
    ("windows", "coverage", "untested"),
    [(40, {"80": 0.79}, None), (40, {}, "one period"), (0, {}, "not tested")],
)
def test_calibration_stored_before_periods_were_has_no_range(
    windows: int, coverage: dict[str, float], untested: str | None
) -> None:
    stored = Calibration(np.ones((1, 4)), windows).to_dict() | {"coverage": coverage}
    again = Calibration.from_dict({key: stored[key] for key in stored.keys() - {"periods", "doubt"}})
    assert again.reliability(80)["coverage_range"] is None
    assert (again.untested(80), again.reliability(80)["periods"] is None) == (
        untested,
        untested != "one period",
    )


def test_calibration_survives_json_to_the_bit() -> None:
    fitted = Calibration.of(guess(300, 0.7), noise("heavy-tailed", np.random.default_rng(8), 300), WHOLLY)
    first = fitted.with_coverage({80: 0.7}, share=1 / 3, periods=3, series=7)
    again = Calibration.from_dict(json.loads(json.dumps(first.to_dict())))
    assert again.factors.tobytes() == first.factors.tobytes()
    assert (again.factors.shape, again.windows, again.bounded, again.whole) == ((6, 4), 300, True, True)
    assert again.coverage == first.coverage
    assert again.reliability(80) == first.reliability(80)
