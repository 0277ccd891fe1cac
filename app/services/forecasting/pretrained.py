"""The pretrained network, which forecasts where nothing was trained: a model that no table holds."""

from functools import cache
from typing import TYPE_CHECKING

from app.db.tables import Model
from app.digest import sha256
from app.errors import BadInput, FieldError
from app.services.forecasting.request import PRETRAINED
from app.services.registry.served_method import ServedMethod
from models.choices import MAX_PRETRAINED_HORIZON
from models.config import HISTORY_LIMIT
from models.errors import HorizonTooLong
from models.horizon import check_pretrained, default_horizon
from models.panel import Panel

if TYPE_CHECKING:
    from models.network.forecaster import Forecaster

BACKTEST_SERIES = 250  # the first by name


def model(horizon: int | None, season_length: int) -> Model:
    """Return the network as the model of series of one season; the default horizon is about a season.

    Raises BadInput for a horizon beyond what the network has learned.
    """
    steps = default_horizon(season_length) if horizon is None else horizon
    try:
        check_pretrained(steps)
    except HorizonTooLong as error:
        remedy = "Ask for fewer, or train a model with that horizon by POST /train."
        limit = f"At most {MAX_PRETRAINED_HORIZON} without a training."
        raise BadInput(f"{error.detail} {remedy}", [FieldError("?horizon", limit)]) from error
    return Model(
        id=PRETRAINED,
        horizon=steps,
        weights_key=f"{PRETRAINED}/{steps}/{season_length}",
        weights_sha256=_weights_sha256(),
    )


def uncalibrated(model: Model) -> ServedMethod:
    """Return the network alone, without calibration and without a verdict."""
    # Imported here and below: torch takes seconds, and the service answers other calls meanwhile.
    from models.methods.zero_shot import uncalibrated_method  # noqa: PLC0415

    return ServedMethod(PRETRAINED, uncalibrated_method(model.horizon), verdict=None, warning=None)


def backtested(model: Model, network: "Forecaster", panel: Panel) -> ServedMethod:
    """Return the method to serve for some series: calibrated and judged by a backtest on their own past.

    Series that are too short for a backtest get the network uncalibrated. The backtest uses the first series
    of many, and the context of long ones. So the same series have the same result, whether a dataset holds
    them or a request sends them.
    """
    from models.evaluation.zero_shot import backtest_zero_shot  # noqa: PLC0415
    from models.network.pretrained import VIEW  # noqa: PLC0415

    assessment = backtest_zero_shot(network, panel.some(0, BACKTEST_SERIES).tail(HISTORY_LIMIT))
    if assessment is None:
        return uncalibrated(model)
    verdict = assessment.verdicts[VIEW]
    warning = verdict.sentence if verdict.outcome == "loses" else None
    return ServedMethod(PRETRAINED, assessment.methods[VIEW], verdict.outcome, warning)


@cache
def _weights_sha256() -> str:
    from models.network.pretrained import WEIGHTS  # noqa: PLC0415

    return sha256(WEIGHTS.read_bytes())
