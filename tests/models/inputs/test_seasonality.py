import numpy as np
import torch

from models.inputs.seasonality import seasonal_pattern


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
    assert (shrunk == 0).all(dim=1).float().mean() > 0.4


def test_less_than_two_seasons_give_no_pattern() -> None:
    z = torch.full((1, 32), torch.nan, dtype=torch.float64)
    z[0, -7:] = torch.tensor([1.0, 5.0, 2.0, 9.0, 1.0, 5.0, 2.0])
    assert seasonal_pattern(z, season_length=4, seasons=8).tolist() == [[0.0] * 4]


def test_gap_costs_only_its_surroundings() -> None:
    shape = torch.tensor([0.3, -0.1, -0.4, 0.2], dtype=torch.float64)
    z = shape.repeat(8)[None].clone()
    z[0, 13] = torch.nan
    pattern = seasonal_pattern(z, season_length=4, seasons=8)
    torch.testing.assert_close(pattern[0], shape, rtol=0.0, atol=1e-9)
