"""Loaded models in the memory of an API process, bounded in bytes."""

import asyncio
from collections.abc import Callable

from app.observability import metrics
from app.services.loading import LoadedModel
from app.services.lru import Lru

Key = tuple[str, str]  # workspace, model


class ModelCache:
    """Keeps the models used last; a model is loaded once, however many ask for it at the same time.

    To be used in one event loop; the loading itself is done in a thread.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._models: Lru[Key, LoadedModel] = Lru(limit_bytes, lambda model: model.nbytes)
        self._loading: dict[Key, asyncio.Task[LoadedModel]] = {}

    async def get(self, key: Key, load: Callable[[], LoadedModel]) -> LoadedModel:
        """Return the model under a key, from memory or by `load`."""
        if (found := self._models.get(key)) is not None:
            return found
        if key not in self._loading:
            self._loading[key] = asyncio.create_task(self._load(key, load))
        # Shielded: who waits may go away, and others wait for the same.
        return await asyncio.shield(self._loading[key])

    def pin(self, key: Key) -> None:
        """Never let a model go to make room for others."""
        self._models.pinned.add(key)

    def unpin(self, key: Key) -> None:
        """Treat a model like the others again."""
        self._models.pinned.discard(key)

    @property
    def nbytes(self) -> int:
        """Bytes of all the models kept."""
        return self._models.size

    async def _load(self, key: Key, load: Callable[[], LoadedModel]) -> LoadedModel:
        try:
            with metrics.MODEL_LOAD_SECONDS.time():
                model = await asyncio.to_thread(load)
            self._models.put(key, model)
            metrics.MODEL_CACHE_BYTES.set(self.nbytes)
            return model
        finally:
            del self._loading[key]
