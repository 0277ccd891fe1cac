"""The default horizon, limits of the horizon, and the errors for one that is too long."""

from models.choices import MAX_PRETRAINED_HORIZON
from models.config import MIN_INPUTS
from models.errors import HorizonTooLong, TooManyCuts

MIN_DEFAULT_HORIZON, MAX_DEFAULT_HORIZON = 6, 48
"""Limits of the default horizon, in steps."""


def default_horizon(season_length: int) -> int:
    """Return the horizon for a request that has none: a season, within limits."""
    return min(max(MIN_DEFAULT_HORIZON, season_length), MAX_DEFAULT_HORIZON)


def longest_horizon(longest_series: int) -> int:
    """Return the longest horizon that can be trained on series of at most this many steps; below 1 for none.

    Without the held-out last `horizon` steps, a training window with `MIN_INPUTS` inputs and a target for
    every step ahead must remain.
    """
    return (longest_series - MIN_INPUTS) // 2


def check_training(horizon: int, longest_series: int) -> None:
    """Raise `HorizonTooLong` if a training on series of at most this many steps cannot have the horizon."""
    _check_series(horizon, longest_series, longest_horizon(longest_series), "")


def check_cuts(horizon: int, longest_series: int, cuts: int, step_size: int) -> None:
    """Raise `TooManyCuts` if series of at most this many steps have no room for cuts and a fit before them.

    There are `step_size` steps from one cut to the next, and a horizon after the last.
    """
    most = (longest_series - MIN_INPUTS - 2 * horizon) // step_size + 1
    if cuts > most:
        raise TooManyCuts(
            f"The longest series has {longest_series} steps, too few to train for {horizon} steps ahead "
            f"before {cuts} cuts, {step_size} from one to the next.",
            f"Ask for at most {most}.",
        )


def check_fit(horizon: int, longest_series: int, held_out: int) -> None:
    """Raise `HorizonTooLong` if one fit without the last `held_out` steps cannot have the horizon."""
    without = f" with the last {held_out} held out" if held_out else ""
    _check_series(horizon, longest_series, longest_series - held_out - MIN_INPUTS, without)


def check_trained(horizon: int, trained: int) -> None:
    """Raise `HorizonTooLong` if a model that was `trained` for a horizon cannot forecast another."""
    remedy = "Ask for fewer, or train a model with a longer horizon."
    _check_forecast(horizon, trained, "This model forecasts", remedy)


def check_pretrained(horizon: int) -> None:
    """Raise `HorizonTooLong` if the pretrained networks cannot forecast the horizon."""
    remedy = "Ask for fewer, or train a model with that horizon."
    _check_forecast(horizon, MAX_PRETRAINED_HORIZON, "Without a training a forecast reaches", remedy)


def _check_series(horizon: int, longest_series: int, limit: int, without: str) -> None:
    if horizon > limit:
        raise HorizonTooLong(
            f"The longest series has {longest_series} steps{without}, "
            f"too few to train for {horizon} steps ahead.",
            f"Ask for at most {limit}." if limit > 0 else "At least 4 observations of one series are needed.",
        )


def _check_forecast(horizon: int, limit: int, subject: str, remedy: str) -> None:
    if horizon < 1:
        raise HorizonTooLong(f"The horizon is {horizon}.", f"It can be 1 to {limit} steps.")
    if horizon > limit:
        raise HorizonTooLong(f"{subject} at most {limit} steps ahead, not {horizon}.", remedy)
