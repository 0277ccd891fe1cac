"""Call a Gatecast service from Python.

>>> from gatecast_client import Client
>>> client = Client("http://127.0.0.1:8000")
>>> client.forecast(frame, horizon=24, level=[80, 95])
"""

from gatecast_client._version import __version__
from gatecast_client.chart import Chart
from gatecast_client.client import AsyncClient, Client
from gatecast_client.errors import (
    ForecastWarning,
    GatecastError,
    JobFailed,
    MissingPandas,
    NoAnswer,
    ServiceError,
)
from gatecast_client.progress import ProgressBar

__all__ = [
    "AsyncClient",
    "Chart",
    "Client",
    "ForecastWarning",
    "GatecastError",
    "JobFailed",
    "MissingPandas",
    "NoAnswer",
    "ProgressBar",
    "ServiceError",
    "__version__",
]
