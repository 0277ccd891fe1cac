"""One service for each test that asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatecast_client import Client
from tests.processes import Service, running_service


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Service]:
    """`gatecast serve` on a database of its own, once on SQLite and once on Postgres."""
    with running_service(database_url, tmp_path) as service:
        yield service


@pytest.fixture
def caller(service: Service) -> Iterator[Client]:
    """A client of that service."""
    with Client(service.url) as client:
        yield client
