from statistics import NormalDist

import numpy as np
import pytest

from models.methods.interpolation import probit_places

KNOWN = (0.1, 0.5, 0.9)


def quantile(wanted: float) -> float:
    """Interpolate the quantiles of a normal distribution that are `KNOWN`."""
    left, share = probit_places(KNOWN, (wanted,), "right")
    quantiles = np.array([NormalDist(10, 3).inv_cdf(known) for known in KNOWN])
    return float((quantiles[left] + share * (quantiles[left + 1] - quantiles[left]))[0])


@pytest.mark.parametrize("wanted", [0.01, 0.1, 0.3, 0.5, 0.8, 0.99])
def test_quantiles_of_a_normal_distribution_are_met_between_and_beyond(wanted: float) -> None:
    assert quantile(wanted) == pytest.approx(NormalDist(10, 3).inv_cdf(wanted))


def test_known_probability_is_the_end_of_its_left_segment_or_the_start_of_its_right_one() -> None:
    for side, number, way in (("left", 0, 1.0), ("right", 1, 0.0)):
        left, share = probit_places(KNOWN, (0.5,), side)
        assert (left[0], share[0]) == (number, way)
