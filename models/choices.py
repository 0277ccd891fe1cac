"""The words and limits that the service shares with the core: this module imports nothing of the core."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

Preset = Literal["quick", "balanced", "accurate"]
"""How long a training may take."""

Architecture = Literal["lstm", "gru", "rnn", "cnn"]
"""The encoder that reads the context; all else is the same."""

StartChoice = Literal["auto", "pretrained", "scratch"]
"""The networks that a training tries: the `pretrained` ones, or new ones trained from `scratch`.

`auto` tries either and their mean, and keeps the best on the held-out steps: the pretrained ones where there
are fewer than six units.
"""

MemberStart = Literal["both", "pretrained", "scratch"]
"""Where the members of a model come from."""

MethodChoice = Literal["auto", "network", "blend"]
"""What is served: the network alone, its blend with a baseline, or whichever did better on the backtest."""

MAX_PRETRAINED_HORIZON = 168
"""The longest horizon that the pretrained networks were trained for."""

Untested = Literal["one period", "not tested"]
"""Why nothing is known of the share that intervals hold: there is one cut alone, or no test of the level."""

Outcome = Literal["beats", "ties", "loses", "undecided"]
"""The outcome of a verdict."""

Unit = Literal["series", "cut"]
"""What a verdict compares the errors of."""

Measure = Literal["MASE", "sMAPE", "pinball", "RMSSE", "WQL"]
"""The error that a verdict compares."""

MeasureChoice = Literal["auto", "mase", "rmsse", "wql"]
"""The error that a training is judged by; `auto` is MASE, or the pinball loss for intermittent demand."""

DEFAULT_LEVELS = (80, 95)
"""The levels of a forecast's intervals, in percent, where none are named."""


Calendar = Literal["none", "days", "weeks", "business_days"]
"""What the steps of series count, where a year is no whole number of them: the core has a table for each."""

CALENDAR_YEARS: dict[Calendar, int] = {"days": 365, "weeks": 52, "business_days": 261}
"""The season length that stands for a year of each calendar, whose years are not equally long."""


@dataclass(frozen=True)
class Seasons:
    """The lengths in steps of the seasons that series may have, rising, and the calendar they are counted by.

    No length is no season. A year of the calendar (365 days, 52 weeks, 261 business days) is counted by its
    dates, all other lengths by steps. Raises ValueError.
    """

    lengths: tuple[int, ...] = ()
    calendar: Calendar = "none"

    def __post_init__(self) -> None:
        whole = all(type(length) is int and length > 1 for length in self.lengths)
        if not whole or list(self.lengths) != sorted(set(self.lengths)):
            raise ValueError(
                f"season_lengths is {self.lengths!r}; it must hold rising whole numbers from 2 on."
            )
        if self.calendar not in get_args(Calendar):
            raise ValueError(
                f"calendar is {self.calendar!r}; it must be one of {', '.join(get_args(Calendar))}."
            )

    @property
    def shortest(self) -> int:
        """The steps in the shortest season; 1 for none."""
        return self.lengths[0] if self.lengths else 1

    @property
    def regular(self) -> tuple[int, ...]:
        """The lengths that are counted by steps: all but a year of the calendar."""
        return tuple(length for length in self.lengths if length != CALENDAR_YEARS.get(self.calendar))

    @property
    def key(self) -> str:
        """All of it as one word, such as `7-365-days`."""
        return "-".join([*map(str, self.lengths), self.calendar])


NO_SEASONS = Seasons()


@dataclass(frozen=True)
class Limits:
    """The range that forecasts stay in, None for no end, and whether they are whole. Raises ValueError."""

    lower: float | None = None
    upper: float | None = None
    integer: bool = False

    def __post_init__(self) -> None:
        for name, value in (("lower", self.lower), ("upper", self.upper)):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} is {value!r}; it must be a number, or left out for no limit.")
        low, high = self.range
        if low > high or (self.lower is not None and self.lower == self.upper):
            which = "whole numbers lie" if self.integer else "range lies"
            raise ValueError(f"No {which} between lower {self.lower:g} and upper {self.upper:g}.")

    @property
    def ends(self) -> tuple[float, float]:
        """Where the range begins and ends, infinite for no end."""
        low = -math.inf if self.lower is None else self.lower
        return low, math.inf if self.upper is None else self.upper

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest forecast, infinite for none: whole numbers if `integer`."""
        low, high = self.ends
        if not self.integer:
            return low, high
        return (low if math.isinf(low) else math.ceil(low)), (high if math.isinf(high) else math.floor(high))

    def over(self, others: "Limits") -> "Limits":
        """Return these limits, and those of `others` where these have none. Raises ValueError."""
        return Limits(
            others.lower if self.lower is None else self.lower,
            others.upper if self.upper is None else self.upper,
            self.integer or others.integer,
        )


NO_LIMITS = Limits()

KNOWN_CYCLES = 1.5
"""Cycles from which on a season can be known: half of a second one says whether the first comes again."""

LONGEST_SEASON = 5_000
"""Steps in the longest season that is looked for or may be given."""


def fits_pretrained(architecture: str, horizon: int) -> bool:
    """Return whether the pretrained networks have this architecture and reach this horizon."""
    return architecture == "lstm" and horizon <= MAX_PRETRAINED_HORIZON
