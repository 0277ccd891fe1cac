"""Simulated panels for `benchmarks.honesty`: how often a verdict is wrong where the truth is known.

*The test alone*: gaps between two methods are drawn beside histories with the same common shocks, and judged.
The truth is zero, or for the power a gain. *The whole way*: series are drawn, and a model is trained on them
with preset `quick`; the mean effect over all panels of a kind is the truth.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import exp, sqrt
from multiprocessing import get_context
from statistics import fmean
from typing import TypeVar, get_args

import numpy as np

from benchmarks.honesty_rows import Row, Task
from models.choices import NO_SEASONS, Outcome
from models.config import preset
from models.evaluation.backtest import Backtest
from models.evaluation.held_out import HeldOut
from models.evaluation.sign_flips import min_p, sign_flip
from models.evaluation.verdict import LEVEL, judge
from models.methods.forecast import Forecast
from models.metrics import mean_by
from models.network.devices import use_one_thread
from models.panel import Floats, Panel
from models.training.train import train

PROCESSES = 2
ALONE, WHOLE = "the test alone", "the whole way"

MOST_FALSE = {"beats": 0.025, "loses": 0.05}
"""Shares of panels without a difference that the test may judge wrongly, beside two standard errors."""

LEAST_POWER = 0.9
"""Of the former test's, which took series for independent."""

MOST_WRONG = {"beats": 0.06, "loses": 0.08}
"""Shares of the panels that a training may judge wrongly."""

SMALL_LOSS = 0.05
"""A kind whose mean effect is below this has no model that should be said to lose."""

MEAN_LOSS = 6.0
"""Of either method, in standard deviations of a gap: far enough from 0 that no loss is negative."""

HEAVY = 3.0
"""Degrees of freedom of shocks with heavy tails."""

HORIZON = 6


@dataclass(frozen=True)
class Gaps:
    """A kind of panel for the test alone; `common` is the correlation of shocks and of gaps.

    `carried` is the correlation of a gap with that at the cut before, and `skew` the sigma of lognormal gaps,
    whose long tail is the worse side for a positive one; 0 for normal gaps.
    """

    name: str
    common: float = 0.0
    series: int = 40
    steps: int = 100
    cuts: int = 1
    gain: float = 0.0
    candidates: int = 1
    is_heavy: bool = False
    carried: float = 0.0
    skew: float = 0.0

    def noise(self, rng: np.random.Generator, *shape: int) -> Floats:
        """Return noise of variance 1, normal or with heavy tails."""
        return rng.standard_t(HEAVY, shape) / sqrt(HEAVY) if self.is_heavy else rng.normal(size=shape)

    def gaps(self, rng: np.random.Generator, *shape: int) -> Floats:
        """Return noise of mean 0 and variance 1 (..., cuts), carried over from cut to cut and skewed."""
        found = self.noise(rng, *shape)
        for cut in range(1, self.cuts):
            earlier = self.carried * found[..., cut - 1]
            found[..., cut] = earlier + sqrt(1 - self.carried**2) * found[..., cut]
        if not self.skew:
            return found
        square = self.skew**2
        deviation = sqrt(exp(square) * (exp(square) - 1))
        return np.asarray((np.exp(self.skew * found) - exp(square / 2)) / deviation)


GAPS = (
    Gaps("independent"),
    Gaps("independent, 4 cuts", cuts=4),
    Gaps("independent, 8 cuts", cuts=8),
    Gaps("independent, 30 steps", steps=30),
    Gaps("independent, best of 4", candidates=4),
    Gaps("independent, heavy tails", is_heavy=True),
    Gaps("common 0.02, 100 series", common=0.02, series=100),
    Gaps("common 0.1", common=0.1),
    Gaps("common 0.1, heavy tails", common=0.1, is_heavy=True),
    Gaps("common 0.1, 30 steps", common=0.1, steps=30),
    Gaps("common 0.3", common=0.3),
    Gaps("common 0.3, 4 cuts", common=0.3, cuts=4),
    Gaps("common 0.3, 8 cuts", common=0.3, cuts=8),
    Gaps("common 0.6", common=0.6),
    Gaps("common 0.6, 8 cuts", common=0.6, cuts=8),
    Gaps("common 0.9", common=0.9),
    Gaps("common 0.9, 8 cuts", common=0.9, cuts=8),
    Gaps("common 0.9, heavy tails, 8 cuts", common=0.9, cuts=8, is_heavy=True),
    Gaps("3 series, 12 cuts", series=3, cuts=12),
    Gaps("lognormal gaps, sigma 0.5", skew=0.5),
    Gaps("lognormal gaps, sigma 1", skew=1.0),
    Gaps("lognormal gaps, sigma 1, 12 series", skew=1.0, series=12),
    Gaps("3 series, 12 cuts, carried over 0.6", series=3, cuts=12, carried=0.6),
    Gaps("common 0.6, 8 cuts, carried over 0.6", common=0.6, cuts=8, carried=0.6),
)
POWER = (
    Gaps("gain, independent", gain=0.45),
    Gaps("gain, independent, 30 steps", steps=30, gain=0.45),
    Gaps("gain, independent, 4 cuts", cuts=4, gain=0.22),
    Gaps("gain, independent, best of 4", gain=0.3, candidates=4),
    Gaps("gain, 3 series, 12 cuts", series=3, cuts=12, gain=0.55),
)


@dataclass(frozen=True)
class Series:
    """A kind of panel for the whole way; `common` is the correlation of shocks between series."""

    name: str
    of_shocks: Callable[[Floats], Floats]
    common: float
    series: int = 40
    steps: int = 70

    def drawn(self, seed: int) -> Panel:
        """Draw the series of a panel."""
        rng = np.random.default_rng(seed)
        shape = self.steps + 50  # the first ones only start the process
        shared = sqrt(self.common) * rng.normal(size=shape)
        shocks = shared + sqrt(1 - self.common) * rng.normal(size=(self.series, shape))
        return Panel.of([100 + self.of_shocks(row)[-self.steps :] for row in shocks])


def _moving_average(shocks: Floats) -> Floats:
    """An IMA(1, 1), whose best forecast is exponential smoothing."""
    changes = shocks.copy()
    changes[1:] -= 0.6 * shocks[:-1]
    return np.asarray(changes.cumsum())


def _cycle(shocks: Floats) -> Floats:
    """An AR(2) with a cycle of about 6 steps, which no simple method continues."""
    values = np.zeros_like(shocks)
    for t in range(2, len(shocks)):
        values[t] = 0.9 * values[t - 1] - 0.85 * values[t - 2] + shocks[t]
    return values


SERIES = (
    Series("random walk, common 0.6", lambda shocks: np.asarray(shocks.cumsum()), common=0.6),
    Series("IMA, common 0.9", _moving_average, common=0.9),
    Series("white noise, common 0.3", lambda shocks: shocks, common=0.3),
    Series("AR with a gain, independent", _cycle, common=0.0),
)


Found = TypeVar("Found")


def tested(kind: Gaps, seed: int) -> tuple[Outcome, Outcome]:
    """Return the outcome of a drawn panel, and that of the former test."""
    rng = np.random.default_rng(seed)
    shocks = _together(kind, kind.noise(rng, kind.steps), kind.noise(rng, kind.series, kind.steps))
    shared = kind.gaps(rng, kind.candidates, 1, kind.cuts)
    gaps = _together(kind, shared, kind.gaps(rng, kind.candidates, kind.series, kind.cuts))
    gaps[1:] = (gaps[1:] + gaps[:1]) / sqrt(2)  # candidates err alike
    gaps -= kind.gain
    medians = [MEAN_LOSS + gap.reshape(-1, 1) for gap in gaps]
    best = min(medians, key=np.mean)
    held_out = _held_out(kind, 100 + shocks.cumsum(axis=1))
    rival = np.full_like(best, MEAN_LOSS)
    forecasts = {name: Forecast(median, {}, {}) for name, median in (("lstm", best), ("naive", rival))}
    outcome = judge(Backtest(held_out, forecasts), "lstm", candidates=medians, seed=seed).outcome
    return outcome, _former(held_out, [best - rival, *(median - rival for median in medians)], seed)


def _together(kind: Gaps, shared: Floats, own: Floats) -> Floats:
    return sqrt(kind.common) * shared + sqrt(1 - kind.common) * own


def _held_out(kind: Gaps, history: Floats) -> HeldOut:
    """Return windows of one step whose errors are their medians."""
    series = np.repeat(np.arange(kind.series), kind.cuts)
    ones = np.ones(len(series))
    return HeldOut(
        contexts=Panel.of(list(history[series])),
        target=np.zeros((len(series), 1)),
        series=series,
        cut=np.tile(np.arange(kind.cuts), kind.series),
        scale=ones,
        root_scale=ones,
        cuts=kind.cuts,
    )


def _former(held_out: HeldOut, gaps: Sequence[Floats], seed: int) -> Outcome:
    """Return what the test said that took series for independent (cuts, where those are few)."""
    units = np.stack([mean_by(held_out.units, gap) for gap in gaps], axis=1)
    center = units[:, 0].mean()
    p_value = sign_flip(units[:, :1], seed) if center > 0 else min_p(units, seed)
    if p_value >= LEVEL:
        return "ties"
    return "beats" if center < 0 else "loses"


def trained(kind: Series, seed: int) -> tuple[Outcome, float]:
    """Train on a drawn panel, and return the verdict on what is served, and the effect."""
    panel = kind.drawn(seed)
    config = preset(
        "quick",
        horizon=HORIZON,
        seasons=NO_SEASONS,
        values=len(panel.values),
        longest=kind.steps,
        seed=seed,
    )
    assessment = train(panel, config, ["lstm"]).assessment
    verdict = assessment.verdicts[assessment.served]
    return verdict.outcome, verdict.effect


def tasks(draws: int, panels: int) -> Iterator[Task]:
    """Yield a row to measure for each kind of panel: with the test alone, then the whole way."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), use_one_thread) as pool:
        for gaps in (*GAPS, *POWER) if draws else ():
            name = f"{gaps.name}, {draws:,} draws"
            yield Task(ALONE, name, partial(_row_of_gaps, pool, name, gaps, draws))
        for series in SERIES if panels else ():
            name = f"{series.name}, {panels} panels"
            yield Task(WHOLE, name, partial(_row_of_series, pool, name, series, panels))


def _row_of_gaps(pool: Executor, name: str, kind: Gaps, draws: int) -> Row:
    found = _in_parallel(pool, _tested, kind.name, draws)
    now, former = (Counter(pair[side] for pair in found) for side in (0, 1))
    shares = {outcome: now[outcome] / draws for outcome in get_args(Outcome)}
    before = {outcome: former[outcome] / draws for outcome in ("beats", "loses")}
    most = {outcome: share + 2 * sqrt(share * (1 - share) / draws) for outcome, share in MOST_FALSE.items()}
    if kind.gain:
        is_ok = shares["beats"] >= LEAST_POWER * before["beats"]
        bound = f"beats {LEAST_POWER * before['beats']:.1%} or more"
    else:
        is_ok = all(shares[outcome] <= share for outcome, share in most.items())
        bound = ", ".join(f"{outcome} {share:.1%}" for outcome, share in most.items())
    return Row(
        part=ALONE,
        name=name,
        measured=f"{_listed(shares)} (the former test: {_listed(before)})",
        bound=bound,
        is_ok=is_ok,
        figures=shares | {f"former {outcome}": share for outcome, share in before.items()},
    )


def _listed(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.1%}" for name, share in shares.items())


def _row_of_series(pool: Executor, name: str, kind: Series, panels: int) -> Row:
    found = _in_parallel(pool, _trained, kind.name, panels)
    truth, outcomes = fmean(effect for _, effect in found), Counter(outcome for outcome, _ in found)
    counts = {outcome: outcomes[outcome] for outcome in get_args(Outcome)}
    is_wrong = {"beats": truth >= 0, "loses": truth < SMALL_LOSS}
    wrong = {outcome: most * panels for outcome, most in MOST_WRONG.items() if is_wrong[outcome]}
    return Row(
        part=WHOLE,
        name=name,
        measured=f"effect {truth:+.1%}: {', '.join(f'{key} {count}' for key, count in counts.items())}",
        bound=", ".join(f"{outcome} {most:g}" for outcome, most in wrong.items()),
        is_ok=all(counts[outcome] <= most for outcome, most in wrong.items()),
        figures={"effect": round(truth, 4), **counts},
    )


def _tested(name: str, seed: int) -> tuple[Outcome, Outcome]:
    return tested(next(kind for kind in (*GAPS, *POWER) if kind.name == name), seed)


def _trained(name: str, seed: int) -> tuple[Outcome, float]:
    return trained(next(kind for kind in SERIES if kind.name == name), seed)


def _in_parallel(pool: Executor, function: Callable[[str, int], Found], kind: str, count: int) -> list[Found]:
    """Return what a function of a kind's name finds for so many seeds."""
    part = max(1, count // (10 * PROCESSES))
    return list(pool.map(function, [kind] * count, range(count), chunksize=part))
