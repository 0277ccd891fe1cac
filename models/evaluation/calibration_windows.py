"""The windows that the pretrained networks are calibrated on: more than are held out to judge them.

A pass of the networks costs a millisecond, where a fit of Theta costs ten, and nothing is trained before the
cuts. So all series have windows, and shorter histories than a backtest of a training would ask for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.config import TrainingConfig
from models.evaluation.cross_fitting import left_out, reported_share, strength_of
from models.evaluation.rolling_origin import origins, targets, usable
from models.inputs.intermittence import demands
from models.methods.calibration import CALIBRATED_LEVELS, FEWEST_WINDOWS, Calibration, IntervalBounds
from models.methods.forecast import Forecast, joined
from models.methods.reach import Reach, slowed
from models.methods.support import Support
from models.metrics import covered, mean, mean_by
from models.panel import Floats, Integers, Panel

WINDOWS = 250
"""Windows that cuts are added for: few series have more cuts, up to `MOST_CUTS`, and many `LEAST_CUTS`.

Single series of a thousand steps were off by 4 points in place of 8 with so many windows of their own:
`docs/experiments/2026-11-30-intervals-of-few-series.md`.
"""

LEAST_CUTS, MOST_CUTS = 4, 100

BLOCKS = 8
"""Parts of the cuts that are left out in turn, each of neighbours, to see what intervals hold there."""

LEAST_CONTEXT = 8
"""Steps that a window's context has at least."""

HORIZONS_BEFORE = (2, 1)
"""Horizons that it has at least: shorter ones err more than the forecasts that are calibrated.

Where two leave a single cut, one is enough: what was held at one cut alone cannot be seen at another.
"""

EARLIER_MISSES, EARLIER_CUTS = 0.12, 3
"""Share of what bounds without a factor missed at so many cuts, or fewer, that is due to shorter histories.

Of more cuts it is less, as the first of them have the length of what is served: 400 series of a kind, in
`docs/experiments/2026-11-30-reported-coverage.md`.
"""

TURN_WINDOWS = 50
"""Windows that the networks forecast in one turn, which takes a tenth of a second at most."""


@dataclass(frozen=True, eq=False)
class CalibrationWindows:
    """Windows at the ends of the series, a horizon apart, with the values in them.

    `contexts` has the history before each, `target` (window, horizon) is NaN for gaps, `series` and `cut`
    (window,) are the numbers of its series and of its cut. `season_length` is that of the shortest season.
    """

    contexts: Panel
    target: Floats
    series: Integers
    cut: Integers
    season_length: int

    @cached_property
    def support(self) -> Support:
        """The values that the series of the windows take, as far as their contexts show."""
        return Support.of(self.contexts, demands(self.contexts, self.season_length))

    @classmethod
    def of(cls, panel: Panel, config: TrainingConfig) -> "CalibrationWindows | None":
        """Take the last windows of every series that is long enough; None if none is."""
        horizon, cuts = config.horizon, min(MOST_CUTS, max(LEAST_CUTS, WINDOWS // panel.series))
        series, cut = usable(panel, config, cuts, horizon)
        before = origins(panel, horizon, series, cut, horizon)
        for horizons in HORIZONS_BEFORE:
            long_enough = before >= max(LEAST_CONTEXT, horizons * horizon)
            if len(np.unique(cut[long_enough])) > 1:
                break
        if not long_enough.any():
            return None
        series, cut, before = series[long_enough], cut[long_enough], before[long_enough]
        contexts = panel.heads(series, before)
        return cls(contexts, targets(panel, horizon, series, before), series, cut, config.season_length)

    def forecast(self, by: Callable[[Panel], Forecast], give_way: Callable[[], None]) -> Forecast:
        """Return the forecast of every window, some windows at a time."""
        parts = []
        for first in range(0, self.contexts.series, TURN_WINDOWS):
            give_way()
            parts.append(by(self.contexts.some(first, TURN_WINDOWS)))
        return joined(parts)

    def calibrate(self, forecast: Forecast) -> Calibration:
        """Return the calibration on all windows of a forecast with bounds at `CALIBRATED_LEVELS`."""
        slow, strength = slowed(forecast, self.season_length), strength_of(self.cut)
        held = self._held(slow, Reach.of(self.contexts, self.season_length), strength)
        found, cuts = Calibration.of(slow, self.target, strength, self.support), len(np.unique(self.cut))
        if found.windows < FEWEST_WINDOWS:
            due = EARLIER_MISSES * min(1.0, EARLIER_CUTS / cuts)
            held = {level: inside + due * (1 - inside) for level, inside in held.items()}
        share, series = reported_share(self.cut, self.support), len(np.unique(self.series))
        return found.with_coverage(held, share, periods=cuts, series=series)

    def _held(self, forecast: Forecast, reach: Reach, strength: float) -> dict[int, float]:
        """Return the share that each level held at cuts left out: a mean within each series first."""
        cuts = np.unique(self.cut)
        if len(cuts) == 1:
            return {}
        widths = np.empty((1 + len(CALIBRATED_LEVELS), 2, *self.target.shape))
        for block in np.array_split(cuts, min(BLOCKS, len(cuts))):
            tested = np.isin(self.cut, block)
            widths[:, :, tested] = left_out(forecast, self, strength, tested, ~tested)
        bounds = IntervalBounds(forecast.median, widths).within(reach)
        tested_on = bounds.at(CALIBRATED_LEVELS, self.support)
        return {
            level: mean(mean_by(self.series, covered(self.target, tested_on.lo[level], hi)))
            for level, hi in tested_on.hi.items()
        }
