"""Large answers are compressed for whoever accepts it."""

import gzip

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from tests.factories import SQLITE_ALONE, trained, trends, upload

pytestmark = SQLITE_ALONE

GZIP = {"accept-encoding": "gzip"}


@pytest.fixture(scope="module")
def many() -> dict[str, list[float]]:
    return trends(count=60)


@pytest.fixture
def dataset_id(client: TestClient, many: dict[str, list[float]]) -> str:
    return str(upload(client, many)["id"])


def raw(client: TestClient, address: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    with client.stream("GET", address, headers=headers) as answer:
        return b"".join(answer.iter_raw()), dict(answer.headers)


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_large_answer_is_the_same_packed(client: TestClient, dataset_id: str, kind: str) -> None:
    address = f"/forecast?dataset_id={dataset_id}&horizon=6&format={kind}"
    plain, _ = raw(client, f"{address}&limit=99", **{"accept-encoding": "identity"})
    packed, headers = raw(client, f"{address}&limit=98", **GZIP)
    assert headers["content-encoding"] == "gzip"
    assert "accept-encoding" in headers["vary"].lower()
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 2


@pytest.mark.usefixtures("brief_trainings")
def test_packed_answer_and_plain_one_from_memory_are_the_same(
    client: TestClient, database: Database, dataset_id: str
) -> None:
    trained(database, dataset_id)
    address = f"/forecast?dataset_id={dataset_id}&level=50&level=80&level=95&level=99"
    packed, headers = raw(client, address, **GZIP)
    plain, same = raw(client, address, **{"accept-encoding": "identity"})
    assert gzip.decompress(packed) == plain
    assert (same["etag"], "content-encoding" in same) == (headers["etag"], False)


def test_short_answer_is_sent_as_it_is(client: TestClient, dataset_id: str) -> None:
    _, headers = raw(client, f"/forecast?dataset_id={dataset_id}&unique_id=series 1&horizon=6", **GZIP)
    assert "content-encoding" not in headers


def test_file_that_is_packed_already_is_sent_as_it_is(client: TestClient, dataset_id: str) -> None:
    _, headers = raw(client, f"/datasets/{dataset_id}/observations?format=parquet", **GZIP)
    assert "content-encoding" not in headers


def test_arrow_is_read_by_what_unpacks_it(client: TestClient, dataset_id: str) -> None:
    packed, _ = raw(client, f"/datasets/{dataset_id}/observations?format=arrow", **GZIP)
    assert pa.ipc.open_stream(gzip.decompress(packed)).read_all().num_rows == 60 * 40
