"""Loaded models in the memory of the API process, bounded in bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from models.network import Forecaster

Key = tuple[str, str]  # workspace, model


class ModelCache:
    """Keeps the models used last; a model is loaded once, however many ask for it at the same time."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._models: OrderedDict[Key, Forecaster] = OrderedDict()
        self._loading: dict[Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Key, load: Callable[[], Forecaster]) -> Forecaster:
        """Return the model under a key, from memory or by `load`."""
        with self._lock:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            found = self._find(key)
            if found is None:
                found = load()
                self._keep(key, found)
        with self._lock:
            self._loading.pop(key, None)
        return found

    def _find(self, key: Key) -> Forecaster | None:
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
            return self._models.get(key)

    def _keep(self, key: Key, model: Forecaster) -> None:
        with self._lock:
            self._models[key] = model
            while self.nbytes > self._limit_bytes and len(self._models) > 1:
                self._models.popitem(last=False)

    @property
    def nbytes(self) -> int:
        """Bytes of all the models kept."""
        return sum(model.nbytes for model in self._models.values())
