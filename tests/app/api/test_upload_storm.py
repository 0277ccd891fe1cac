"""Whatever bytes and options are uploaded, previewed or appended: an answer, and never an error inside.

`make storm` tries thousands of them, others each time, and those of STORM_FOLDER as well.
"""

import os
from collections.abc import Iterator
from random import Random

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.app.intake import kinds, mutations
from tests.factories import filled_app

STORM = os.environ.get("STORM_FILES")
FILES = mutations.files()
OK, CREATED, LARGE, REFUSED = 200, 201, 413, 422
DAMAGED = 1 / 3  # of the files of other kinds, whose tables are damaged before
stormy = settings(
    max_examples=int(STORM or 60),
    deadline=None,
    database=None,
    derandomize=STORM is None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with filled_app(tmp_path_factory.mktemp("storm"), lambda _: "") as (client, _):
        yield client


def send(client: TestClient, path: str, data: bytes, fields: dict[str, str]) -> int:
    note(f"{path} {fields} {data!r}")
    status = client.post(path, files={"file": ("storm.csv", data)}, data=fields).status_code
    assert status in {OK, CREATED, LARGE, REFUSED}
    return status


@stormy
@given(st.randoms())
def test_damaged_files_with_any_options_are_answered(client: TestClient, random: Random) -> None:
    whole, fields = random.choice(FILES), mutations.said(random)
    data, more = mutations.damaged(whole, random), mutations.damaged(whole, random)
    preview = send(client, "/datasets?preview=true", data, fields)
    if send(client, "/datasets", data, fields) == CREATED:
        assert preview == OK
        path = f"/datasets/{client.get('/datasets').json()['datasets'][0]['id']}"
        send(client, f"{path}/observations", more, mutations.said(random, mutations.FOR_ROWS))
        client.delete(path)


@settings(stormy, max_examples=int(STORM or 60) // 5)  # a process reads each
@given(st.randoms())
def test_damaged_files_of_every_kind_are_answered(client: TestClient, random: Random) -> None:
    table, fields = mutations.damaged(random.choice(FILES), random), mutations.said(random)
    whole = kinds.packed(kinds.another(table, random), random)
    data = mutations.damaged(whole, random) if random.random() < DAMAGED else whole
    preview = send(client, "/datasets?preview=true", data, fields)
    if preview == OK and send(client, "/datasets", data, fields) == CREATED:
        path = f"/datasets/{client.get('/datasets').json()['datasets'][0]['id']}"
        send(client, f"{path}/observations", whole, mutations.said(random, mutations.FOR_ROWS))
        client.delete(path)
