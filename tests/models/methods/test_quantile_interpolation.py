from statistics import NormalDist

import numpy as np
import pytest

from models.methods.quantile_interpolation import probit_places

KNOTS = (0.1, 0.5, 0.9)


def quantile(point: float) -> float:
    """Interpolate between the quantiles of a normal distribution at `KNOTS`."""
    left, share = probit_places(KNOTS, (point,), "right")
    quantiles = np.array([NormalDist(10, 3).inv_cdf(knot) for knot in KNOTS])
    return float((quantiles[left] + share * (quantiles[left + 1] - quantiles[left]))[0])


@pytest.mark.parametrize("point", [0.01, 0.1, 0.3, 0.5, 0.8, 0.99])
def test_quantiles_of_a_normal_distribution_are_met_between_and_beyond(point: float) -> None:
    assert quantile(point) == pytest.approx(NormalDist(10, 3).inv_cdf(point))


def test_knot_is_the_end_of_its_left_segment_or_the_start_of_its_right_one() -> None:
    for side, number, way in (("left", 0, 1.0), ("right", 1, 0.0)):
        left, share = probit_places(KNOTS, (0.5,), side)
        assert (left[0], share[0]) == (number, way)
