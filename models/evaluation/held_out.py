"""The steps that tell how good a method is: windows at the end of the series, cut by a rolling origin.

Cuts lie a horizon apart, so that no step is counted twice, the last of them a horizon before the end. What
is fitted once ends before the first; at each cut a method sees everything before it. Tashman (2000),
Out-of-sample tests of forecasting accuracy.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.config import HISTORY_LIMIT, MIN_INPUTS, TrainingConfig
from models.errors import UnusableHistory
from models.metrics import (
    mean,
    mean_by,
    percentage_errors,
    scaled_errors,
    seasonal_naive_error,
    seasonal_naive_root_error,
)
from models.panel import Floats, Integers, Panel

FEW_SERIES = 6
"""With fewer series than this their cuts are what a verdict counts, so more of them are made."""

MOST_CUTS = 4
MOST_CUTS_OF_FEW = 12

VALUES_A_WINDOW = 150
"""Of longer windows fewer are compared: ETS takes a tenth of a second for so many values."""

Unit = Literal["series", "cut"]
Measure = Literal["MASE", "sMAPE"]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The windows that every method is compared on, for one horizon and season.

    `known` is what a method may see of each window's series, and `target` (window, horizon) what came next,
    NaN for gaps. `series` (window,) is the number of its series in the panel, `cut` (window,) that of its
    cut, counted back from 0, the last; there are `cuts`. `scale` and `root_scale` (window,) are the mean
    absolute and the root mean square seasonal naive error of its series before its first cut, NaN where
    there is none.
    """

    known: Panel
    target: Floats
    series: Integers
    cut: Integers
    scale: Floats
    root_scale: Floats
    cuts: int

    @classmethod
    def of(cls, panel: Panel, config: TrainingConfig) -> "HeldOut":
        """The windows at the cuts of all series that have values on both sides.

        Of more than `config.windows`, or of long ones, a sample that depends on `config.seed`. Raises
        `UnusableHistory` when there is none.
        """
        cuts = cut_count(panel, config.horizon)
        series, cut = _usable(panel, config.horizon, cuts)
        if len(series) == 0:
            raise UnusableHistory(
                f"No series has values both among its last {config.horizon} and before them, so nothing can "
                "be held out: leave out the gaps at the end, or choose another horizon."
            )
        scales = _scales(panel, config, series, cut)
        chosen = _sample(panel.lengths[series], config)
        series, cut = series[chosen], cut[chosen]
        return cls(
            known=panel.heads(series, _origins(panel, config.horizon, series, cut)),
            target=_targets(panel, config.horizon, series, cut),
            series=series,
            cut=cut,
            scale=scales[0][series],
            root_scale=scales[1][series],
            cuts=cuts,
        )

    def __len__(self) -> int:
        return len(self.series)

    @property
    def horizon(self) -> int:
        return int(self.target.shape[1])

    @property
    def steps(self) -> int:
        """Steps at the end of each series that a fit must not see."""
        return self.cuts * self.horizon

    def known_of(self, first: int, count: int) -> Panel:
        """What a method may see of at most `count` windows, from number `first` on."""
        rows = np.arange(first, min(first + count, len(self)))
        return self.known.heads(rows, self.known.lengths[rows])

    @property
    def tested(self) -> Integers:
        """The numbers, rising, of the series that have a window."""
        return np.unique(self.series)

    @property
    def measure(self) -> Measure:
        """What errors are counted by: MASE, or sMAPE where all series are too short or constant for it."""
        return "MASE" if (self.scale > 0).any() else "sMAPE"

    @property
    def unit(self) -> Unit:
        """What counts as one, for the errors within it are not independent; of few series it is a cut."""
        return "cut" if len(self.tested) < FEW_SERIES else "series"

    @property
    def units(self) -> Integers:
        """(window,): the number of the unit that each window belongs to."""
        return self.cut if self.unit == "cut" else self.series

    @property
    def halves(self) -> NDArray[np.bool_]:
        """(window,): the half of the units that each window belongs to, drawn once and for all."""
        distinct, place = np.unique(self.units, return_inverse=True)
        drawn: NDArray[np.bool_] = np.random.default_rng(0).permutation(len(distinct))[place] % 2 == 1
        return drawn

    def errors(self, median: Floats) -> Floats:
        """(window, horizon): the errors that `measure` is the mean of; NaN where one does not count."""
        return self.mase_errors(median) if self.measure == "MASE" else self.smape_errors(median)

    def mase_errors(self, median: Floats) -> Floats:
        """(window, horizon): the absolute errors that MASE is the mean of; NaN where one does not count."""
        return np.abs(scaled_errors(self.target, median, self.scale))

    def smape_errors(self, median: Floats) -> Floats:
        """(window, horizon): the percentage errors that sMAPE is the mean of."""
        return percentage_errors(self.target, median)

    def error(self, median: Floats, chosen: NDArray[np.bool_] | slice = slice(None)) -> float:
        """Their mean over the chosen windows, by default all: within a unit first, then over the units."""
        return mean(mean_by(self.units[chosen], self.errors(median)[chosen]))


def cut_count(panel: Panel, horizon: int) -> int:
    """As many cuts as fit in a fifth of the median length: 1 to 4, to 12 where there are few series.

    Fewer where a fit before them would have nothing to learn from; never fewer than one.
    """
    most = MOST_CUTS_OF_FEW if panel.series < FEW_SERIES else MOST_CUTS
    wanted = int(np.median(panel.lengths) // (5 * horizon))
    return max(1, min(wanted, most, _possible_cuts(panel, horizon)))


def _possible_cuts(panel: Panel, horizon: int) -> int:
    """Cuts that leave a value to learn: one with another before it in its series, from `MIN_INPUTS` on.

    That they leave a window for every step needs no look: two cuts within a fifth leave eight horizons.
    """
    known = np.flatnonzero(np.isfinite(panel.values))
    series = np.searchsorted(panel.offsets, known, side="right") - 1
    learnable = np.append(False, series[1:] == series[:-1]) & (known - panel.offsets[series] >= MIN_INPUTS)
    after = panel.offsets[series + 1] - 1 - known
    return int(after[learnable].max(initial=0)) // horizon


def _usable(panel: Panel, horizon: int, cuts: int) -> tuple[Integers, Integers]:
    """Series and cut of every window with a value in its target, and one a forecast can start from."""
    series = np.repeat(np.arange(panel.series), cuts)
    cut = np.tile(np.arange(cuts), panel.series)
    origin = _origins(panel, horizon, series, cut)
    counts = np.append(0, np.cumsum(np.isfinite(panel.values)))

    def known(first: Integers, stop: Integers) -> Integers:
        start = panel.offsets[series]
        found: Integers = counts[start + np.maximum(stop, 0)] - counts[start + np.maximum(first, 0)]
        return found

    usable = (known(origin - HISTORY_LIMIT, origin) > 0) & (known(origin, origin + horizon) > 0)
    return series[usable], cut[usable]


def _origins(panel: Panel, horizon: int, series: Integers, cut: Integers) -> Integers:
    """(window,): how many values of its series lie before each window's first step ahead."""
    origins: Integers = panel.lengths[series] - (cut + 1) * horizon
    return origins


def _targets(panel: Panel, horizon: int, series: Integers, cut: Integers) -> Floats:
    first = panel.offsets[series] + _origins(panel, horizon, series, cut)
    targets: Floats = panel.values[first[:, None] + np.arange(horizon)]
    return targets


def _scales(panel: Panel, config: TrainingConfig, series: Integers, cut: Integers) -> tuple[Floats, Floats]:
    """Both (series of the panel,): the scales of MASE and RMSSE, NaN for series without a window."""
    tested, place = np.unique(series, return_inverse=True)
    earliest = np.zeros_like(tested)
    np.maximum.at(earliest, place, cut)
    before = panel.heads(tested, _origins(panel, config.horizon, tested, earliest))
    absolute, root = np.full((2, panel.series), np.nan)
    absolute[tested] = seasonal_naive_error(before, config.season_length)
    root[tested] = seasonal_naive_root_error(before, config.season_length)
    return absolute, root


def _sample(lengths: Integers, config: TrainingConfig) -> Integers:
    """(chosen,), rising: all windows, or one of each of as many equal strata by series length."""
    typical = max(VALUES_A_WINDOW, np.minimum(lengths, HISTORY_LIMIT).mean())
    most = max(FEW_SERIES * MOST_CUTS, int(config.windows * VALUES_A_WINDOW / typical))
    if len(lengths) <= most:
        return np.arange(len(lengths))
    generator = np.random.default_rng(config.seed)
    # Shuffled among equals, so that neighbours in the panel do not share a stratum.
    by_length = np.lexsort((generator.random(len(lengths)), lengths))
    bounds = np.linspace(0, len(lengths), most + 1).astype(np.int64)
    return np.sort(by_length[generator.integers(bounds[:-1], bounds[1:])])
