from itertools import product

import numpy as np
import pytest

from models.evaluation.sign_flips import DRAWS, min_p, sign_flip
from models.evaluation.verdict import LEVEL
from models.panel import Floats
from tests.models.samples import alike


def test_real_gap_of_candidates_that_err_alike_is_seen_where_bonferroni_ties() -> None:
    """Of 100 sets in which four candidates err 30 % less; by itself, the best of them wins 38."""
    p_values = []
    for seed in range(100):
        gaps = (0.7 * alike(4, 0.1, seed) - alike(1, 0.5, seed + 1000)).T
        best_first = gaps[:, np.argsort(gaps.mean(axis=0))]
        alone = sign_flip(best_first[:, :1], seed=0)
        p_values.append((alone, min_p(best_first, seed=0), 4 * alone))
    assert (np.array(p_values) < LEVEL).sum(axis=0).tolist() == [38, 36, 22]


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_p_value_is_that_of_every_way_to_give_out_the_signs(count: int) -> None:
    difference = np.random.default_rng(count).integers(-3, 9, count).astype(np.float64)
    sums = [abs(np.dot(signs, difference)) for signs in product([-1, 1], repeat=count)]
    expected = np.mean([total >= abs(difference.sum()) for total in sums])
    assert sign_flip(difference[:, None], seed=0) == expected


def test_drawn_p_value_is_near_the_exact_one_and_seeded() -> None:
    """A 13th unit without a difference changes nothing but how the test is done."""
    difference = np.random.default_rng(4).normal(0.4, 1.0, 12)
    exact, longer = sign_flip(difference[:, None], seed=0), np.append(difference, 0.0)
    assert 0.01 < exact < 0.9
    assert sign_flip(longer[:, None], seed=0) == pytest.approx(exact, abs=0.02)
    assert sign_flip(longer[:, None], seed=0) == sign_flip(longer[:, None], seed=0)


def test_drawn_p_value_is_never_zero() -> None:
    assert sign_flip(np.ones((1000, 1)), seed=0) == 1 / (1 + DRAWS)


def wild(units: int, candidates: int, seed: int) -> Floats:
    """(units, candidates): gaps of which each candidate's are of another size, with outliers and ties."""
    rng = np.random.default_rng(seed)
    return np.round(rng.standard_t(2, (units, candidates)) - 1, 1) * 10.0 ** np.arange(candidates)


@pytest.mark.parametrize("units", [1, 6, 12, 40])
def test_sole_candidate_has_the_p_value_of_its_gap(units: int) -> None:
    gaps = wild(units, 1, seed=units)
    assert min_p(gaps, seed=3) == sign_flip(gaps, seed=3)


@pytest.mark.parametrize("seed", range(5))
def test_joint_p_value_is_the_share_of_signs_that_make_any_gap_as_rare(seed: int) -> None:
    gaps = wild(7, 3, seed)
    sums = np.abs(np.array(list(product([-1, 1], repeat=7))) @ gaps)
    rarity = np.mean(sums[:, None] <= sums[None, :] * (1 + 1e-9) + 1e-9, axis=1)
    expected = np.mean(rarity.min(axis=1) <= rarity[-1, 0])
    assert min_p(gaps, seed=0) == expected


@pytest.mark.parametrize("units", [6, 8, 12, 40])
def test_joint_p_value_lies_between_that_of_one_candidate_and_bonferronis(units: int) -> None:
    for seed in range(10):
        gaps = wild(units, 5, seed)
        alone, joint = sign_flip(gaps[:, :1], seed=0), min_p(gaps, seed=0)
        assert alone <= joint <= min(1, 5 * alone)


@pytest.mark.parametrize("units", [8, 40])
def test_size_of_a_candidates_errors_does_not_change_the_joint_p_value(units: int) -> None:
    gaps = wild(units, 3, seed=1)
    assert min_p(gaps * [1, 1e9, 1e-9], seed=0) == min_p(gaps, seed=0)
