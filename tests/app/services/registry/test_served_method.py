"""Which verdicts warn: those that luck alone seldom makes, of the best of seven simple methods."""

import numpy as np
import pytest

from app.schemas import examples
from app.schemas.backtests import Verdict
from app.services.forecasting import pretrained
from app.services.registry.served_method import gives_way, warning_of
from models.choices import Seasons
from models.methods.zero_shot import zero_shot_forecaster
from models.panel import Floats, Panel

QUARTERS = Seasons((4,))


@pytest.mark.parametrize(
    ("units", "effect", "is_warned"),
    [
        (1, 2.4, False),
        (1, 2.6, True),
        (2, 0.9, False),
        (4, 0.6, False),
        (4, 0.7, True),
        (6, 0.2, False),
        (6, 0.3, True),
        (40, 0.3, True),
    ],
)
def test_the_fewer_units_the_wider_the_gap_that_warns(
    units: float, effect: float, *, is_warned: bool
) -> None:
    facts = {"outcome": "undecided", "effective_units": units, "n": int(units), "effect": effect}
    verdict = Verdict.model_validate({**examples.VERDICT, **facts})
    assert warning_of(verdict, "lstm") == (verdict.sentence if is_warned else None)


def test_simple_method_that_answers_in_place_of_the_network_is_said_however_few_the_units() -> None:
    facts = {"outcome": "undecided", "effective_units": 2.0, "n": 2, "effect": 1.0, "baseline": "naive"}
    facts |= {"median_effect": 1.0}
    verdict = Verdict.model_validate({**examples.VERDICT, **facts})
    assert (warning_of(verdict, "naive") or "").endswith("Answered by naive instead.")


@pytest.mark.parametrize(("median_effect", "gives"), [(-0.75, False), (0.1, True), (None, True)])
def test_network_that_is_ahead_in_the_median_series_does_not_give_way_undecided(
    median_effect: float | None, *, gives: bool
) -> None:
    """31 weeks of M4, one nearly constant: 2.7 times the error in the mean, a quarter in the median."""
    facts = {"outcome": "undecided", "n": 31, "effect": 1.7, "median_effect": median_effect}
    assert gives_way(Verdict.model_validate({**examples.VERDICT, **facts})) == gives


def test_random_walk_by_itself_seldom_warns() -> None:
    """24 quarters: on half of them some simple method was a quarter better on the one window there is."""
    rng = np.random.default_rng(5)
    warned = [bool(warning_on(100 + rng.normal(0, 1, 24).cumsum())) for _ in range(24)]
    assert sum(warned) <= 2


def test_level_that_shifted_long_before_the_end_warns() -> None:
    """Where the tested steps begin, two of 18 quarters are at the new level: the network doubts them."""
    rng = np.random.default_rng(6)
    shifted = np.r_[np.full(16, 20.0), np.full(8, 100.0)] + rng.normal(0, 0.5, 24)
    assert "times the best simple method's" in (warning_on(shifted) or "")


def warning_on(values: Floats) -> str | None:
    """The warning on a forecast of these quarters without a training."""
    network = zero_shot_forecaster(6, QUARTERS)
    return pretrained.backtested(
        pretrained.model(6, QUARTERS), network, Panel.of([values]), "quarter"
    ).warning
