"""Backtest the pretrained networks on given series, against the fast baselines."""

from models.errors import UnusableHistory
from models.evaluation.assessment import Assessment, assess
from models.evaluation.held_out import HeldOut
from models.methods.baselines import baseline_forecast
from models.methods.calibration import CALIBRATED_LEVELS
from models.methods.ensemble import ensemble_forecast
from models.methods.forecast import Forecast
from models.network.forecaster import Forecaster
from models.network.pretrained import VIEW
from models.panel import Panel

RIVALS = ("naive", "seasonal_naive", "drift", "theta")
"""Baselines fast enough for a request; ETS takes a tenth of a second for a series."""


def backtest_zero_shot(forecaster: Forecaster, panel: Panel) -> Assessment | None:
    """Assess the networks on the last steps of the series, against `RIVALS`.

    Return None where the series are too short to hold any out.
    """
    config = forecaster.config
    try:
        held_out = HeldOut.of(panel, config)
    except UnusableHistory:
        return None
    forecasts: dict[str, Forecast] = {
        VIEW: ensemble_forecast(forecaster, held_out.contexts, levels=CALIBRATED_LEVELS)
    }
    for name in RIVALS:
        forecasts[name] = baseline_forecast(
            name, held_out.contexts, config.horizon, config.season_length, CALIBRATED_LEVELS
        )
    return assess(
        forecasts, held_out, VIEW, candidates=[forecasts[VIEW].median], blending="network", seed=config.seed
    )
