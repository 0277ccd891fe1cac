import numpy as np
import pytest
import torch
from torch import Tensor

from models.inputs.seasonality import HALF_LIFE, by_places, by_steps, deviations, medians, pattern_of


def seasonal_pattern(z: Tensor, season_length: int, seasons: int, *, nested: bool = False) -> Tensor:
    return pattern_of(by_steps(deviations(z, season_length), season_length, seasons), nested=nested)


def test_pattern_of_a_clear_season_is_found() -> None:
    shape = torch.tensor([0.3, -0.1, -0.4, 0.2], dtype=torch.float64)
    z = shape.repeat(8)[None] + 0.05 * torch.arange(32, dtype=torch.float64)
    pattern = seasonal_pattern(z, season_length=4, seasons=8)
    torch.testing.assert_close(pattern[0], shape, rtol=0.0, atol=1e-9)


def test_odd_season_length_is_found() -> None:
    shape = torch.tensor([0.3, -0.1, -0.2], dtype=torch.float64)
    pattern = seasonal_pattern(shape.repeat(8)[None], season_length=3, seasons=8)
    torch.testing.assert_close(pattern[0], shape, rtol=0.0, atol=1e-9)


def test_straight_line_has_no_pattern() -> None:
    z = torch.arange(32, dtype=torch.float64)[None]
    assert seasonal_pattern(z, season_length=4, seasons=8).abs().max() < 1e-12


def test_noise_is_mostly_shrunk_to_zero() -> None:
    z = torch.tensor(np.random.default_rng(3).normal(size=(500, 32)))
    shrunk = seasonal_pattern(z, season_length=4, seasons=8)
    assert shrunk.pow(2).mean() < 0.05
    assert (shrunk == 0).all(dim=1).float().mean() > 0.5


def test_season_that_moves_is_that_of_the_last_cycles() -> None:
    hours = torch.arange(8 * 24, dtype=torch.float64)
    moving = torch.cos(2 * torch.pi * hours / 23.5)[None]  # earlier by half an hour each day
    following = torch.cos(2 * torch.pi * (hours[-1] + 1 + torch.arange(24)) / 23.5)
    missed = (seasonal_pattern(moving, season_length=24, seasons=8)[0] - following).abs().mean()
    steady = by_steps(deviations(moving, 24), 24, 8)[0]
    weight = 0.5 ** (torch.arange(7, -1, -1) / HALF_LIFE)[:, None]
    assert missed < 0.7 * ((weight * steady).sum(0) / weight.sum() - following).abs().mean()


def test_less_than_one_and_a_half_seasons_give_no_pattern() -> None:
    z = torch.full((1, 32), torch.nan, dtype=torch.float64)
    z[0, -5:] = torch.tensor([2.0, 9.0, 1.0, 5.0, 2.0])
    assert seasonal_pattern(z, season_length=4, seasons=8).tolist() == [[0.0] * 4]


def test_two_seasons_are_enough_for_a_clear_pattern() -> None:
    shape = torch.tensor([0.3, -0.1, -0.4, 0.2], dtype=torch.float64)
    z = shape.repeat(2)[None] + 0.05 * torch.arange(8, dtype=torch.float64)
    torch.testing.assert_close(seasonal_pattern(z, 4, 8)[0], shape, rtol=0.0, atol=1e-9)


def test_random_walks_get_hardly_any_pattern() -> None:
    z = torch.tensor(np.random.default_rng(4).normal(size=(500, 48)).cumsum(axis=1))
    assert seasonal_pattern(z, 12, 8).pow(2).mean() < 0.1 * deviations(z, 12).square().nanmean()


def test_longer_season_beside_a_shorter_one_needs_more_evidence() -> None:
    z = torch.tensor(np.random.default_rng(5).normal(size=(200, 32)))
    alone, beside = (seasonal_pattern(z, 4, 8, nested=nested).square().mean() for nested in (False, True))
    assert beside < 0.2 * alone


def test_one_absurd_value_leaves_the_pattern() -> None:
    shape = torch.tensor([0.3, -0.1, -0.4, 0.2], dtype=torch.float64)
    z = shape.repeat(8)[None] + 0.01 * torch.tensor(np.random.default_rng(6).normal(size=(1, 32)))
    z[0, 17] = -7.0
    torch.testing.assert_close(seasonal_pattern(z, 4, 8)[0], shape, rtol=0.0, atol=0.15)


def test_place_that_is_always_empty_leaves_the_pattern_of_the_others() -> None:
    shape = torch.tensor([0.3, -0.1, -0.4, 0.2, 0.0], dtype=torch.float64)
    z = shape.repeat(8)[None].clone()
    z[0, 4::5] = torch.nan
    found = seasonal_pattern(z, 5, 8)[0, :4]
    torch.testing.assert_close(found - found.mean(), shape[:4], rtol=0.0, atol=1e-6)


def test_single_high_place_keeps_its_height() -> None:
    shape = torch.zeros(52, dtype=torch.float64)
    shape[50] = 1.0
    z = shape.repeat(5)[None] + 0.1 * torch.tensor(np.random.default_rng(8).normal(size=(1, 260)))
    assert seasonal_pattern(z, 52, 8)[0, 50] > 0.85


def test_recent_seasons_count_more() -> None:
    shape = torch.tensor([0.3, -0.1, -0.4, 0.2], dtype=torch.float64)
    z = torch.cat([shape.repeat(4), 2 * shape.repeat(4)])[None]
    assert seasonal_pattern(z, 4, 8)[0, 0] > 1.5 * 0.3


def test_values_are_averaged_by_calendar_place_in_each_cycle() -> None:
    apart = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], dtype=torch.float64)
    at = torch.tensor([[0, 1, 1, 2, 0, 1]])
    cycles = by_places(apart, at, count=3, season_length=3, cycles=8)
    expected = [[[1.0, 2.5, np.nan], [5.0, 6.0, 4.0]]]
    np.testing.assert_array_equal(cycles.numpy(), expected)


def test_gap_costs_only_its_surroundings() -> None:
    shape = torch.tensor([0.3, -0.1, -0.4, 0.2], dtype=torch.float64)
    z = shape.repeat(8)[None].clone()
    z[0, 13] = torch.nan
    pattern = seasonal_pattern(z, season_length=4, seasons=8)
    torch.testing.assert_close(pattern[0], shape, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize(("shape", "dim"), [((7, 30), 1), ((7, 31), 1), ((5, 4, 6), 1)])
def test_medians_leave_gaps_out(shape: tuple[int, ...], dim: int) -> None:
    values = torch.tensor(np.random.default_rng(2).normal(size=shape))
    values[values > 0.8] = torch.nan
    values[0] = torch.nan
    expected = values.nanmedian(dim=dim, keepdim=True).values
    assert torch.equal(medians(values, dim).nan_to_num(nan=9.0), expected.nan_to_num(nan=9.0))


def test_two_cycles_that_go_different_ways_have_no_pattern() -> None:
    first = torch.tensor([3.0, 1.0, -1.0, -3.0, -1.0, 1.0], dtype=torch.float64)
    apart = torch.stack([first, first.roll(2)])[None]
    assert pattern_of(apart, nested=False).abs().max() == 0


def test_two_cycles_that_are_alike_keep_their_pattern() -> None:
    first = torch.tensor([3.0, 1.0, -1.0, -3.0, -1.0, 1.0], dtype=torch.float64)
    apart = torch.stack([first, 1.1 * first])[None]
    assert (pattern_of(apart, nested=False)[0] * first).sum() > 0.9 * first.square().sum()


def test_of_two_values_at_a_place_neither_is_the_odd_one() -> None:
    """The third cycle has begun: it is at one place only, so the others know two values."""
    noise = torch.tensor(np.random.default_rng(1).normal(size=(1, 3, 12)))
    noise[:, 0, :-1] = torch.nan
    assert pattern_of(noise, nested=False).abs().max() == 0


@pytest.mark.parametrize("season_length", [4, 7])
def test_pattern_is_the_same_bits_beside_a_history_with_gaps(season_length: int) -> None:
    """Without any gap much is left out that would change nothing."""
    values = np.random.default_rng(8).normal(size=(6, 56)) + np.sin(2 * np.pi * np.arange(56) / season_length)
    whole, holed = torch.tensor(values[:5]), torch.tensor(values)
    holed[5, [0, 1, 20, 55]] = torch.nan
    alone, beside = (seasonal_pattern(z, season_length, 8) for z in (whole, holed))
    assert alone.any()
    assert torch.equal(alone, beside[:5])
    assert torch.equal(deviations(whole, season_length), deviations(holed, season_length)[:5])


def test_medians_are_the_same_beside_values_with_gaps() -> None:
    values = torch.tensor(np.random.default_rng(9).normal(size=(4, 6)))
    holed = torch.cat([values, torch.full((1, 6), torch.nan, dtype=torch.float64)])
    assert torch.equal(medians(values, 1), medians(holed, 1)[:4])
