import pytest

from app.services.registry.baseline_errors import beside_baselines
from models.methods.baselines import BASELINES

PARABOLA = [float(step**2) for step in range(12)]


def test_errors_are_of_the_last_steps_that_the_forecasts_are_of() -> None:
    """From 1, 2, 3 naive forecasts 3, 3, and drift and last change 4, 5; the truth is 4, 5."""
    errors = beside_baselines([[1, 2, 3, 4, 5]], "lstm", [[4, 4]]).smape
    assert errors["lstm"] == pytest.approx(100 * (0 + 1 / 4.5) / 2)
    assert errors["naive"] == pytest.approx(100 * (1 / 3.5 + 2 / 4) / 2)
    assert errors["drift"] == errors["last_change"] == pytest.approx(0)


def test_errors_are_averaged_over_the_series() -> None:
    errors = beside_baselines([[1, 1, 1], [1, 1, 3]], "lstm", [[1], [1]]).smape
    assert errors["naive"] == errors["lstm"] == pytest.approx((0 + 100) / 2)


def test_every_baseline_is_a_rival_but_the_seasonal_one_which_needs_a_season() -> None:
    errors = beside_baselines([PARABOLA], "lstm", [[100, 121]]).smape
    assert set(errors) == {"lstm", *BASELINES} - {"seasonal_naive"}


@pytest.mark.parametrize(
    ("forecast", "outcome"), [([100, 121], "beats"), ([99, 117], "ties"), ([81, 81], "loses")]
)
def test_verdict_is_on_the_error_beside_that_of_the_strongest_baseline(
    forecast: list[float], outcome: str
) -> None:
    """The last change of each of the eight parabolas, 17, gives 98 and 115 for 100 and 121."""
    series = [[size * value for value in PARABOLA] for size in range(1, 9)]
    closest = {"ties": [98, 115]}.get(outcome, forecast)
    forecasts = [[size * value for value in closest] for size in range(1, 9)]
    judged = beside_baselines(series, "lstm", forecasts)
    strongest = min((name for name in judged.smape if name != "lstm"), key=lambda name: judged.smape[name])
    assert (judged.verdict.outcome, judged.verdict.measure, judged.verdict.n) == (outcome, "sMAPE", 8)
    assert judged.verdict.baseline == strongest
