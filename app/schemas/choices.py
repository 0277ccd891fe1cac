"""The choices of a caller and their defaults; without pydantic, whose import is slow."""

from typing import Literal

from models.choices import (
    DEFAULT_LEVELS,
    KNOWN_CYCLES,
    LONGEST_SEASON,
    MAX_PRETRAINED_HORIZON,
    NO_LIMITS,
    Architecture,
    Calendar,
    Limits,
    Measure,
    MeasureChoice,
    MemberStart,
    MethodChoice,
    Outcome,
    Preset,
    Seasons,
    StartChoice,
    Unit,
    Untested,
    fits_pretrained,
)

__all__ = [
    "DEFAULT_ARCHITECTURE",
    "DEFAULT_LEVELS",
    "DEFAULT_MEASURE",
    "DEFAULT_METHOD",
    "DEFAULT_ON_LOSS",
    "DEFAULT_PRESET",
    "DEFAULT_PROMOTION",
    "DEFAULT_START",
    "KNOWN_CYCLES",
    "LONGEST_SEASON",
    "MAX_CUTS",
    "MAX_HORIZON",
    "MAX_LEVEL",
    "MAX_PRETRAINED_HORIZON",
    "MIN_LEVEL",
    "NO_LIMITS",
    "Architecture",
    "ArchitectureChoice",
    "Calendar",
    "Duplicates",
    "Layout",
    "Limits",
    "Measure",
    "MeasureChoice",
    "MemberStart",
    "MethodChoice",
    "Missing",
    "OnLoss",
    "Outcome",
    "Preset",
    "Promotion",
    "Seasons",
    "StartChoice",
    "Unit",
    "Untested",
    "fits_pretrained",
]

ArchitectureChoice = Literal[Architecture, "all"]
OnLoss = Literal["warn", "fallback", "refuse"]
Promotion = Literal["auto", "always", "never"]
Duplicates = Literal["refuse", "sum", "mean", "last"]
Layout = Literal["long", "wide"]
Missing = Literal["gap", "zero"]
DEFAULT_PRESET: Preset = "balanced"
DEFAULT_ARCHITECTURE: ArchitectureChoice = "lstm"
DEFAULT_START: StartChoice = "auto"
DEFAULT_METHOD: MethodChoice = "auto"
DEFAULT_MEASURE: MeasureChoice = "auto"
DEFAULT_ON_LOSS: OnLoss = "fallback"
DEFAULT_PROMOTION: Promotion = "auto"
MAX_CUTS = 1000
MAX_HORIZON = 10_000
MIN_LEVEL, MAX_LEVEL = 50, 99  # percent
