"""Every metric of the service; `GET /metrics` exposes them in Prometheus' text format."""

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

from app.observability.metrics_folder import METRICS_FOLDER

MEDIA_TYPE = CONTENT_TYPE_LATEST
REQUESTS = Counter("gatecast_requests", "Requests answered.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "gatecast_request_seconds",
    "Time to the end of a response, of requests that the response cache did not answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
REFUSED = Counter("gatecast_requests_refused", "Requests refused because too many were in work.")
IN_WORK = Gauge("gatecast_requests_in_work", "Requests in work.", multiprocess_mode="livesum")

FORECASTS = Counter("gatecast_forecasts", "Forecasts requested, by where the response came from.", ["source"])
FROM_RESPONSE_CACHE = FORECASTS.labels("response_cache")
STORED = FORECASTS.labels("stored")
UNCHANGED = FORECASTS.labels("unchanged")
COMPUTED = FORECASTS.labels("computed")
BATCH_SERIES = Histogram(
    "gatecast_forecast_batch_series",
    "Series in one forward pass.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 256, 1000),
)
RESPONSE_CACHE_BYTES = Gauge(
    "gatecast_response_cache_bytes", "Finished responses in memory.", multiprocess_mode="livesum"
)
MODEL_CACHE_BYTES = Gauge("gatecast_model_cache_bytes", "Models in memory.", multiprocess_mode="livesum")
MODEL_LOAD_SECONDS = Histogram(
    "gatecast_model_load_seconds",
    "Time to load a model into memory.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def exposition() -> bytes:
    """Return the metrics of this process, or of all processes where they share a folder."""
    if METRICS_FOLDER not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no annotations
    return generate_latest(registry)
