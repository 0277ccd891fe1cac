"""Many readers at once are all served, with other requests. `benchmarks.concurrency` measures the times."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.db.engine import READING, WATCHING, WRITING, Database
from benchmarks.concurrency import Load, Target, concurrent_reads
from tests.factories import dataset, entered, scheduled, trained
from tests.processes import running_api

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("brief_trainings")]
LIMIT_S = 60  # far beyond what they take: those who hold each other up are never answered


@pytest.fixture
def target(database_url: str, database: Database, tmp_path: Path) -> Iterator[Target]:
    dataset_id = dataset(database).id
    model_id = trained(database, dataset_id)
    schedule_id = scheduled(database, dataset_id)
    entered(database)
    with running_api(database_url, tmp_path) as service:
        yield Target(service.url, dataset_id, model_id, schedule_id, "series 1")


def test_concurrent_readers_of_each_list_are_served_with_others(target: Target, database: Database) -> None:
    async def rushes() -> list[Load]:
        return [await asyncio.wait_for(concurrent_reads(target, path), LIMIT_S) for path in target.lists]

    found = asyncio.run(rushes())
    assert [each.statuses() for each in found] == [{200}] * len(target.lists)
    assert [each.statuses(*each.others) for each in found] == [{200}] * len(target.lists)
    assert connections(database) <= READING + WRITING + WATCHING


def connections(database: Database) -> int:
    """Return how many the server has open to the service: to this database, from others than this process."""
    if database.is_sqlite:
        return 0
    database.dispose()
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with database.read() as session:
        return int(session.scalar(text(others)) or 0)
