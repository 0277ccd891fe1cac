"""How good the pretrained networks are on series they were not trained on, beside simple methods."""

from models.errors import UnusableHistory
from models.evaluation.assessment import Assessment, assess
from models.evaluation.held_out import HeldOut
from models.methods.baselines import baseline_forecast
from models.methods.calibration import LEVELS
from models.methods.ensemble import ensemble_forecast
from models.methods.forecast import Forecast
from models.network.forecaster import Forecaster
from models.network.pretrained import VIEW
from models.panel import Panel

RIVALS = ("naive", "seasonal_naive", "drift", "theta")
"""Simple methods that can be asked while somebody waits; ETS takes a tenth of a second for a series."""


def backtest_zero_shot(forecaster: Forecaster, panel: Panel) -> Assessment | None:
    """How the networks would have done on the last steps of these series, beside `RIVALS`.

    None where the series are too short to hold any out.
    """
    config = forecaster.config
    try:
        held_out = HeldOut.of(panel, config)
    except UnusableHistory:
        return None
    raw: dict[str, Forecast] = {VIEW: ensemble_forecast(forecaster, held_out.known, levels=LEVELS)}
    for name in RIVALS:
        raw[name] = baseline_forecast(name, held_out.known, config.horizon, config.season_length, LEVELS)
    return assess(raw, held_out, VIEW, tried=[raw[VIEW].median], blending="network", seed=config.seed)
