"""What a profile says of the seasons that the series of a dataset may have."""

from math import ceil

from app.intake.time.axis import TimeAxis
from app.intake.time.steps import DAY, MINUTE, WEEK, FixedStep, MonthStep
from app.schemas.choices import KNOWN_CYCLES
from app.schemas.datasets import SeasonOut


def seasons_of(axis: TimeAxis, longest: int) -> list[SeasonOut]:
    """Return each season, by its length, where the longest series has `longest` steps.

    A season needs a cycle and a half to be known; whether one is there is left open.
    """
    return [_season(axis, length, longest) for length in axis.seasons.lengths]


def _season(axis: TimeAxis, length: int, longest: int) -> SeasonOut:
    name, needed = _name(axis, length), ceil(KNOWN_CYCLES * length)
    if longest >= needed:
        return SeasonOut(length=length, name=name, found=None, gain=None, reason=None)
    reason = f"too short to know a season of a {name}: {longest:,} of {needed:,} steps"
    if name == "season":
        reason = f"too short to know a season of {length:,} steps: {longest:,} of {needed:,}"
    return SeasonOut(length=length, name=name, found=False, gain=None, reason=reason)


def _name(axis: TimeAxis, length: int) -> str:
    """Return `minute`, `day`, `week` or `year`, or `season` where no calendar unit has this length."""
    step = axis.step
    if length not in axis.seasons.regular:
        return "year"
    if isinstance(step, MonthStep):
        return "year" if length * step.size == 12 else "season"  # noqa: PLR2004 - months
    if not isinstance(step, FixedStep):
        return "week" if axis.seasons.calendar == "business_days" and length == 5 else "season"  # noqa: PLR2004
    units = {MINUTE: "minute", DAY: "day", WEEK: "week", 52 * WEEK: "year"}
    return units.get(length * step.size, "season")
