import pytest

from models.errors import HorizonTooLong, TooManyCuts
from models.horizon import (
    check_cuts,
    check_fit,
    check_pretrained,
    check_trained,
    check_training,
    default_horizon,
    longest_horizon,
)


@pytest.mark.parametrize(("season_length", "horizon"), [(1, 6), (4, 6), (12, 12), (168, 48)])
def test_default_horizon_is_a_season_within_limits(season_length: int, horizon: int) -> None:
    assert default_horizon(season_length) == horizon


@pytest.mark.parametrize(("longest", "limit"), [(3, 0), (4, 1), (12, 5), (64, 31)])
def test_longest_horizon_leaves_two_inputs_and_every_step(longest: int, limit: int) -> None:
    assert longest_horizon(longest) == limit


def test_short_series_are_named_with_the_horizon_that_they_allow() -> None:
    detail = "The longest series has 64 steps, too few to train for 40 steps ahead."
    with pytest.raises(HorizonTooLong, match="Ask for at most 31") as raised:
        check_training(40, 64)
    assert (raised.value.detail, raised.value.remedy) == (detail, "Ask for at most 31.")


def test_series_too_short_for_any_horizon_are_refused_with_the_length_they_need() -> None:
    with pytest.raises(HorizonTooLong, match="At least 4 observations"):
        check_training(1, 3)


@pytest.mark.parametrize(("step_size", "most"), [(3, 11), (1, 33), (5, 7)])
def test_cuts_leave_a_window_to_learn_from_before_the_first(step_size: int, most: int) -> None:
    check_cuts(3, 40, most, step_size)
    check_fit(3, 40, held_out=(most - 1) * step_size + 3)
    with pytest.raises(TooManyCuts, match=f"Ask for at most {most}"):
        check_cuts(3, 40, most + 1, step_size)


def test_horizon_past_the_trained_one_is_refused() -> None:
    check_trained(4, trained=4)
    with pytest.raises(HorizonTooLong, match="This model forecasts at most 4 steps ahead, not 5"):
        check_trained(5, trained=4)


def test_horizon_past_the_pretrained_one_is_refused() -> None:
    with pytest.raises(HorizonTooLong, match="Without a training a forecast reaches at most 168 steps ahead"):
        check_pretrained(169)


def test_horizon_of_no_step_is_refused() -> None:
    with pytest.raises(HorizonTooLong, match="It can be 1 to 4 steps"):
        check_trained(0, trained=4)
