"""The words and limits that the service shares with the core: this module imports nothing of the core."""

from typing import Literal

Preset = Literal["quick", "balanced", "accurate"]
"""How long a training may take."""

Architecture = Literal["lstm", "gru", "rnn", "cnn"]
"""The encoder that reads the context; all else is the same."""

StartChoice = Literal["auto", "pretrained", "scratch"]
"""The networks that a training tries: the `pretrained` ones, or new ones trained from `scratch`.

`auto` tries either and their mean, and keeps the best on the held-out steps.
"""

MemberStart = Literal["both", "pretrained", "scratch"]
"""Where the members of a model come from."""

MethodChoice = Literal["auto", "network", "blend"]
"""What is served: the network alone, its blend with a baseline, or whichever did better on the backtest."""

MAX_PRETRAINED_HORIZON = 168
"""The longest horizon that the pretrained networks were trained for."""

Outcome = Literal["beats", "ties", "loses"]
"""The outcome of a verdict."""

Unit = Literal["series", "cut"]
"""What a verdict compares the errors of."""

Measure = Literal["MASE", "sMAPE"]
"""The error that a verdict compares."""

DEFAULT_LEVELS = (80, 95)
"""The levels of a forecast's intervals, in percent, where none are named."""


def fits_pretrained(architecture: str, horizon: int) -> bool:
    """Return whether the pretrained networks have this architecture and reach this horizon."""
    return architecture == "lstm" and horizon <= MAX_PRETRAINED_HORIZON
