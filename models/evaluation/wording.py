"""The words of a verdict: what was compared, how wide the gap is, and what would decide it."""

import math
from dataclasses import dataclass

from models.choices import Measure, Outcome
from models.evaluation.evidence import FEWEST_UNITS, Evidence
from models.evaluation.held_out import HeldOut
from models.evaluation.rolling_origin import FEW_SERIES, HISTORY_PER_CUT, MAX_CUTS, MAX_CUTS_OF_FEW
from models.methods.combination import BLEND

_LABELS = {
    BLEND: "blend",
    "pretrained": "pretrained network",
    "naive": "naive",
    "seasonal_naive": "seasonal naive",
    "drift": "drift",
    "last_change": "last value plus last change",
    "damped_trend": "damped trend",
    "theta": "dynamic optimised Theta",
    "ets": "ETS",
    "croston_sba": "Croston's with the correction of Syntetos and Boylan",
    "tsb": "Teunter, Syntetos and Babai's",
    "history": "the history's own distribution",
}

_DISAGREEMENT = 0.05
"""Mean and median effect of opposite signs are told apart where they differ by more."""

_ALIKE = 0.05
"""Series that are worth fewer than all but this share are said to move together."""

_SURELY = 0.995
"""From this p-value on chance makes a gap as wide nearly always: a count of cases would say too much."""

_MANY_TIMES, _MOST_TIMES = 100.0, 1e6
"""Ratios of errors from which on they are told as whole numbers, and not told."""

_NEARLY_ALL = -0.995
"""An effect below it is no whole percentage but the whole."""

_MOST_MORE = 3
"""Nobody is advised to bring more than so many times the series or the history there are."""


def label(method: str) -> str:
    """Return how sentences call a method."""
    return _LABELS.get(method, method.upper())


@dataclass(frozen=True)
class Wording:
    """The words of a verdict's sentence."""

    held_out: HeldOut
    method: str
    baseline: str
    evidence: Evidence
    measure: Measure

    @property
    def ours(self) -> str:
        """What is judged."""
        return f"this {label(self.method)}"

    @property
    def theirs(self) -> str:
        """What it is compared with."""
        return f"the best simple method, {label(self.baseline)},"

    @property
    def subject(self) -> str:
        """What the sentence is about."""
        return f"{self.ours}'s error"

    @property
    def other(self) -> str:
        """The error that it is compared with."""
        return f"the best simple method's, {label(self.baseline)}"

    def sentence(
        self,
        outcome: Outcome,
        effect: float,
        median_effect: float,
        interval: tuple[float, float] | None,
        p_value: float,
    ) -> str:
        ending = self._ending(outcome, effect, interval, p_value)
        return f"{self._where()} {self._gap(effect)}{ending}.{self._doubt(effect, median_effect)}"

    def _where(self) -> str:
        evidence, steps = self.evidence, _counted(self.held_out.horizon, self.held_out.step_name)
        periods = f"Over {_counted(evidence.cuts, 'period')} of {steps}"
        if self._is_lone:
            return periods
        series = _counted(evidence.series, "series", "series")
        alike = round(evidence.movement.effective_series)
        if alike <= (1 - _ALIKE) * evidence.series:
            return f"{periods} and {series}, which move together like {alike},"
        return f"{periods} and {series}"

    @property
    def _is_lone(self) -> bool:
        """Whether there is one series alone: it is not counted, and nobody is asked for others like it."""
        return len(self.held_out.tested) == 1

    def _gap(self, effect: float) -> str:
        if math.isinf(effect):
            return f"{self.theirs} made no error ({self.measure}), and {self.ours} did"
        if effect == -1:
            return f"{self.ours} made no error ({self.measure}), and {self.theirs} did"
        return f"{self.subject} ({self.measure}) was {_compared(effect)} {self.other}"

    def _ending(
        self, outcome: Outcome, effect: float, interval: tuple[float, float] | None, p_value: float
    ) -> str:
        if outcome in ("beats", "loses"):
            return f"; {_chance(p_value)}"
        if outcome == "ties" and interval is not None:
            low, high = interval
            is_exact = effect == low == high == 0
            return "" if is_exact else f": in truth it lies between {_end(low)} and {_end(high)}"
        if not self.evidence.suffices:
            return f", but {self._too_few()}: {self._help(interval, effect)}"
        open_gap = "in truth it may be wider" if effect == 0 else _chance(p_value)
        return f", but {open_gap}: {self._help(interval, effect)}"

    def _too_few(self) -> str:
        evidence, takes = self.evidence, f"where it takes {FEWEST_UNITS} to tell it from chance"
        if self.held_out.unit == "series":
            return f"that is the evidence of {_worth(evidence)} independent series, {takes}"
        if round(evidence.effective_units, 1) < evidence.cuts:
            worth = f"the evidence of {_worth(evidence)}"
            return f"{_counted(evidence.cuts, 'period')} that err alike are {worth}, {takes}"
        return f"that is the evidence of {_counted(evidence.cuts, 'period')}, {takes}"

    def _help(self, interval: tuple[float, float] | None, effect: float) -> str:
        """Return what would decide it: more history, more series, or both; the numbers are rough."""
        factor = _more_evidence(effect, interval)
        steps, series = self._more_steps(factor), None if self._is_lone else self._more_series(factor)
        ways = [f"about {_rounded(steps):,} more {self.held_out.step_name}s of history"] if steps else []
        ways += [f"{_rounded(series):,} more series"] if series else []
        shorter = self._shorter_horizon(factor) if self._is_lone and not ways else None
        ways += [f"a horizon of {_counted(shorter, self.held_out.step_name)}"] if shorter else []
        if not ways:
            return "it would take far more data to tell"
        return f"{', or '.join(ways)} may tell"

    def _more_steps(self, factor: float) -> int | None:
        """Return the steps of history that make periods enough; None where no history does."""
        held_out, length = self.held_out, self.held_out.typical_length
        enough = self._enough_cuts(factor)
        if enough > (MAX_CUTS_OF_FEW if held_out.unit == "cut" else MAX_CUTS):
            return None
        more = enough * HISTORY_PER_CUT * held_out.horizon - length
        return more if 0 < more <= _MOST_MORE * length else None

    def _enough_cuts(self, factor: float) -> int:
        wanted = math.ceil(factor * self.evidence.cuts)
        if self.evidence.suffices and self.held_out.unit == "series":
            return wanted
        return max(FEWEST_UNITS, wanted)

    def _shorter_horizon(self, factor: float) -> int | None:
        """Return the horizon at which the history there is has periods enough; None for no shorter one."""
        enough, held_out = self._enough_cuts(factor), self.held_out
        horizon = held_out.typical_length // (HISTORY_PER_CUT * enough)
        return horizon if enough <= MAX_CUTS_OF_FEW and 0 < horizon < held_out.horizon else None

    def _more_series(self, factor: float) -> int | None:
        """Return how many more series like these are enough; None where they move together too much."""
        evidence = self.evidence
        if self.held_out.unit == "cut":
            return FEW_SERIES - evidence.series
        correlation = evidence.movement.correlation
        wanted = max(FEWEST_UNITS, factor * evidence.movement.effective_series)
        if wanted * correlation >= 1:
            return None
        more = math.ceil(wanted * (1 - correlation) / (1 - wanted * correlation)) - evidence.series
        return more if 0 < more <= _MOST_MORE * evidence.series else None

    def _doubt(self, effect: float, median_effect: float) -> str:
        """Return that the mean and the median say otherwise, where they do; the mean is of some few then."""
        if effect * median_effect >= 0 or abs(effect - median_effect) < _DISAGREEMENT:
            return ""
        side = _percent(median_effect) if math.isfinite(median_effect) else "above"
        unit = "series" if self.held_out.unit == "series" else "period"
        return f" In the median {unit} it was {side}, so a few weigh heavily in the mean."


class PairWording(Wording):
    """The words of a verdict on two models, called by their names."""

    @property
    def ours(self) -> str:
        """What is judged."""
        return self.method

    @property
    def theirs(self) -> str:
        """What it is compared with."""
        return self.baseline

    @property
    def subject(self) -> str:
        """What the sentence is about."""
        return f"the error of {self.method}"

    @property
    def other(self) -> str:
        """The error that it is compared with."""
        return f"that of {self.baseline}"


def _more_evidence(effect: float, interval: tuple[float, float] | None) -> float:
    """Return how many times the evidence would show a gap like this, or that it is small; at least 1."""
    if interval is None or math.isinf(effect) or effect <= -1:
        return 1.0
    center = abs(math.log1p(effect))
    half = max(abs(math.log1p(end) - math.log1p(effect)) for end in interval if end > -1)
    to_differ = 1.3 * half / center if center > 0 else math.inf
    room = math.log(1.1) - center
    to_tie = half / room if room > 0 else math.inf
    return max(1.0, min(to_differ, to_tie) ** 2)


def _compared(effect: float) -> str:
    """Return an effect in words that go before the name of what is compared with."""
    if effect == 0:
        return "the same as"
    if effect < 1:
        return _percent(effect)
    times = 1 + effect
    if times >= _MOST_TIMES:
        return f"over {_MOST_TIMES:,.0f} times"
    return f"{times:,.0f} times" if times >= _MANY_TIMES else f"{times:,.1f} times"


def _percent(effect: float) -> str:
    if effect < _NEARLY_ALL:
        return "over 99 % below"
    size = f"{abs(effect):.0%}".replace("%", " %") if abs(effect) >= 0.01 else "less than 1 %"  # noqa: PLR2004
    return f"{size} {'below' if effect < 0 else 'above'}"


def _end(effect: float) -> str:
    """Return an end of an interval; below a percent it has a decimal, as "between less than" says nothing."""
    if abs(effect) >= 0.01:  # noqa: PLR2004
        return _percent(effect)
    size = f"{abs(effect):.1%}".replace("%", " %")
    return f"{size} {'below' if effect < 0 else 'above'}"


def _worth(evidence: Evidence) -> str:
    """Return the effective units with two digits, rounded down: what is below six is not called six."""
    units = evidence.effective_units
    return f"{math.floor(10 * units) / 10:.2g}"


def _rounded(count: int) -> int:
    """Return a count with its first two digits, the rest rounded up."""
    unit = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // unit) * unit


def _counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _chance(p_value: float) -> str:
    if p_value >= _SURELY:
        return "chance alone nearly always makes a gap as wide"
    return f"a gap this wide arises by chance in {_cases(p_value)}"


def _cases(p_value: float) -> str:
    """Return a probability in words: 1 of 200 cases, or 37 of 100."""
    if p_value < 0.1:  # noqa: PLR2004 - from there on whole percents are close enough
        return f"1 of {float(f'{1 / p_value:.2g}'):,.0f} cases"
    return f"{round(100 * p_value)} of 100 cases"
