"""The choices that the core offers whoever asks for a training: words alone, so that this imports nothing."""

from typing import Literal

Preset = Literal["quick", "balanced", "accurate"]
"""How long a training may take."""

Architecture = Literal["lstm", "gru", "rnn", "cnn"]
"""Which encoder reads the context; all else is the same."""

StartChoice = Literal["auto", "pretrained", "scratch"]
"""What a model is made of: the `pretrained` networks, or networks that learn from `scratch`.

`auto` tries either and their mean, and keeps what does best on held-out steps.
"""

MemberStart = Literal["both", "pretrained", "scratch"]
"""What the members of a model started from."""

MethodChoice = Literal["auto", "network", "blend"]
"""What is served: the network alone, its blend with a baseline, or whichever did better on the backtest."""

MAX_PRETRAINED_HORIZON = 168
"""The longest horizon that the pretrained networks have learned."""
