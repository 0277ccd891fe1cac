"""Which seasons are found in series, and which are not."""

import numpy as np
import pytest

from models.inputs.season_search import judge, search
from models.panel import Floats, Panel


def noise(count: int, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=count)


def season(length: int, count: int, seed: int = 0) -> Floats:
    """Values with any pattern of this length, and noise of a third of its height."""
    return np.tile(noise(length, seed + 1000), count // length + 1)[:count] + 0.3 * noise(count, seed)


def found_in(*series: Floats) -> tuple[int, ...]:
    return search(Panel.of(series))


@pytest.mark.parametrize(
    ("length", "count"), [(4, 40), (7, 60), (12, 84), (17, 100), (24, 240), (52, 250), (365, 1200)]
)
def test_season_of_any_length_is_found(length: int, count: int) -> None:
    assert found_in(season(length, count)) == (length,)


def test_season_on_a_random_walk_is_found() -> None:
    assert found_in(3 * season(12, 120) + noise(120, 2).cumsum()) == (12,)


def test_season_that_grows_with_the_level_is_found() -> None:
    assert found_in(np.exp(0.03 * np.arange(120) + 0.1 * season(12, 120))) == (12,)


def test_small_season_of_values_far_above_it_is_found() -> None:
    assert found_in(4e9 + 25 * season(12, 72)) == (12,)


def test_gaps_hide_no_season() -> None:
    values = season(12, 120)
    values[30:40] = np.nan
    assert found_in(values) == (12,)


def test_one_absurd_value_hides_no_season() -> None:
    values = season(12, 120)
    values[50] = 1e6
    assert found_in(values) == (12,)


def test_day_within_a_week_is_found_with_it() -> None:
    days = np.repeat(np.tile(noise(7, 5), 6), 24)
    assert found_in(2 * season(24, 1008) + days) == (24, 168)


def test_many_series_show_together_what_none_shows_alone() -> None:
    weak = [season(12, 60) + 2.0 * noise(60, 50 + number) for number in range(30)]
    assert found_in(*weak) == (12,)
    assert sum(found_in(values) == (12,) for values in weak) < 5


@pytest.mark.parametrize("kind", ["white noise", "random walk", "slopes that walk", "autoregression", "line"])
def test_noise_has_no_season(kind: str) -> None:
    def drawn(seed: int) -> Floats:
        values = noise(int(np.exp(3 + seed / 25)), seed)  # 20 to 1,100 steps
        for i in range(1, len(values)):
            values[i] += 0.9 * values[i - 1] if kind == "autoregression" else 0
        for _ in range({"random walk": 1, "slopes that walk": 2}.get(kind, 0)):
            values = values.cumsum()
        return values + np.arange(len(values)) if kind == "line" else values

    assert sum(found_in(drawn(seed)) != () for seed in range(100)) <= 2


@pytest.mark.parametrize(
    "values",
    [
        np.ones(60),
        np.arange(60.0),
        np.exp(np.arange(60.0) / 9),
        np.arange(60.0) ** 2,
        1 / (1 + np.exp(-np.arange(-30.0, 30) / 5)),
        np.where(np.arange(60) < 30, 1.0, 5.0),
        np.array([1.0, 2.0]),
        np.array([1.0, np.nan, np.nan, 2.0]),
    ],
    ids=["constant", "line", "exponential", "square", "logistic", "step", "two values", "gap"],
)
def test_curves_and_steps_without_noise_have_no_season(values: Floats) -> None:
    assert found_in(values) == ()


def test_order_of_series_and_their_size_change_nothing() -> None:
    series = [season(12, 84, seed) for seed in range(5)]
    assert found_in(*[1e6 * values for values in reversed(series)]) == found_in(*series) == (12,)


def test_gain_is_the_share_of_the_error_that_a_season_saves() -> None:
    judged = judge(Panel.of([season(12, 600)]), [12])[12]
    assert judged.found
    assert judged.gain == pytest.approx(1 - 0.3 / np.hypot(1, 0.3), abs=0.1)


def test_longer_season_counts_for_what_it_adds() -> None:
    panel = Panel.of([season(24, 1008)])
    judged = judge(panel, [24, 168])
    assert (judged[24].found, judged[168].found) == (True, False)
    assert judge(panel, [168])[168].gain > 0.5 > judged[168].gain


def test_season_of_under_two_cycles_is_not_judged() -> None:
    assert judge(Panel.of([season(12, 23)]), [12]) == {}
    assert judge(Panel.of([season(12, 24)]), [12])[12].found
