import numpy as np
import pytest

from app.services.registry.baseline_errors import beside_baselines
from models.methods.baselines import BASELINES
from models.metrics import smape
from models.panel import Floats, Panel

PARABOLA = [float(step**2) for step in range(12)]


def test_errors_are_of_the_last_steps_that_the_forecasts_are_of() -> None:
    """From 1, 2, 3 naive forecasts 3, 3, and drift and last change 4, 5; the truth is 4, 5."""
    errors = beside_baselines([[1, 2, 3, 4, 5]], "lstm", [[4, 4]], "year").smape
    assert errors["lstm"] == pytest.approx(100 * (0 + 1 / 4.5) / 2)
    assert errors["naive"] == pytest.approx(100 * (1 / 3.5 + 2 / 4) / 2)
    assert errors["drift"] == errors["last_change"] == pytest.approx(0)


def test_errors_are_averaged_over_the_series() -> None:
    errors = beside_baselines([[1, 1, 1], [1, 1, 3]], "lstm", [[1], [1]], "year").smape
    assert errors["naive"] == errors["lstm"] == pytest.approx((0 + 100) / 2)


def test_every_baseline_is_a_rival_but_the_seasonal_one_which_needs_a_season() -> None:
    errors = beside_baselines([PARABOLA], "lstm", [[100, 121]], "year").smape
    assert set(errors) == {"lstm", *BASELINES} - {"seasonal_naive"}


@pytest.mark.parametrize("outcome", ["beats", "ties", "loses"])
def test_verdict_is_on_the_error_beside_that_of_the_strongest_baseline(outcome: str) -> None:
    """Of eight walks that have nothing in common."""
    walks = 1000 + np.random.default_rng(1).normal(0, 1, (8, 42)).cumsum(axis=1)
    strongest, closest = strongest_baseline(walks[:, :-2], walks[:, -2:])
    forecasts = {"beats": walks[:, -2:], "ties": closest, "loses": 2 * walks[:, -2:]}[outcome]
    judged = beside_baselines(walks.tolist(), "lstm", forecasts.tolist(), "year")
    assert (judged.verdict.outcome, judged.verdict.measure, judged.verdict.n) == (outcome, "sMAPE", 8)
    assert judged.verdict.baseline == strongest


def strongest_baseline(contexts: Floats, target: Floats) -> tuple[str, Floats]:
    """The name and the forecasts of the baseline that comes closest."""
    panel = Panel.of(list(contexts))
    found = {name: method(panel, 2, 1) for name, method in BASELINES.items() if name != "seasonal_naive"}
    return min(found.items(), key=lambda pair: smape(target, pair[1]))


def test_series_that_move_as_one_decide_nothing() -> None:
    series = [[size * value for value in PARABOLA] for size in range(1, 9)]
    judged = beside_baselines(series, "lstm", [[size * 100.0, size * 121.0] for size in range(1, 9)], "year")
    assert (judged.verdict.outcome, judged.verdict.effect) == ("undecided", -1)
