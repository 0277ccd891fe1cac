from collections.abc import Callable

import numpy as np
import pytest
import torch

from models.inputs.scaling import Transform
from models.panel import Floats
from models.pretraining.synthetic import KINDS, Random, Shape, draw, intermittent

Kind = Callable[[Shape, Random], Floats]
SHAPE = Shape(count=200, length=60, season_length=12)


def random(seed: int = 1) -> Random:
    return np.random.default_rng(seed)


def test_same_random_state_draws_the_same_series() -> None:
    np.testing.assert_array_equal(draw(SHAPE, random()), draw(SHAPE, random()))


def test_other_random_state_draws_others() -> None:
    assert not np.array_equal(draw(SHAPE, random(1)), draw(SHAPE, random(2)), equal_nan=True)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(("length", "season_length"), [(8, 1), (8, 24), (60, 12), (900, 168)])
def test_every_kind_draws_finite_series_of_the_shape(kind: Kind, length: int, season_length: int) -> None:
    drawn = kind(Shape(20, length, season_length), random())
    assert drawn.shape == (20, length)
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_hardly_two_series_of_a_kind_are_alike(kind: Kind) -> None:
    distinct = np.unique(kind(SHAPE, random()), axis=0)
    assert len(distinct) > 0.95 * SHAPE.count  # of rare demand nothing but zeros may be seen


def test_intermittent_series_are_counts_with_zeros_among_them() -> None:
    drawn = intermittent(SHAPE, random())
    assert (drawn == np.round(drawn)).all()
    assert (drawn >= 0).all()
    assert (drawn == 0).any(axis=1).mean() > 0.5


def test_few_series_have_gaps_and_each_keeps_most_of_its_values() -> None:
    gaps = np.isnan(draw(Shape(2000, 60, 1), random()))
    assert 0.01 < gaps.any(axis=1).mean() < 0.1
    assert gaps.mean(axis=1).max() < 0.5


def test_both_positive_series_and_others_are_drawn() -> None:
    positive = Transform.of(torch.from_numpy(draw(Shape(2000, 60, 1), random()))).positive
    assert 0.5 < float(positive.double().mean()) < 0.95


def test_series_with_a_season_repeat_themselves_more_than_those_without() -> None:
    def likeness(season_length: int) -> float:
        steps = np.diff(draw(Shape(500, 120, season_length), random()), axis=1)
        z = (steps - np.nanmean(steps, axis=1, keepdims=True)) / np.nanstd(steps, axis=1, keepdims=True)
        return float(np.nanmedian(np.nanmean(z[:, 12:] * z[:, :-12], axis=1)))

    assert likeness(12) > likeness(1) + 0.1
