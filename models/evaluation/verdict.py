"""The verdict: whether a network beats the best baseline, and how certain that is.

Both are compared on the same windows, unit by unit. A unit is a series, with one mean error over its cuts and
steps, since these are not independent. With fewer than six series it is a cut, averaged over the series.

The test is the two-sided sign-flip permutation test of the mean difference: if neither were better, each
difference could as well have the other sign. Sources: Fisher (1935), The Design of Experiments, section 21;
Good (2005), Permutation, Parametric and Bootstrap Tests of Hypotheses.

The best of several candidates looks better than it is, so all differences of a unit get the same sign. The
p-value is the share of draws in which any of them is as extreme as the judged one. Extreme means rare for
candidates, and wide for baselines that are ahead. Source: Westfall & Young (1993), Resampling-Based Multiple
Testing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.choices import Measure, Outcome, Unit
from models.evaluation.backtest import Backtest
from models.evaluation.held_out import HeldOut
from models.methods.baselines import BASELINES
from models.methods.combination import BLEND
from models.metrics import mean, mean_by
from models.panel import Floats

LEVEL = 0.05
"""Significance level of the test."""

FEWEST_UNITS = 6
"""With five units the smallest possible p-value, 2 / 2**5, is above the level: they always tie."""

EXACT_UNITS = 12
"""With up to so many units all combinations of signs are counted; with more, `DRAWS` are drawn."""

DRAWS = 10_000

_AT_ONCE = 500

_ROUNDING = 1e-9
"""Sums that differ by this share count as equal: the order of adding changes them."""


@dataclass(frozen=True)
class Verdict:
    """The outcome against `baseline`, the one with the smallest mean error, and the evidence.

    `n` units were compared by their mean `measure`: MASE, or sMAPE where no series has a scale for it.
    `effect` is the mean error minus the baseline's, as a share of the baseline's: negative is better; it is
    infinite where only the baseline made no error. `p_value` accounts for the choice of the best of several.
    It is `sign_flip` over the baselines that are ahead of the method; if none is, `min_p` over the method's
    candidates. `sentence` puts all this into words.
    """

    outcome: Outcome
    baseline: str
    n: int
    unit: Unit
    measure: Measure
    effect: float
    p_value: float
    sentence: str


def judge(backtest: Backtest, method: str, *, candidates: Sequence[Floats] = (), seed: int = 0) -> Verdict:
    """Return the verdict on a method of the backtest against the baselines in it.

    `candidates` are the medians (window, horizon) of the candidates that it was chosen from, with or without
    its own; `seed` is that of the drawn signs.
    """
    held_out = backtest.held_out
    rivals = [name for name in BASELINES if name in backtest.forecasts]
    errors = {
        name: mean_by(held_out.units, held_out.errors(backtest.forecasts[name].median))
        for name in (method, *rivals)
    }
    baseline = min(rivals, key=lambda name: mean(errors[name]))
    counted = np.isfinite(errors[method])
    ours = errors[method][counted]
    gaps = {name: ours - errors[name][counted] for name in rivals}
    effect = _effect(float(ours.mean()), float(errors[baseline][counted].mean()))
    ahead = [gap for gap in gaps.values() if gap.mean() > 0]
    if ahead:
        p_value = sign_flip(np.stack(ahead, axis=1), seed)
    else:
        others = [_gap(held_out, median, errors[baseline])[counted] for median in candidates]
        p_value = min_p(np.stack([gaps[baseline], *others], axis=1), seed)
    outcome = _outcome(effect, p_value)
    wording = _Wording(held_out, method, baseline, len(ours))
    return Verdict(
        outcome=outcome,
        baseline=baseline,
        n=len(ours),
        unit=held_out.unit,
        measure=held_out.measure,
        effect=effect,
        p_value=p_value,
        sentence=wording.sentence(outcome, effect, p_value),
    )


def sign_flip(gaps: Floats, seed: int) -> float:
    """Return the two-sided p-value of the largest absolute mean of `gaps` (units, rivals)."""
    largest = np.abs(gaps).max(initial=0.0)
    if largest == 0:
        return 1.0
    # In units of the largest, so that no sum overflows; the test does not depend on the unit.
    scaled = gaps / largest
    observed = np.abs(scaled.sum(axis=0)).max() - _ROUNDING * np.abs(scaled).sum(axis=0).max()
    return float(np.mean(_sums(scaled, seed).max(axis=1) >= observed))


def min_p(gaps: Floats, seed: int) -> float:
    """Return the two-sided p-value of the first of `gaps` (units, candidates), chosen as the best.

    It is the share of draws in which any candidate's gap is as rare as the first's observed one: Westfall &
    Young's single-step min P. A gap is rare if few draws of the same candidate reach it, so candidates with
    larger errors count like any other. For one candidate it equals `sign_flip`. A candidate with the errors
    of the first adds nothing. The p-value of the first alone, times the number of candidates, is an upper
    bound (Bonferroni).
    """
    largest = np.abs(gaps).max(axis=0, initial=0.0)
    scaled = gaps / np.where(largest > 0, largest, 1.0)
    sums, rounding = _sums(scaled, seed), _ROUNDING * np.abs(scaled).sum(axis=0)
    as_wide = sums[:, 0] >= np.abs(scaled[:, 0].sum()) - rounding[0]
    if as_wide.all():
        return 1.0
    # Count the same number of draws of each candidate as rare, or fewer where that would split ties.
    next_widest = np.sort(sums, axis=0)[-1 - as_wide.sum()]
    as_rare = (sums > next_widest + rounding).any(axis=1)
    return float(np.mean(as_wide | as_rare))


def _sums(gaps: Floats, seed: int) -> Floats:
    """Return (draws, columns), the absolute sums of `gaps` (units, columns) with one random sign a unit.

    Up to `EXACT_UNITS` units the draws are all combinations of signs. With more units they are the observed
    signs and `DRAWS` random ones, so that no p-value is zero.
    """
    units = len(gaps)
    if units <= EXACT_UNITS:
        return _signed((np.arange(2**units)[:, None] >> np.arange(units)) & 1, gaps)
    generator = np.random.default_rng(seed)
    drawn = [
        _signed(generator.integers(0, 2, (_AT_ONCE, units), dtype=np.int8), gaps)
        for _ in range(0, DRAWS, _AT_ONCE)
    ]
    return np.concatenate([np.abs(gaps.sum(axis=0, keepdims=True)), *drawn])


def _signed(signs: NDArray[np.integer[Any]], gaps: Floats) -> Floats:
    """Return (draws, columns), the absolute sums over the units, with `signs` (draws, units) of 0 or 1."""
    width: Floats = np.abs((2 * signs - 1) @ gaps)
    return width


def _gap(held_out: HeldOut, median: Floats, baseline: Floats) -> Floats:
    """Return (units,), a candidate's error minus the `baseline`'s; 0 where it has none."""
    gap = mean_by(held_out.units, held_out.errors(median)) - baseline
    return np.where(np.isfinite(gap), gap, 0.0)


def _effect(ours: float, theirs: float) -> float:
    if theirs == 0:
        return 0.0 if ours == 0 else math.inf
    return ours / theirs - 1


def _outcome(effect: float, p_value: float) -> Outcome:
    if p_value >= LEVEL:
        return "ties"
    return "beats" if effect < 0 else "loses"


@dataclass(frozen=True)
class _Wording:
    """The words of a verdict's sentence."""

    held_out: HeldOut
    method: str
    baseline: str
    n: int

    def sentence(self, outcome: Outcome, effect: float, p_value: float) -> str:
        ours = _METHOD_LABELS.get(self.method, self.method.upper())
        gap = f"{self._where()} this {ours}'s error ({self.held_out.measure}) was {self._gap(effect)}"
        if self.n < FEWEST_UNITS:
            return f"{gap}, but {self._too_few()}."
        if effect == 0:
            return f"{gap}."
        chance = f"a gap this wide arises by chance in {_cases(p_value)}"
        return f"{gap}, but {chance}." if outcome == "ties" else f"{gap}; {chance}."

    def _where(self) -> str:
        held_out = self.held_out
        steps = _counted(held_out.steps, "known step").removeprefix("1 ")
        series = self.n if held_out.unit == "series" else len(held_out.tested)
        return f"On the last {steps} of {_counted(series, 'series', 'series')}"

    def _gap(self, effect: float) -> str:
        named = f"the best simple method's, {_BASELINE_LABELS[self.baseline]}"
        if math.isinf(effect):
            return f"above {named}, which made none"
        if effect == 0:
            return f"the same as {named}"
        if effect >= 1:
            return f"{1 + effect:,.1f} times {named}"
        size = f"{abs(effect):.0%}".replace("%", " %") if abs(effect) >= 0.01 else "less than 1 %"  # noqa: PLR2004
        return f"{size} {'below' if effect < 0 else 'above'} {named}"

    def _too_few(self) -> str:
        by_series = self.held_out.unit == "series"
        units = _counted(self.n, *(("series", "series") if by_series else ("cut",)))
        need = f"{FEWEST_UNITS} are needed" if by_series else "a longer history or more series help"
        verb = "is" if self.n == 1 else "are"
        return f"{units} {verb} too few to tell that from chance: {need}"


_METHOD_LABELS = {BLEND: "blend", "pretrained": "pretrained network"}

_BASELINE_LABELS = {
    "naive": "naive",
    "seasonal_naive": "seasonal naive",
    "drift": "drift",
    "last_change": "last value plus last change",
    "damped_trend": "damped trend",
    "theta": "dynamic optimised Theta",
    "ets": "ETS",
}


def _counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _cases(p_value: float) -> str:
    """Return a probability in words: 1 of 200 cases, or 37 of 100."""
    if p_value < 0.1:  # noqa: PLR2004 - from there on whole percents are close enough
        return f"1 of {float(f'{1 / p_value:.2g}'):,.0f} cases"
    return f"{round(100 * p_value)} of 100 cases"
