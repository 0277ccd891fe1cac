"""The held-out windows that methods are compared on, at the ends of the series, with a rolling origin.

Cuts are a horizon apart, the last one a horizon before the end, so that no step counts twice, unless a caller
asks for others (`models.evaluation.rolling_origin`). The backtested networks are fitted once, before the
first cut; at each cut a method reads everything before it.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.choices import MeasureChoice, Unit
from models.config import TrainingConfig
from models.errors import UnusableHistory
from models.evaluation.rolling_origin import (
    FEW_SERIES,
    WHERE_HISTORY_ALLOWS,
    RollingOrigin,
    cut_count,
    origins,
    targets,
    usable,
)
from models.inputs.intermittence import demands
from models.methods.baselines import fitting_work
from models.methods.support import Support
from models.metrics import seasonal_naive_error, seasonal_naive_root_error
from models.panel import Floats, Integers, Panel

STEP = "step"
"""What a step is called where it has no name of its own."""

FEWEST_WINDOWS = 24
"""Windows that are compared however long their fits take."""

MOST_REQUESTED = 5000
"""Windows that are compared at most where a caller says how many cuts there are; else a preset's."""

MOST_VALUES = 20_000_000
"""Values that the contexts of requested cuts hold together: 160 MB, as those of a preset at most."""

WORK_PER_WINDOW = 150.0
"""Work that each of a preset's windows may cost. Where fits cost more, fewer windows are compared.

So the simple methods take about as long as the networks, whose members and steps the preset sets too.
"""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The windows that methods are compared on, for one horizon and season.

    `contexts` has the history before each window, and `target` (window, horizon) the values in it, NaN for
    gaps. `series` (window,) is the number of its series in the panel, and `cut` (window,) that of its cut: 0
    is the last of the `cuts`, 1 the one `step_size` steps before it (None: a horizon). `scale` and
    `root_scale` (window,) are the mean absolute and the root mean square seasonal naive error of its series
    before the first cut, NaN for none. `season_length` is the shortest season's, 1 for none, `measure` the
    one to compare by, and `step_name` what a step is called, such as `month`.
    """

    contexts: Panel
    target: Floats
    series: Integers
    cut: Integers
    scale: Floats
    root_scale: Floats
    cuts: int
    season_length: int = 1
    measure: MeasureChoice = "auto"
    step_name: str = STEP
    step_size: int | None = None

    @classmethod
    def of(
        cls,
        panel: Panel,
        config: TrainingConfig,
        measure: MeasureChoice = "auto",
        step_name: str = STEP,
        origin: RollingOrigin = WHERE_HISTORY_ALLOWS,
    ) -> "HeldOut":
        """Hold out the windows of all series that have values on both sides of a cut.

        More than `config.windows` windows, or fewer where fits cost much, are sampled with `config.seed`; of
        requested cuts, more than `MOST_REQUESTED`, or fewer long ones. Raise `UnusableHistory` for none, and
        for more cuts than the series have room for.
        """
        stride = origin.stride(config.horizon)
        cuts = cut_count(panel, config.horizon, origin)
        series, cut = usable(panel, config, cuts, stride)
        if len(series) == 0:
            raise UnusableHistory(
                f"No series has values both among its last {config.horizon} and before them, so nothing can "
                "be held out: leave out the gaps at the end, or choose another horizon."
            )
        before = origins(panel, config.horizon, series, cut, stride)
        scales = _scales(panel, config, series, before)
        most = (
            _most_windows(panel.lengths[series], config) if origin.cuts is None else _most_requested(before)
        )
        chosen = _sample(panel.lengths[series], most, config.seed)
        series, cut, before = series[chosen], cut[chosen], before[chosen]
        return cls(
            contexts=panel.heads(series, before),
            target=targets(panel, config.horizon, series, before),
            series=series,
            cut=cut,
            scale=scales[0][series],
            root_scale=scales[1][series],
            cuts=cuts,
            season_length=config.season_length,
            measure=measure,
            step_name=step_name,
            step_size=stride,
        )

    def __len__(self) -> int:
        return len(self.series)

    @property
    def horizon(self) -> int:
        return int(self.target.shape[1])

    @property
    def steps(self) -> int:
        """Steps at the end of each series that a backtested network is not fitted on."""
        return (self.cuts - 1) * self.stride + self.horizon

    @property
    def stride(self) -> int:
        """Steps from one cut to the next."""
        return self.step_size or self.horizon

    @property
    def cuts_a_horizon(self) -> int:
        """How many cuts are so close that their windows share steps; 1 where none do."""
        return -(-self.horizon // self.stride)

    @cached_property
    def is_apart(self) -> NDArray[np.bool_]:
        """(window,) which windows are at cuts of which no two share steps."""
        apart: NDArray[np.bool_] = (self.cut - self.cut.min()) % self.cuts_a_horizon == 0
        return apart

    @cached_property
    def apart(self) -> "HeldOut":
        """The windows at cuts of which no two share steps: what may be concluded from."""
        if self.cuts_a_horizon == 1:
            return self
        kept = self.rows(self.is_apart)
        return replace(
            kept,
            cut=(kept.cut - kept.cut.min()) // self.cuts_a_horizon,
            cuts=-(-self.cuts // self.cuts_a_horizon),
            step_size=self.stride * self.cuts_a_horizon,
        )

    def rows(self, chosen: NDArray[np.bool_]) -> "HeldOut":
        """Return the chosen (window,) windows alone."""
        kept = np.flatnonzero(chosen)
        return replace(
            self,
            contexts=self.contexts.heads(kept, self.contexts.lengths[kept]),
            target=self.target[kept],
            series=self.series[kept],
            cut=self.cut[kept],
            scale=self.scale[kept],
            root_scale=self.root_scale[kept],
        )

    def is_clear_of(self, cut: int) -> NDArray[np.bool_]:
        """Return (window,), which windows share no step with those at a cut."""
        clear: NDArray[np.bool_] = np.abs(self.cut - cut) * self.stride >= self.horizon
        return clear

    @cached_property
    def support(self) -> Support:
        """The values that the series of the windows take, as far as their contexts show."""
        return Support.of(self.contexts, demands(self.contexts, self.season_length))

    def context_batch(self, first: int, count: int) -> Panel:
        """Return the contexts of at most `count` windows, from number `first` on."""
        rows = np.arange(first, min(first + count, len(self)))
        return self.contexts.heads(rows, self.contexts.lengths[rows])

    @property
    def tested(self) -> Integers:
        """The numbers, rising, of the series with a window."""
        return np.unique(self.series)

    def history(self, series: Integers) -> Panel:
        """Return the values of these series before the first of their windows."""
        by_length = np.lexsort((self.contexts.lengths, self.series))
        first = by_length[np.searchsorted(self.series[by_length], series)]
        return self.contexts.heads(first, self.contexts.lengths[first])

    @property
    def typical_length(self) -> int:
        """The median length of the tested series, in steps."""
        return int(np.median(self.contexts.lengths + self.cut * self.stride + self.horizon))

    @property
    def unit(self) -> Unit:
        """The unit of independent errors: a series, or a cut where there are few series."""
        return "cut" if len(self.tested) < FEW_SERIES else "series"

    @property
    def units(self) -> Integers:
        """(window,) the number of each window's unit; cuts that share steps are one."""
        return self.cut // self.cuts_a_horizon if self.unit == "cut" else self.series

    @property
    def folds(self) -> NDArray[np.bool_]:
        """(window,) which of two random halves of the units each window is in, always the same."""
        distinct, place = np.unique(self.units, return_inverse=True)
        drawn: NDArray[np.bool_] = np.random.default_rng(0).permutation(len(distinct))[place] % 2 == 1
        return drawn


def _scales(
    panel: Panel, config: TrainingConfig, series: Integers, before: Integers
) -> tuple[Floats, Floats]:
    """Return the scales of MASE and RMSSE, both (series of the panel,), NaN without a window."""
    tested, place = np.unique(series, return_inverse=True)
    earliest = panel.lengths[tested].copy()
    np.minimum.at(earliest, place, before)
    heads = panel.heads(tested, earliest)
    absolute, root = np.full((2, panel.series), np.nan)
    absolute[tested] = seasonal_naive_error(heads, config.season_length)
    root[tested] = seasonal_naive_root_error(heads, config.season_length)
    return absolute, root


def _most_windows(lengths: Integers, config: TrainingConfig) -> int:
    """Return the windows that a preset has time for, by the lengths (window,) of their series."""
    typical = max(WORK_PER_WINDOW, fitting_work(lengths, config.season_length).mean())
    return max(FEWEST_WINDOWS, int(config.windows * WORK_PER_WINDOW / typical))


def _most_requested(before: Integers) -> int:
    """Return the windows of requested cuts that are compared, by the lengths (window,) of their contexts."""
    return max(FEWEST_WINDOWS, min(MOST_REQUESTED, int(MOST_VALUES / before.mean())))


def _sample(lengths: Integers, most: int, seed: int) -> Integers:
    """Return (chosen,), rising: all windows, or a random one of each of equal strata by series length."""
    if len(lengths) <= most:
        return np.arange(len(lengths))
    generator = np.random.default_rng(seed)
    # Random among equal lengths, so that neighbours in the panel do not share a stratum.
    by_length = np.lexsort((generator.random(len(lengths)), lengths))
    bounds = np.linspace(0, len(lengths), most + 1).astype(np.int64)
    return np.sort(by_length[generator.integers(bounds[:-1], bounds[1:])])
