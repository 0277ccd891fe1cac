"""The verdict: whether a network beats the best baseline, and how certain that is.

Both are compared on the same windows, unit by unit. A unit is a series, with one mean error over its cuts and
steps, since these are not independent. With fewer than six series it is a cut, averaged over the series.

The p-value is the largest of two tests of the mean difference, each two-sided: a permutation test that
accounts for the choice of the best of several (`models.evaluation.sign_flips`), and Student's t with the
degrees of the effective units. Both know how far series move together, and by cut where cuts suffice
(`models.evaluation.evidence`). The interval for the effect leaves out 0 where the test decides, and nowhere
else.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.choices import Measure, Outcome, Unit
from models.evaluation.backtest import Backtest
from models.evaluation.evidence import Evidence, weigh
from models.evaluation.losses import losses_by, reads_bounds
from models.evaluation.sign_flips import min_p, sign_flip
from models.evaluation.wording import PairWording, Wording
from models.methods.baselines import EVERY_BASELINE
from models.methods.forecast import Forecast
from models.metrics import mean, mean_by
from models.panel import Floats

LEVEL = 0.05
"""Significance level of the test."""

SMALL_GAP = 0.1
"""A tie is where the interval for the effect lies within this of 0."""


@dataclass(frozen=True)
class Verdict:
    """The outcome against `baseline`, the one with the smallest mean error, and the evidence.

    `n` units were compared by their mean `measure`: that of the backtest. They
    are worth `effective_units` independent ones, from so many `periods` (cuts). `effect` is the mean error
    minus the baseline's, as a share of the baseline's: negative is better; it is infinite where only the
    baseline made no error. `effect_interval` holds it with 90 % confidence, None where nothing is known;
    `median_effect` is that of the median unit. `p_value` accounts for the choice of the best of several.
    It is `sign_flip` over the baselines that are ahead of the method; if none is, `min_p` over the method's
    candidates; or that of Student's t if it is larger. `sentence` puts all this into words.
    """

    outcome: Outcome
    baseline: str
    n: int
    unit: Unit
    measure: Measure
    effect: float
    median_effect: float
    effect_interval: tuple[float, float] | None
    effective_units: float
    periods: int
    p_value: float
    sentence: str


def judge(
    backtest: Backtest,
    method: str,
    *,
    rivals: Collection[str] = EVERY_BASELINE,
    candidates: Sequence[Floats] = (),
    seed: int = 0,
) -> Verdict:
    """Return the verdict on a method of the backtest against the `rivals` in it, by default the baselines.

    `candidates` are the medians (window, horizon) of the candidates that it was chosen from, with or without
    its own; `seed` is that of the drawn signs. A rival that is no baseline is a model, called by its name.
    """
    held_out = backtest.held_out
    present = [name for name in rivals if name in backtest.forecasts]
    ours = backtest.errors(method)
    losses = {name: backtest.errors(name) for name in present}
    baseline = min(present, key=lambda name: mean(mean_by(held_out.units, losses[name])))
    theirs = losses[baseline]
    errors = [mean_by(held_out.units, each) for each in (ours, theirs)]
    mine, best = (each[np.isfinite(errors[0])] for each in errors)
    evidence = weigh(held_out, ours - theirs)
    effect = _effect(float(mine.mean()), float(best.mean()))
    gaps = {name: ours - each for name, each in losses.items()}
    if reads_bounds(backtest.measure):
        # Candidates are medians without bounds: Bonferroni's bound accounts for the choice of one of them.
        p_value = min(1.0, max(1, len(candidates)) * _p_value(evidence, gaps, baseline, [], seed))
    else:
        medians = [Forecast(median, {}, {}) for median in candidates]
        tried = [losses_by(backtest.measure, held_out, each) - theirs for each in medians]
        p_value = _p_value(evidence, gaps, baseline, tried, seed)
    interval = _interval(evidence, effect, ours, theirs)
    if interval is not None and best.any():
        interval, p_value = _agreeing(evidence, interval, p_value, ours, theirs)
    outcome = _outcome(evidence, effect, interval, p_value)
    median_effect = _median_effect(mine, best)
    words = Wording if baseline in EVERY_BASELINE else PairWording
    wording = words(held_out, method, baseline, evidence, backtest.measure)
    return Verdict(
        outcome=outcome,
        baseline=baseline,
        n=len(mine),
        unit=held_out.unit,
        measure=backtest.measure,
        effect=effect,
        median_effect=median_effect,
        effect_interval=interval,
        effective_units=evidence.effective_units,
        periods=evidence.cuts,
        p_value=p_value,
        sentence=wording.sentence(outcome, effect, median_effect, interval, p_value),
    )


def _p_value(
    evidence: Evidence, gaps: Mapping[str, Floats], baseline: str, candidates: Sequence[Floats], seed: int
) -> float:
    """Return the largest p-value of the ways to count, for the `gaps` to all rivals that are ahead.

    If none is, it is for the gap to the baseline, and those of the candidates.
    """
    found = [evidence.p_value(gaps[baseline])]
    for counting in evidence.countings:
        shares = {name: counting.of(gap) for name, gap in gaps.items()}
        ahead = [each for each in shares.values() if each.mean() > 0]
        if ahead:
            found.append(sign_flip(np.stack(ahead, axis=1), seed, counting.inflation))
        else:
            others = [counting.of(_known(gap, gaps[baseline])) for gap in candidates]
            tried = np.stack([shares[baseline], *others], axis=1)
            found.append(min_p(tried, seed, counting.inflation))
    return max(found)


def _interval(evidence: Evidence, effect: float, ours: Floats, theirs: Floats) -> tuple[float, float] | None:
    """Return the interval for the effect; None for no finite one."""
    if effect == 0 and not np.nan_to_num(theirs).any():
        return (0.0, 0.0) if evidence.suffices else None
    return evidence.interval(ours, theirs) if math.isfinite(effect) else None


def _agreeing(
    evidence: Evidence, interval: tuple[float, float], p_value: float, ours: Floats, theirs: Floats
) -> tuple[tuple[float, float], float]:
    """Return interval and p-value such that 0 lies outside the one where the other decides, and only there.

    The test knows of the choice among candidates and rivals, the interval does not: what it cannot tell from
    0 reaches 0. And the interval is that of a ratio, which may be less sure than the gap that is tested.
    """
    low, high = interval
    if p_value >= LEVEL:
        return (min(low, 0.0), max(high, 0.0)), p_value
    if low <= 0 <= high:
        return interval, max(p_value, evidence.p_value_of_ratio(ours, theirs))
    return interval, p_value


def _known(gap: Floats, judged: Floats) -> Floats:
    """Return a candidate's gap where the judged one has one; 0 in a window where it has no error itself."""
    return np.where(np.isfinite(judged), np.where(np.isfinite(gap), gap, 0.0), np.nan)


def _effect(ours: float, theirs: float) -> float:
    if theirs == 0:
        return 0.0 if ours == 0 else math.inf
    return ours / theirs - 1


def _median_effect(ours: Floats, theirs: Floats) -> float:
    """Return the median over the units of what the error is above the baseline's, as a share of it."""
    return float(np.median([_effect(*pair) for pair in zip(ours.tolist(), theirs.tolist(), strict=True)]))


def _outcome(
    evidence: Evidence, effect: float, interval: tuple[float, float] | None, p_value: float
) -> Outcome:
    if not evidence.suffices:
        return "undecided"
    low, high = (-math.inf, math.inf) if interval is None else interval
    if p_value < LEVEL:
        return "beats" if effect < 0 else "loses"
    return "ties" if low >= -SMALL_GAP and high <= SMALL_GAP else "undecided"
