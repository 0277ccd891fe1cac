"""Every metric, by its name, in one place; `GET /metrics` shows them as Prometheus reads them."""

import os

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from app.observability.shared import SHARED_FOLDER

MEDIA_TYPE = CONTENT_TYPE_LATEST
REQUESTS = Counter("gatecast_requests", "Calls answered.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "gatecast_request_seconds",
    "Time to the end of an answer, of calls that were not answered from memory.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
REFUSED = Counter("gatecast_requests_refused", "Calls refused because too many were in work.")
IN_WORK = Gauge("gatecast_requests_in_work", "Calls in work.", multiprocess_mode="livesum")

FORECASTS = Counter("gatecast_forecasts", "Forecasts asked for, by where the answer came from.", ["source"])
FROM_MEMORY = FORECASTS.labels("memory")
FROM_OUTLOOK = FORECASTS.labels("outlook")
UNCHANGED = FORECASTS.labels("unchanged")
COMPUTED = FORECASTS.labels("computed")
BATCH_SERIES = Histogram(
    "gatecast_forecast_batch_series",
    "Series that one forward pass answered for.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 256, 1000),
)
BODY_CACHE_BYTES = Gauge(
    "gatecast_body_cache_bytes", "Finished forecasts in memory.", multiprocess_mode="livesum"
)
OUTLOOK_CACHE_BYTES = Gauge(
    "gatecast_outlook_cache_bytes", "What models say of series, in memory.", multiprocess_mode="livesum"
)
MODEL_CACHE_BYTES = Gauge("gatecast_model_cache_bytes", "Models in memory.", multiprocess_mode="livesum")
MODEL_LOAD_SECONDS = Histogram(
    "gatecast_model_load_seconds",
    "Time to load a model into memory.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def exposition() -> bytes:
    """Return every figure of this process, or of all of the service where they share a folder."""
    if SHARED_FOLDER not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # as its authors left it
    return generate_latest(registry)
