"""Databases, an app over each of them, and a service with real processes."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.main import create_app
from app.services.forecasting import pretrained
from app.services.registry import quantile_forecasts
from app.services.shared import change_feed, database_admin
from app.services.training import spec
from app.settings import Settings
from benchmarks import postgres
from benchmarks.process_tree import eventually
from models.config import TrainingConfig, preset
from models.methods.combination import QuantileForecast, compute_quantile_forecast


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Answers wait for the pretrained network's backtest, however busy the machine is.

    What is answered where they do not wait has tests of its own.
    """
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(pretrained, "WAIT_S", 60.0)
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """The folder of Postgres' server programs."""
    folder = postgres.programs()
    if folder is None:
        if os.environ.get("CI"):
            pytest.fail("CI must run the Postgres half, and no Postgres server is installed.")
        pytest.skip("no Postgres server programs here (Debian: apt-get install postgresql)")
    return folder


@pytest.fixture(scope="session")
def postgres_server(postgres_programs: Path) -> Iterator[str]:
    """The address of a running Postgres with a migrated database `template`, to be cloned."""
    with postgres.running_server(postgres_programs, postgres.memory_disk()) as server:
        postgres.execute(server.url, "CREATE DATABASE template")
        _migrate(f"{server.url}/template")
        yield server.url


def _migrate(url: str) -> None:
    database = Database(url)
    database_admin.migrate(database)
    database.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database for this test alone."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'test.db')}"


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A migrated Postgres database for this test alone."""
    with postgres.own_database(postgres_server, "template") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database; every test that asks for one runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with postgres.own_database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings for that database."""
    return Settings(database_url=database_url, device="cpu")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The database, opened."""
    database = Database(settings.database_url)
    yield database
    database.dispose()


@pytest.fixture
def brief_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings in this process take a step an epoch: for tests of what they leave, not of how good it is."""

    def brief(name: Any, **facts: Any) -> TrainingConfig:
        config = preset(name, **facts)
        return replace(config, steps=config.epochs)

    monkeypatch.setattr(spec, "preset", brief)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many series each forward pass was for."""
    seen: list[int] = []

    def watched(method: Any, forecaster: Any, panel: Any, known: Any) -> QuantileForecast:
        seen.append(panel.series)
        return compute_quantile_forecast(method, forecaster, panel, known)

    monkeypatch.setattr(quantile_forecasts, "compute_quantile_forecast", watched)
    return seen


@pytest.fixture
def api(settings: Settings) -> FastAPI:
    """The app over that database."""
    return create_app(settings)


@pytest.fixture
def client(api: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A caller of the app; an error inside is answered, not raised, as it would be in the wild.

    The app has polled its database once, and a machine with much to do may make its next polls late:
    what that means for what is kept in memory has tests of its own.
    """
    monkeypatch.setattr(change_feed, "FRESH_S", 60.0)
    with TestClient(api, raise_server_exceptions=False) as client:
        eventually(lambda: api.state.resources.forecasts.feed.is_fresh)
        yield client
