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
    def subject(self) -> str:
        """What the sentence is about."""
        return f"this {label(self.method)}'s error"

    @property
    def other(self) -> str:
        """What it is compared with."""
        return f"the best simple method's, {label(self.baseline)}"

    def sentence(
        self,
        outcome: Outcome,
        effect: float,
        median_effect: float,
        interval: tuple[float, float] | None,
        p_value: float,
    ) -> str:
        gap = f"{self._where()} {self.subject} ({self.measure}) was {self._gap(effect)}"
        return f"{gap}{self._ending(outcome, effect, interval, p_value)}.{_doubt(effect, median_effect)}"

    def _where(self) -> str:
        evidence, steps = self.evidence, _counted(self.held_out.horizon, self.held_out.step_name)
        series = _counted(evidence.series, "series", "series")
        periods = f"Over {_counted(evidence.cuts, 'period')} of {steps}"
        alike = round(evidence.movement.effective_series)
        if alike <= (1 - _ALIKE) * evidence.series:
            return f"{periods} and {series}, which move together like {alike},"
        return f"{periods} and {series}"

    def _gap(self, effect: float) -> str:
        if math.isinf(effect):
            return f"above {self.other}, which made none"
        if effect == 0:
            return f"the same as {self.other}"
        if effect >= 1:
            return f"{1 + effect:,.1f} times {self.other}"
        return f"{_percent(effect)} {self.other}"

    def _ending(
        self, outcome: Outcome, effect: float, interval: tuple[float, float] | None, p_value: float
    ) -> str:
        chance = f"a gap this wide arises by chance in {_cases(p_value)}"
        if outcome in ("beats", "loses"):
            return f"; {chance}"
        if outcome == "ties" and interval is not None:
            low, high = interval
            return "" if effect == low == high == 0 else f": in truth {_percent(low)} to {_percent(high)}"
        if not self.evidence.suffices:
            return f", but {self._too_few()}: {self._help(interval, effect)}"
        return f", but {chance}: {self._help(interval, effect)}"

    def _too_few(self) -> str:
        evidence = self.evidence
        worth = f"{evidence.effective_units:.2g}"
        if self.held_out.unit == "series":
            return (
                f"series that move together so are worth {worth} of their own, too few to tell it from chance"
            )
        periods = _counted(evidence.cuts, "period")
        if round(evidence.effective_units) < evidence.cuts:
            return f"{periods} that err alike are worth {worth}, too few to tell it from chance"
        return f"{periods} {'is' if evidence.cuts == 1 else 'are'} too few to tell it from chance"

    def _help(self, interval: tuple[float, float] | None, effect: float) -> str:
        """Return what would decide it: more history, more series, or both; the numbers are rough."""
        factor = _more_evidence(effect, interval)
        steps, series = self._more_steps(factor), self._more_series(factor)
        ways = [f"about {_rounded(steps):,} more {self.held_out.step_name}s of history"] if steps else []
        ways += [f"{_rounded(series):,} more series"] if series else []
        if not ways:
            return "it would take far more data to tell"
        return f"{', or '.join(ways)} may tell"

    def _more_steps(self, factor: float) -> int | None:
        """Return the steps of history that make periods enough; None where no history does."""
        held_out, evidence = self.held_out, self.evidence
        length = held_out.typical_length
        enough = max(FEWEST_UNITS, math.ceil(factor * evidence.cuts))
        if evidence.suffices and held_out.unit == "series":
            enough = math.ceil(factor * evidence.cuts)
        if enough > (MAX_CUTS_OF_FEW if held_out.unit == "cut" else MAX_CUTS):
            return None
        more = enough * HISTORY_PER_CUT * held_out.horizon - length
        return more if 0 < more <= _MOST_MORE * length else None

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


class PairWording(Wording):
    """The words of a verdict on two models, called by their names."""

    @property
    def subject(self) -> str:
        """What the sentence is about."""
        return f"the error of {self.method}"

    @property
    def other(self) -> str:
        """What it is compared with."""
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


def _doubt(effect: float, median_effect: float) -> str:
    if effect * median_effect >= 0 or abs(effect - median_effect) < _DISAGREEMENT:
        return ""
    side = f"{_percent(median_effect)} it" if math.isfinite(median_effect) else "above it"
    return f" The median one says otherwise: there it was {side}, so a few weigh heavily in the mean."


def _percent(effect: float) -> str:
    size = f"{abs(effect):.0%}".replace("%", " %") if abs(effect) >= 0.01 else "less than 1 %"  # noqa: PLR2004
    return f"{size} {'below' if effect < 0 else 'above'}"


def _rounded(count: int) -> int:
    """Return a count with its first two digits, the rest rounded up."""
    unit = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // unit) * unit


def _counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _cases(p_value: float) -> str:
    """Return a probability in words: 1 of 200 cases, or 37 of 100."""
    if p_value < 0.1:  # noqa: PLR2004 - from there on whole percents are close enough
        return f"1 of {float(f'{1 / p_value:.2g}'):,.0f} cases"
    return f"{round(100 * p_value)} of 100 cases"
