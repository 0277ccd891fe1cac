"""What a model's verdict means for its forecasts: who answers, and what is to be said with it."""

from dataclasses import dataclass

from app.db.tables import Model
from app.errors import Conflict
from app.schemas.backtests import Outcome, Verdict
from models.methods.calibration import Calibration
from models.methods.combination import Method


@dataclass(frozen=True)
class ServedMethod:
    """Whose numbers a forecast holds, and what is to be said with them."""

    name: str
    method: Method
    verdict: Outcome | None
    warning: str | None


def of_model(model: Model) -> ServedMethod:
    """Return who answers for a model, by its verdict and what it is to do on a loss.

    Raises Conflict if it is to refuse.
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
    """Return the verdict on what a model serves; None without a backtest."""
    verdict = (model.verdicts or {}).get(model.served)
    return None if verdict is None else Verdict.model_validate(verdict)


def all_of(model: Model) -> dict[str, Verdict]:
    """Return a model's verdicts by method; none without a backtest."""
    return {name: Verdict.model_validate(verdict) for name, verdict in (model.verdicts or {}).items()}


def method(model: Model, name: str | None = None) -> Method:
    """Return a way to forecast with a model, by default the one it serves.

    A model without a backtest has its network, whose intervals nothing has calibrated.
    """
    if model.methods is None:
        return Method({model.architecture: 1.0}, Calibration.identity(model.horizon))
    return Method.from_dict(model.methods[name or model.served])


def _refusal(model: Model, verdict: Verdict) -> str:
    return (
        f"{verdict.sentence} Model {model.id} is set to refuse then. Change that by PATCH /models/{model.id} "
        'with {"on_loss": "warn"} or {"on_loss": "fallback"}, or train again with POST /train.'
    )
