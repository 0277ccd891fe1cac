"""What one forecast costs at least, taken apart: the read of its series, and the network's pass over it."""

import time
from collections.abc import Callable
from statistics import median

from app import blobs
from app.auth import OWNER
from app.db.engine import Database
from app.db.queries import datasets as queries
from app.errors import NotFound
from app.services.datasets import catalog
from app.services.datasets import series_store as store
from app.services.registry import models, served_method
from models.methods.combination import forecast_by
from models.methods.ensemble import ensemble_forecast
from models.network.artifact import load
from models.network.devices import use_one_thread
from models.panel import Panel

TIMES = 200


class Costs:
    """Of one series and the champion of its dataset, read from the service's own database."""

    def __init__(self, database_url: str, dataset_id: str, unique_id: str) -> None:
        use_one_thread()
        self._database, self._unique_id = Database(database_url), unique_id
        with self._database.read() as session:
            dataset, self._version = catalog.find(session, OWNER, dataset_id)
            if dataset.champion_id is None:
                raise NotFound(f"Dataset {dataset_id} has no champion.")
            model, _ = models.find(session, OWNER, dataset.champion_id)
            weights = blobs.get(session, model.workspace_id, model.weights_key)
            (row,) = queries.last_windows(session, self._version, [unique_id])
        self._network = load(weights, model.artifact, device="cpu")
        self._method = served_method.of_model(model).method
        self._panel = Panel.of([store.tail(row)])

    def measure(self) -> dict[str, float]:
        """Medians in milliseconds; `method_ms` is of all that answers, the network and its blend."""
        return {
            "indexed_read_ms": _milliseconds(self._read),
            "forward_ms": _milliseconds(lambda: ensemble_forecast(self._network, self._panel)),
            "method_ms": _milliseconds(lambda: forecast_by(self._method, self._network, self._panel)),
        }

    def _read(self) -> None:
        with self._database.read() as session:
            queries.last_windows(session, self._version, [self._unique_id])


def _milliseconds(work: Callable[[], object]) -> float:
    work()  # the first pays for what is set up once
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return median(taken)
