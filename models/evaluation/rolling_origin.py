"""Where a backtest cuts the series: a rolling origin. Tashman (2000), Out-of-sample tests of forecasting.

Cuts closer together than a horizon make windows that share steps, and so their surprises. All of them are
forecast and measured, but what is concluded comes from those that are apart: calibration and verdict.
"""

from dataclasses import dataclass

from models.errors import InvalidConfig
from models.methods.forecast import checked_levels


@dataclass(frozen=True)
class RollingOrigin:
    """How many `cuts` there are, the steps from one to the next, and levels that the backtest has as well.

    None are as many cuts as a fifth of the history holds, and a horizon from one to the next. `levels` come
    beside `models.evaluation.losses.BACKTEST_LEVELS`. Raises `InvalidConfig` and `InvalidLevel`.
    """

    cuts: int | None = None
    step_size: int | None = None
    levels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("cuts", self.cuts), ("step_size", self.step_size)):
            if value is not None and value < 1:
                raise InvalidConfig(f"{name} is {value}; it must be at least 1.")
        checked_levels(self.levels)

    def stride(self, horizon: int) -> int:
        """Return the steps from one cut to the next."""
        return self.step_size or horizon

    def steps(self, horizon: int) -> int:
        """Return the steps from the first of the requested cuts to the end; those of one cut for None."""
        return ((self.cuts or 1) - 1) * self.stride(horizon) + horizon


WHERE_HISTORY_ALLOWS = RollingOrigin()
"""As many cuts as the history allows, a horizon apart."""
