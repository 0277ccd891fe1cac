"""Keep loaded models in the memory of an API process, bounded in bytes."""

from collections.abc import Callable

from app.observability import metrics
from app.services.forecasting.model_loading import ModelKey
from app.services.registry.quantile_forecasts import LoadedModel
from app.services.shared.lru import Lru
from app.services.shared.single_flight import SingleFlight


class ModelCache(SingleFlight[ModelKey, LoadedModel]):
    """The models used last; a model is loaded once, however many requests need it at the same time."""

    def __init__(self, limit_bytes: int) -> None:
        self._models: Lru[ModelKey, LoadedModel] = Lru(limit_bytes, lambda model: model.nbytes)
        super().__init__(self._models)

    @property
    def nbytes(self) -> int:
        """Bytes of all models in memory."""
        return self._models.size

    async def _compute(self, key: ModelKey, compute: Callable[[], LoadedModel]) -> LoadedModel:
        with metrics.MODEL_LOAD_SECONDS.time():
            model = await super()._compute(key, compute)
        metrics.MODEL_CACHE_BYTES.set(self.nbytes)
        return model
