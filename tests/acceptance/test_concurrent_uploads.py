"""Many wide uploads at once are all stored, while other requests are served.

`benchmarks.concurrency` measures the times.
"""

import asyncio
from pathlib import Path

import pytest

from app.db.engine import Database
from benchmarks.concurrency import Load, Target, concurrent_uploads
from tests.factories import dataset, scheduled
from tests.processes import running_api

pytestmark = pytest.mark.long
LIMIT_S = 60  # reading them took a minute and a half of processor time once
ANSWERS_BESIDE = 5  # for each who asks; one or two when they waited for all uploads


def test_many_wide_uploads_are_stored_while_other_requests_are_served(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    dataset_id = dataset(database).id
    with running_api(database_url, tmp_path) as service:
        target = Target(service.url, dataset_id, "", scheduled(database, dataset_id), "series 1")

        async def crowd() -> Load:
            return await asyncio.wait_for(concurrent_uploads(target), LIMIT_S)

        found = asyncio.run(crowd())
    assert found.statuses() == {201}
    assert found.statuses(*found.others) == {200}
    assert min(map(len, found.others.values())) > ANSWERS_BESIDE
