"""Steps of plain numbers, or of years written as numbers."""

from dataclasses import dataclass

import numpy as np

from app.intake.arrays import Ints, Mask
from app.intake.time.steps import counted
from app.schemas.choices import Calendar


@dataclass(frozen=True)
class IntegerStep:
    """Whole numbers, or years written as whole numbers; neither suggests a season."""

    size: int
    years: bool = False
    whole_days: bool = True
    keeps_clock: bool = False
    season_lengths: tuple[int, ...] = ()
    calendar: Calendar = "none"

    @property
    def frequency(self) -> str | int:
        return counted(self.size, "YS") if self.years else self.size

    def fits(self, ordinals: Ints) -> Mask:
        return np.ones(len(ordinals), dtype=np.bool_)

    def position(self, ordinals: Ints) -> Ints:
        return ordinals

    def shift(self, ordinals: Ints, steps: Ints) -> Ints:
        return ordinals + steps * self.size

    def phase(self, ordinals: Ints) -> Ints:
        return ordinals // self.size
