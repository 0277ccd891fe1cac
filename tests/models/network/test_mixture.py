import pytest
import torch

from models.network.mixture import mixture


def mixed(first: list[float], second: list[float], weight: float, *probabilities: float) -> list[float]:
    points = torch.tensor([first, second], dtype=torch.float64)[None, None]
    weights = torch.tensor([[weight, 1 - weight]], dtype=torch.float64)
    found: list[float] = mixture(points, weights, probabilities)[0, 0].tolist()
    return found


@pytest.mark.parametrize(("weight", "middle"), [(0.9, 2.0), (0.6, 3.0), (0.4, 10.0), (0.1, 20.0)])
def test_median_lies_in_the_part_that_is_likelier(weight: float, middle: float) -> None:
    assert mixed([1, 2, 3], [10, 20, 30], weight, 0.5) == [middle]


def test_outer_quantiles_hold_both_parts() -> None:
    assert mixed([1, 2, 3], [10, 20, 30], 0.8, 0.025, 0.975) == [1, 30]


def test_part_of_no_weight_counts_for_nothing() -> None:
    assert mixed([1, 2, 3], [10, 20, 30], 1.0, 0.1, 0.5, 0.9) == [1, 2, 3]
