from collections.abc import Sequence

import numpy as np
import pytest

from models.evaluation.dependence import Movement, common_movement, mean_correlation
from models.panel import Floats, Panel

STEPS = 200


def shocks(common: float, series: int = 30, steps: int = STEPS) -> Floats:
    """(series, steps): normal, with this correlation."""
    rng = np.random.default_rng(2)
    shared: Floats = np.sqrt(common) * rng.normal(0, 1, steps)
    return np.asarray(shared + np.sqrt(1 - common) * rng.normal(0, 1, (series, steps)))


def found(
    series: Sequence[Floats] | Floats,
    season_length: int = 1,
    horizon: int = 1,
    phases: list[int] | None = None,
) -> float:
    return common_movement(Panel.of(list(series), phases), season_length, horizon).correlation


@pytest.mark.parametrize("common", [0.0, 0.1, 0.5, 0.9])
def test_correlation_is_that_of_the_changes(common: float) -> None:
    assert found(shocks(common).cumsum(axis=1)) == pytest.approx(common, abs=0.05)


def test_mean_over_the_pairs_takes_no_pair() -> None:
    rows = shocks(0.3, series=5)
    pairs = np.asarray(np.corrcoef(np.clip(rows, -3, 3)))[np.triu_indices(5, 1)]
    assert mean_correlation(rows).correlation == pytest.approx(pairs.mean(), abs=0.01)


def test_season_that_all_share_is_no_common_movement() -> None:
    season = 10 * np.sin(np.arange(STEPS) * 2 * np.pi / 12)
    walks = shocks(0.0).cumsum(axis=1) + season
    assert found(walks, season_length=12, horizon=6) < 0.05 < found(walks)


def test_slow_movement_under_loud_noise_is_seen_over_a_horizon() -> None:
    rng = np.random.default_rng(4)
    slow = 0.5 * rng.normal(0, 1, 500).cumsum() + rng.normal(0, 2, (30, 500))
    assert found(slow, horizon=1) < 0.1
    assert found(slow, horizon=24) > 0.3


def test_size_of_changes_that_series_share_is_a_common_movement() -> None:
    loud = np.where(np.arange(STEPS) % 40 < 10, 5.0, 0.5)
    assert found((shocks(0.0) * loud).cumsum(axis=1)) > 0.2


def test_series_that_go_opposite_ways_move_together() -> None:
    """Their errors are large at the same time."""
    signs = np.where(np.arange(30) % 2, 1.0, -1.0)[:, None]
    assert found((signs * shocks(0.9)).cumsum(axis=1)) > 0.3


def test_series_are_laid_side_by_side_by_the_calendar() -> None:
    walk = shocks(1.0, series=1).cumsum(axis=1)[0]
    parts = [walk[:150], walk[20:170], walk[40:190]]
    assert found(parts, phases=[0, 20, 40]) == pytest.approx(1, abs=0.01)
    assert found(parts, phases=[7, 7, 7]) < 0.5


def test_series_of_unknown_places_end_together() -> None:
    walk = shocks(1.0, series=1).cumsum(axis=1)[0]
    assert found([walk, walk[50:], walk[90:]]) == pytest.approx(1, abs=0.02)


def test_gaps_hide_nothing_of_the_rest() -> None:
    walks = shocks(0.5).cumsum(axis=1)
    walks[::2, 50:90] = np.nan
    assert found(walks) == pytest.approx(0.5, abs=0.05)


def test_single_absurd_step_does_not_decide() -> None:
    changes = shocks(0.0)
    changes[:, 100] = 1e6
    assert found(changes.cumsum(axis=1)) < 0.1


@pytest.mark.parametrize(
    "series", [np.ones((8, 50)), np.arange(16.0).reshape(8, 2)], ids=["constant", "two values"]
)
def test_series_without_changes_count_as_one(series: Floats) -> None:
    movement = common_movement(Panel.of(list(series)), 1, 1)
    assert (movement.correlation, movement.effective_series) == (1, 1)


def test_values_at_the_ends_of_float64_are_compared() -> None:
    walks = 1e306 * shocks(0.5).cumsum(axis=1)
    assert np.isfinite(found(walks))


def test_independent_series_are_worth_themselves() -> None:
    movement = Movement(series=40, correlation=0.0, steps=100)
    assert (movement.design_effect, movement.effective_series, movement.inflation) == (1, 40, 1)


def test_forty_series_at_a_ninth_are_worth_nine() -> None:
    assert round(Movement(series=40, correlation=0.09, steps=100).effective_series) == 9


@pytest.mark.parametrize(("steps", "raised"), [(3, False), (300, True)])
def test_second_look_counts_as_far_as_it_is_sure(steps: int, *, raised: bool) -> None:
    first = Movement(series=40, correlation=0.0, steps=100)
    both = first.at_least(Movement(series=40, correlation=0.02, steps=steps))
    assert (both.correlation > 0) == raised
    assert both.correlation < 0.02
