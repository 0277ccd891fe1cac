"""Decide which method is served, from a verdict and what a model does on a loss."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.db.tables import Model
from app.errors import Conflict
from app.schemas.backtests import LevelCalibration, Verdict
from app.schemas.choices import Outcome
from models.evaluation.evidence import FEWEST_UNITS
from models.evaluation.wording import label
from models.methods.calibration import CALIBRATED_LEVELS, Calibration
from models.methods.combination import Method

if TYPE_CHECKING:
    from models.evaluation.assessment import Assessment

MUCH_WORSE = 0.25
"""From this effect on every forecast carries a warning, of six effective units or more."""

MUCH_WORSE_ON_ONE = 2.5
"""The same of one unit, and its share of fewer than six: the best of seven simple methods is ahead by luck.

It was a quarter better on half of all random walks, and by this much on one in 20
(`docs/experiments/2026-11-30-short-histories.md`).
"""

TWICE_AS_BAD = 1.0
"""From this effect on an undecided network counts as one that lost.

Unless one pair is all there is: where the pretrained networks were twice as bad on the one window of a single
series of M3, the baseline chosen by it was 35 % worse on the steps that followed
(`docs/decisions/0026-evidence.md`).
"""

FAR_TOO_BAD = 99.0
"""From this effect on one pair decides, too; from ten times on, short seasons and lines lost by it."""


@dataclass(frozen=True)
class ServedMethod:
    """The method that computes a forecast, with the verdict and the warning that the response shows.

    A preliminary one is served until the backtest that calibrates and judges it has ended. `assessment` is
    what the pretrained network's backtest found, until that is stored.
    """

    name: str
    method: Method
    verdict: Outcome | None
    warning: str | None
    is_preliminary: bool = False
    assessment: "Assessment | None" = field(default=None, compare=False, repr=False)

    @property
    def is_slow(self) -> bool:
        """Whether a series takes a tenth of a second, as with ETS, instead of a millisecond."""
        return "ets" in self.method.weights


def of_model(model: Model) -> ServedMethod:
    """Return the method that a model serves, or its best baseline if that is better and it is to fall back.

    Raises Conflict if a baseline is better and it is set to refuse.
    """
    verdict = of_served(model)
    if verdict is None:
        return ServedMethod(model.served, method(model), verdict=None, warning=None)
    if gives_way(verdict) and model.on_loss == "refuse":
        raise Conflict(_refusal(model, verdict))
    falls_back = gives_way(verdict) and model.on_loss == "fallback"
    name = verdict.baseline if falls_back else model.served
    return ServedMethod(name, method(model, name), verdict.outcome, warning_of(verdict, name))


def gives_way(verdict: Verdict) -> bool:
    """Return whether the best baseline is better, or far better where too little is known to decide.

    Undecided, it is not where the network is ahead in the median unit: then few wild ones make the mean.
    """
    if verdict.outcome != "undecided":
        return verdict.outcome == "loses"
    too_bad = TWICE_AS_BAD if verdict.n > 1 else FAR_TOO_BAD
    is_wild = verdict.median_effect is not None and verdict.median_effect < 0
    return _size(verdict) >= too_bad and not is_wild


def warning_of(verdict: Verdict, served: str) -> str | None:
    """Return the sentence that goes with each forecast by the method `served`; None where all is well.

    It tells of a network that answers although it lost, and of any that was much worse, also where the
    baseline answers in its place.
    """
    is_worse = _size(verdict) >= _much_worse(verdict)
    if served == verdict.baseline:
        return f"{verdict.sentence} Answered by {label(served)} instead." if is_worse else None
    return verdict.sentence if is_worse or gives_way(verdict) else None


def _much_worse(verdict: Verdict) -> float:
    """Return the effect from which on a network was worse than by the luck of the best of several."""
    units = verdict.n if verdict.effective_units is None else verdict.effective_units
    if units >= FEWEST_UNITS or gives_way(verdict):
        return MUCH_WORSE
    return MUCH_WORSE_ON_ONE / units


def _size(verdict: Verdict) -> float:
    """Return the effect; infinite where only the baseline made no error."""
    return math.inf if verdict.effect is None else verdict.effect


def of_served(model: Model) -> Verdict | None:
    """Return the verdict on the method that a model serves; None without a backtest."""
    verdict = (model.verdicts or {}).get(model.served)
    return None if verdict is None else Verdict.model_validate(verdict)


def all_of(model: Model) -> dict[str, Verdict]:
    """Return a model's verdicts by method; empty without a backtest."""
    return {name: Verdict.model_validate(verdict) for name, verdict in (model.verdicts or {}).items()}


def method(model: Model, name: str | None = None) -> Method:
    """Return a method of a model, by default the one it serves.

    A model without a backtest has its network alone, without calibrated intervals.
    """
    if model.methods is None:
        return Method({model.architecture: 1.0}, Calibration.identity(model.horizon, bounded=False))
    return Method.from_dict(model.methods[name or model.served])


def reliabilities(method: Method) -> dict[str, LevelCalibration]:
    """Return for each level how reliable the intervals of a method are."""
    return {
        str(level): LevelCalibration.model_validate(method.calibration.reliability(level))
        for level in CALIBRATED_LEVELS
    }


def _refusal(model: Model, verdict: Verdict) -> str:
    return (
        f"{verdict.sentence} Model {model.id} is set to refuse then. Change that by PATCH /models/{model.id} "
        'with {"on_loss": "warn"} or {"on_loss": "fallback"}, or train again with POST /train.'
    )
