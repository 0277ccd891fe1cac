"""Decide which method a model serves, from its verdict and what it does on a loss."""

from dataclasses import dataclass

from app.db.tables import Model
from app.errors import Conflict
from app.schemas.backtests import Verdict
from app.schemas.choices import Outcome
from models.methods.calibration import Calibration
from models.methods.combination import Method


@dataclass(frozen=True)
class ServedMethod:
    """The method that computes a forecast, with the verdict and the warning that the response shows.

    A preliminary one is served until the backtest that calibrates and judges it has ended.
    """

    name: str
    method: Method
    verdict: Outcome | None
    warning: str | None
    is_preliminary: bool = False


def of_model(model: Model) -> ServedMethod:
    """Return the method that a model serves, or its best baseline if it loses and is set to fall back.

    Raises Conflict if it loses and is set to refuse.
    """
    verdict = of_served(model)
    if verdict is None:
        return ServedMethod(model.served, method(model), verdict=None, warning=None)
    if verdict.outcome != "loses":
        return ServedMethod(model.served, method(model), verdict.outcome, warning=None)
    if model.on_loss == "refuse":
        raise Conflict(_refusal(model, verdict))
    if model.on_loss == "fallback":
        return ServedMethod(verdict.baseline, method(model, verdict.baseline), verdict.outcome, warning=None)
    return ServedMethod(model.served, method(model), verdict.outcome, warning=verdict.sentence)


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


def _refusal(model: Model, verdict: Verdict) -> str:
    return (
        f"{verdict.sentence} Model {model.id} is set to refuse then. Change that by PATCH /models/{model.id} "
        'with {"on_loss": "warn"} or {"on_loss": "fallback"}, or train again with POST /train.'
    )
