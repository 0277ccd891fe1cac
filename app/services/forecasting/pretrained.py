"""The pretrained network, which answers where nothing was trained: a model that no table holds."""

from functools import cache
from typing import TYPE_CHECKING

from app.db.tables import Model
from app.digest import sha256
from app.errors import BadInput, FieldError
from app.services.registry.served_method import ServedMethod
from models.choices import MAX_PRETRAINED_HORIZON
from models.config import HISTORY_LIMIT
from models.panel import Panel

if TYPE_CHECKING:
    from models.network.forecaster import Forecaster

LOOKED_BACK_ON = 250  # series, the first by name
MODEL_ID = "pretrained"
"""Stands where a model's id does; those of trained models begin otherwise."""


def model(horizon: int | None, season_length: int) -> Model:
    """Return the network as the model of series of one season; it looks ahead a season where nothing is said.

    Raises BadInput for a horizon beyond what it has learned.
    """
    # Imported here and below: torch takes seconds, and the service answers other calls meanwhile.
    from models.methods.zero_shot import default_horizon  # noqa: PLC0415

    steps = default_horizon(season_length) if horizon is None else horizon
    if steps > MAX_PRETRAINED_HORIZON:
        raise BadInput(
            f"Without a training a forecast reaches at most {MAX_PRETRAINED_HORIZON} steps ahead, "
            f"not {steps}. Ask for fewer, or train a model with that horizon by POST /train.",
            [FieldError("?horizon", f"At most {MAX_PRETRAINED_HORIZON} without a training.")],
        )
    return Model(
        id=MODEL_ID,
        horizon=steps,
        weights_key=f"{MODEL_ID}/{steps}/{season_length}",
        weights_sha256=_weights_sha256(),
    )


def as_it_is(model: Model) -> ServedMethod:
    """Return the network alone as who answers: nothing has calibrated or judged it."""
    from models.methods.zero_shot import uncalibrated_method  # noqa: PLC0415

    return ServedMethod(MODEL_ID, uncalibrated_method(model.horizon), verdict=None, warning=None)


def looked_back(model: Model, network: "Forecaster", panel: Panel) -> ServedMethod:
    """Return it calibrated and judged on the past of some series; as it is where they are too short.

    Of many the first ones stand for all, and of long ones the end that forecasts are made from: so it is the
    same for the same series, whether a dataset holds them or a call brings them.
    """
    from models.evaluation.zero_shot import backtest_zero_shot  # noqa: PLC0415
    from models.network.pretrained import VIEW  # noqa: PLC0415

    assessment = backtest_zero_shot(network, panel.some(0, LOOKED_BACK_ON).tail(HISTORY_LIMIT))
    if assessment is None:
        return as_it_is(model)
    verdict = assessment.verdicts[VIEW]
    warning = verdict.sentence if verdict.outcome == "loses" else None
    return ServedMethod(MODEL_ID, assessment.methods[VIEW], verdict.outcome, warning)


@cache
def _weights_sha256() -> str:
    from models.network.pretrained import WEIGHTS  # noqa: PLC0415

    return sha256(WEIGHTS.read_bytes())
