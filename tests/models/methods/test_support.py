"""Quantiles are values that a series takes: whole numbers of a count, zeros as far as they come."""

import numpy as np
import pytest

from models.inputs.intermittence import demands
from models.methods.calibration import CALIBRATED_LEVELS, Calibration
from models.methods.forecast import FLOAT_MAX
from models.methods.support import Support
from models.panel import Floats, Panel
from tests.models.samples import around

WHOLLY = 1.0


def support(values: Floats) -> Support:
    panel = Panel.of([values])
    return Support.of(panel, demands(panel, 1))


def counts(mean: float, steps: int = 400) -> Floats:
    return np.random.default_rng(5).poisson(mean, steps).astype(float)


@pytest.mark.parametrize(
    "values",
    [counts(0.3), counts(3), counts(30), np.array([2.0, np.nan, 2.0, 1.0, 1.0])],
    ids=["seldom", "small", "large", "with a gap"],
)
def test_whole_numbers_that_repeat_are_counts(values: Floats) -> None:
    assert support(values).is_count.all()


@pytest.mark.parametrize(
    "values",
    [
        counts(3) - 2,
        counts(3) / 2,
        np.random.default_rng(5).permutation(1e4 + np.arange(90)),
        np.full(40, 7.0),
    ],
    ids=["negative", "halves", "large without repeats", "constant"],
)
def test_other_values_are_no_counts(values: Floats) -> None:
    assert not support(values).is_count.any()


def test_quantiles_of_a_count_are_the_nearest_whole_numbers() -> None:
    found = support(counts(30)).quantiles(np.array([[23.6, 30.2, 36.4]]), np.array([[0.1, 0.5, 0.9]]))
    assert found.tolist() == [[24.0, 30.0, 36.0]]


@pytest.mark.parametrize("size", [1.0, 6.0, 0.37], ids="demand of {}".format)
def test_quantile_is_zero_as_far_as_zeros_come_and_then_a_demand(size: float) -> None:
    """Three of four steps have no demand."""
    seldom = support(np.tile([0.0, 0.0, 0.0, size], 100))
    found = seldom.quantiles(np.full((1, 4), 0.1), np.array([[0.1, 0.5, 0.7, 0.8]]))
    assert found.tolist() == [[0.0, 0.0, 0.0, size]]


def test_value_of_any_series_is_left_alone_but_for_the_floor() -> None:
    found = support(np.random.default_rng(5).lognormal(size=40)).quantiles(
        np.array([[-0.2, 0.3]]), np.ones(2)
    )
    assert found.tolist() == [[0.0, 0.3]]
    assert Support.free(1).quantiles(np.array([[-np.inf, 0.3]]), np.ones(2)).tolist() == [[-FLOAT_MAX, 0.3]]


def test_support_of_many_series_is_that_of_each() -> None:
    panel = Panel.of([counts(0.3), np.linspace(-1, 1, 50), counts(30)])
    whole = Support.of(panel, demands(panel, 1))
    assert whole.is_count[:, 0].tolist() == [True, False, True]
    for number, chosen in enumerate(np.eye(3, dtype=np.bool_)):
        one = panel.heads(np.array([number]), panel.lengths[[number]])
        alone = Support.of(one, demands(one, 1))
        for name in ("lowest", "is_count", "zeros", "smallest"):
            assert getattr(whole.rows(chosen), name).tolist() == getattr(alone, name).tolist()


@pytest.mark.parametrize("mean", [0.1, 0.3, 1.0, 3.0, 30.0])
@pytest.mark.parametrize("width", [0.3, 3.0], ids="width times {}".format)
def test_calibrated_bounds_of_counts_hold_their_level_and_no_more_than_it_takes(
    mean: float, width: float
) -> None:
    """One count less on either side, and half of the excess at least would be missing."""
    drawn = np.random.default_rng(8).poisson(mean, (2, 1000, 4)).astype(float)
    history = support(counts(mean))
    many = history.rows(np.zeros(1000, dtype=np.int64))
    median = np.full((1000, 4), np.median(counts(mean)))
    forecast = around(median, width * np.sqrt(mean))
    found = Calibration.of(forecast, drawn[0], WHOLLY, many).apply(forecast).at(CALIBRATED_LEVELS, many)
    for level in (80, 95):
        lo, hi = found.lo[level], found.hi[level]
        held = np.mean((drawn[1] >= lo) & (drawn[1] <= hi))
        assert held >= level / 100 - 0.02
        assert np.mean((drawn[1] > lo) & (drawn[1] < hi)) < level / 100
