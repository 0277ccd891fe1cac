"""The choices of a training, for the API and the commands; without pydantic, whose import is slow."""

from typing import Literal

from models.choices import (
    MAX_PRETRAINED_HORIZON,
    Architecture,
    MemberStart,
    MethodChoice,
    Preset,
    StartChoice,
)

__all__ = [
    "MAX_HORIZON",
    "MAX_LEVEL",
    "MAX_PRETRAINED_HORIZON",
    "MIN_LEVEL",
    "Architecture",
    "ArchitectureChoice",
    "MemberStart",
    "MethodChoice",
    "OnLoss",
    "Preset",
    "Promotion",
    "StartChoice",
]

ArchitectureChoice = Literal[Architecture, "all"]
OnLoss = Literal["warn", "fallback", "refuse"]
Promotion = Literal["auto", "always", "never"]
MAX_HORIZON = 10_000
MIN_LEVEL, MAX_LEVEL = 50, 99  # percent
