"""Cached forecasts: the same as computed ones, and never out of date."""

import csv
import io
import json
import logging

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.db.queries import changes
from app.db.tables import Dataset, DatasetVersion, Series
from app.main import create_app
from app.observability import metrics
from app.services.forecasting import service
from app.services.forecasting.response_cache import etag_matches
from app.services.shared import change_feed
from app.settings import Settings
from benchmarks.process_tree import eventually
from tests.factories import dataset, only, trained

pytestmark = pytest.mark.usefixtures("brief_trainings")


@pytest.fixture
def dataset_id(database: Database) -> str:
    dataset_id = dataset(database).id
    trained(database, dataset_id)
    return dataset_id


def from_memory() -> float:
    return float(metrics.FROM_RESPONSE_CACHE._value.get())


def ask(client: TestClient, dataset_id: str, **headers: str) -> tuple[int, str, bytes]:
    params = {"dataset_id": dataset_id, "unique_id": "series 1"}
    answer = client.get("/forecast", params=params, headers=headers)
    return answer.status_code, answer.headers.get("etag", ""), answer.content


def test_second_response_is_cached_and_the_same(client: TestClient, dataset_id: str) -> None:
    first, before = ask(client, dataset_id), from_memory()
    assert ask(client, dataset_id) == first
    assert from_memory() == before + 1


def test_other_query_string_of_a_request_finds_the_same_response(client: TestClient, dataset_id: str) -> None:
    _, etag, body = ask(client, dataset_id)
    other_url = f"/forecast?level=80&unique_id=series+1&level=95&dataset_id={dataset_id}&horizon=3"
    other, before = client.get(other_url), from_memory()
    assert (other.headers["etag"], other.content) == (etag, body)
    client.get(other_url)
    assert from_memory() == before + 1


@pytest.mark.parametrize("kind", ["text/csv", "application/x-ndjson", "image/png", "application/json"])
def test_each_format_is_kept_by_itself(client: TestClient, dataset_id: str, kind: str) -> None:
    first = ask(client, dataset_id, accept=kind)
    assert ask(client, dataset_id, accept=kind) == first
    assert ask(client, dataset_id, accept="application/vnd.apache.arrow.stream")[1] != first[1]


def test_response_with_a_known_etag_is_not_sent_again(client: TestClient, dataset_id: str) -> None:
    _, etag, _ = ask(client, dataset_id)
    known = {"if-none-match": etag}
    assert ask(client, dataset_id, **known) == (304, etag, b"")
    assert ask(client, dataset_id, accept="text/csv", **known)[0] == 200


def test_table_with_a_known_etag_is_not_computed(client: TestClient, dataset_id: str) -> None:
    params, headers = {"dataset_id": dataset_id}, {"accept": "text/csv"}
    table = client.get("/forecast", params=params, headers=headers)
    assert len(list(csv.reader(io.StringIO(table.text)))) == 10
    headers["if-none-match"] = table.headers["etag"]
    assert client.get("/forecast", params=params, headers=headers).status_code == 304


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, False),
        (b'W/"a"', True),
        (b'"a"', True),
        (b'"b", W/"a"', True),
        (b"*", True),
        (b'"b"', False),
        (b"", False),
    ],
)
def test_entity_tags_are_compared_weakly(known: bytes | None, *, expected: bool) -> None:
    assert etag_matches(known, b'W/"a"') is expected


def test_responses_may_be_cached_but_must_be_revalidated(client: TestClient, dataset_id: str) -> None:
    headers = client.get("/forecast", params={"dataset_id": dataset_id}).headers
    assert (headers["cache-control"], headers["vary"]) == ("private, no-cache", "accept, accept-encoding")


def test_promoted_model_is_served_at_once(client: TestClient, database: Database, dataset_id: str) -> None:
    ask(client, dataset_id)
    other = trained(database, dataset_id, seed=1, promote="never")
    client.post(f"/models/{other}/promote")
    assert other.encode() in ask(client, dataset_id)[2]


def test_deleted_model_has_no_forecast(client: TestClient, dataset_id: str) -> None:
    ask(client, dataset_id)
    champion = client.get(f"/datasets/{dataset_id}").json()["champion_id"]
    client.delete(f"/models/{champion}")
    status, _, body = ask(client, dataset_id)
    assert (status, json.loads(body)["forecasts"][0]["model_id"]) == (200, "pretrained")


def test_deleted_dataset_has_no_forecast(client: TestClient, dataset_id: str) -> None:
    ask(client, dataset_id)
    client.delete(f"/datasets/{dataset_id}")
    assert ask(client, dataset_id)[0] == 404


@pytest.mark.parametrize(("wished", "lines"), [(True, [200, 200, 304]), (False, [])])
def test_cached_forecasts_are_logged_with_the_access_log_on(
    database: Database, dataset_id: str, caplog: pytest.LogCaptureFixture, *, wished: bool, lines: list[int]
) -> None:
    settings = Settings(database_url=database.url, device="cpu", access_log=wished)
    with (
        TestClient(create_app(settings)) as client,
        caplog.at_level(logging.INFO, "app.api.middleware.concurrency_limit"),
    ):
        _, etag, _ = ask(client, dataset_id)
        ask(client, dataset_id)
        ask(client, dataset_id, **{"if-none-match": etag})
    assert [int(line.split()[2]) for line in caplog.messages] == lines


def test_metrics_count_forecasts_by_source(client: TestClient, dataset_id: str) -> None:
    for _ in range(2):
        ask(client, dataset_id)
    shown = client.get("/metrics")
    assert shown.headers["content-type"].startswith("text/plain")
    names = ("gatecast_forecasts_total", "gatecast_model_load_seconds", "gatecast_response_cache_bytes")
    assert [name for name in names if name not in shown.text] == []
    assert 'gatecast_requests_total{method="GET",route="/forecast",status="200"}' in shown.text


def test_other_release_gives_another_tag(
    client: TestClient, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may calibrate otherwise, and name the same forecast by the same words."""
    _, etag, _ = ask(client, dataset_id)
    monkeypatch.setattr(service, "release", lambda: "another")
    with TestClient(client.app) as upgraded:
        status, other, _ = ask(upgraded, dataset_id, **{"if-none-match": etag})
    assert (status, other == etag) == (200, False)


def append(client: TestClient, dataset_id: str, y: float) -> None:
    rows = {"observations": [{"unique_id": "series 1", "ds": 2000, "y": y}]}
    answer = client.post(f"/datasets/{dataset_id}/observations", json=rows)
    assert (answer.status_code, answer.json()["version"]) == (200, 2)


def set_back(database: Database, dataset_id: str) -> None:
    """Take the newest version of a dataset back, as restoring a backup does."""
    with database.write() as session:
        for table in (Series, DatasetVersion):
            session.query(table).filter_by(dataset_id=dataset_id, version=2).delete()
        session.get_one(Dataset, ("default", dataset_id)).version = 1
        changes.record(session, "default", dataset_id)


@pytest.mark.parametrize("model_id", ["pretrained", None])
def test_version_that_comes_again_after_the_database_was_set_back_is_another(
    client: TestClient, dataset_id: str, model_id: str | None
) -> None:
    params = {"dataset_id": dataset_id, "unique_id": "series 1"} | (
        {"model_id": model_id} if model_id else {}
    )
    append(client, dataset_id, 200.0)
    first = client.get("/forecast", params=params)
    set_back(client.app.state.resources.database, dataset_id)  # type: ignore[attr-defined]  # an app of ours
    append(client, dataset_id, 900.0)
    second = client.get("/forecast", params=params, headers={"if-none-match": first.headers["etag"]})
    assert second.status_code == 200
    assert (only(first)["dataset_version"], only(second)["dataset_version"]) == (2, 2)
    assert only(first)["forecast"] != only(second)["forecast"]


def test_writer_never_reads_the_state_before_its_write(
    client: TestClient, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process knows what it changes itself before it answers, and not by a poll some time later."""
    monkeypatch.setattr(change_feed, "POLL_S", 3600.0)
    monkeypatch.setattr(change_feed, "FRESH_S", 3600.0)
    with TestClient(client.app) as not_polling:
        feed = not_polling.app.state.resources.forecasts.feed  # type: ignore[attr-defined]  # an app of ours
        eventually(lambda: feed.is_fresh)
        before = from_memory()
        assert ask(not_polling, dataset_id) == ask(not_polling, dataset_id)
        append(not_polling, dataset_id, 900.0)
        _, _, body = ask(not_polling, dataset_id)
    assert from_memory() == before + 1
    assert json.loads(body)["forecasts"][0]["dataset_version"] == 2
