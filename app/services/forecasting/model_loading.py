"""Load a model, from stored bytes to a network that can forecast."""

from app import blobs
from app.db.engine import Database, Session
from app.db.tables import Model
from app.services.forecasting.request import PRETRAINED
from app.services.registry import baseline_forecasts
from app.services.registry.baseline_forecasts import BaselineForecasts
from app.services.registry.quantile_forecasts import LoadedModel
from models.choices import NO_SEASONS, Seasons

ModelKey = tuple[str, str, str]  # workspace, model, weights: two models may have the same ones


def preload() -> None:
    """Import what models, blends and fallbacks need, so that no request waits seconds for it."""
    from models.methods import baselines, ensemble, zero_shot  # noqa: F401, PLC0415
    from models.network import artifact  # noqa: F401, PLC0415

    baselines.preload()
    zero_shot.zero_shot_forecaster(1, NO_SEASONS)  # torch imports more with the first network of a process


def load_model(database: Database, model: Model, seasons: Seasons, device: str) -> LoadedModel:
    """Load a stored model, or set up the pretrained one for series of some seasons. Raises BlobDamaged."""
    if model.id == PRETRAINED:
        return load_pretrained(model.horizon, seasons, device)
    with database.read() as session:
        return load_stored(session, model, device)


def load_stored(session: Session, model: Model, device: str) -> LoadedModel:
    """Load a stored model onto a device. Raises BlobDamaged.

    From then on, each operation of torch runs in the thread that asks for it.
    """
    # Imported here: torch takes seconds, and the service answers other calls meanwhile.
    from models.network import artifact  # noqa: PLC0415
    from models.network.devices import use_one_thread  # noqa: PLC0415

    use_one_thread()
    weights = blobs.get(session, model.workspace_id, model.weights_key)
    forecaster = artifact.load(weights, model.artifact, device=device)
    return LoadedModel(forecaster, _baseline_forecasts(session, model))


def load_pretrained(horizon: int, seasons: Seasons, device: str) -> LoadedModel:
    """Set the pretrained network up on a device, for a horizon and series of some seasons.

    From then on, each operation of torch runs in the thread that asks for it.
    """
    # Imported here: as above.
    from models.methods.zero_shot import zero_shot_forecaster  # noqa: PLC0415
    from models.network.devices import use_one_thread  # noqa: PLC0415

    use_one_thread()
    return LoadedModel(zero_shot_forecaster(horizon, seasons, device), BaselineForecasts(0, {}, {}))


def _baseline_forecasts(session: Session, model: Model) -> BaselineForecasts:
    """Read the stored baseline forecasts; there are none where the served method takes no baseline."""
    if model.simple_key is None:
        return BaselineForecasts(model.dataset_version, {}, {})
    data = blobs.get(session, model.workspace_id, model.simple_key)
    return baseline_forecasts.read(data, model.dataset_version)
