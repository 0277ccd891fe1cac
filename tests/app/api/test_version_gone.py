"""Forecasts of versions that are deleted while they are read."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api.http import responses
from app.auth import OWNER
from app.db.engine import Database
from app.errors import Unavailable
from app.schemas import media_types
from app.services.datasets import compaction
from app.services.forecasting import compute, resolve
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import Plan, Resolver
from app.services.forecasting.service import TRIES
from app.services.registry import stored_forecasts
from tests.app.api.middleware.test_concurrency_limit import Sent, nothing_more, scope
from tests.factories import dataset, new_version, only, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")
CSV = {"accept": "text/csv"}
WAYS: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"unique_id": "series 1"}, {}),
    ({}, {}),
    ({}, CSV),
    ({"unique_id": "series 1"}, {"accept": "image/svg+xml"}),
]


def thinned(database: Database, dataset_id: str) -> None:
    """Append, and keep nothing but what is newest."""
    new_version(database, dataset_id)
    assert compaction.tidy(database, 1)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch, database: Database) -> Any:
    """Thin out a dataset after its newest version was found and before it is read, so many times."""

    def arrange(dataset_id: str, times: int = 1) -> None:
        find, left = Resolver._find, iter(range(times))

        def found(*arguments: Any) -> Plan:
            plan = find(*arguments)
            if next(left, None) is not None:
                thinned(database, dataset_id)
            return plan

        monkeypatch.setattr(Resolver, "_find", found)

    return arrange


@pytest.mark.parametrize(("params", "headers"), WAYS)
def test_newest_version_deleted_before_it_is_read_gives_way_to_the_next(
    client: TestClient, database: Database, late: Any, params: dict[str, str], headers: dict[str, str]
) -> None:
    dataset_id = dataset(database, trends()).id
    late(dataset_id)
    answer = client.get("/forecast", params={"dataset_id": dataset_id, **params}, headers=headers)
    assert answer.status_code == 200
    with database.read() as session:
        newest = resolve.find_plan(session, OWNER, ForecastRequest(dataset_id))
    assert newest.version.version == 2
    later = client.get("/forecast", params={"dataset_id": dataset_id, **params}, headers=headers)
    assert later.content == answer.content


@pytest.mark.parametrize(("params", "headers"), WAYS)
def test_newest_version_of_a_champion_gives_way_too(
    client: TestClient, database: Database, late: Any, params: dict[str, str], headers: dict[str, str]
) -> None:
    dataset_id = dataset(database, trends()).id
    trained(database, dataset_id)
    new_version(database, dataset_id)  # the one that the model has learned from stays
    late(dataset_id)
    answer = client.get("/forecast", params={"dataset_id": dataset_id, **params}, headers=headers)
    assert answer.status_code == 200


def test_cached_newest_version_gives_way_to_the_next(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = dataset(database, trends()).id
    ask = {"dataset_id": dataset_id, "unique_id": "series 0"}
    assert only(client.get("/forecast", params=ask))["dataset_version"] == 1
    forecasts = client.app.state.resources.forecasts  # type: ignore[attr-defined]
    monkeypatch.setattr(forecasts.feed, "is_current", lambda *_: True)  # as long as the change is not seen
    thinned(database, dataset_id)
    answer = client.get("/forecast", params={**ask, "unique_id": "series 1"})
    assert (answer.status_code, only(answer)["dataset_version"]) == (200, 2)


def test_requested_version_is_a_404_once_deleted(client: TestClient, database: Database, late: Any) -> None:
    dataset_id = dataset(database, trends()).id
    late(dataset_id)
    answer = client.get("/forecast", params={"dataset_id": dataset_id, "dataset_version": 1})
    assert (answer.status_code, "no version 1" in answer.json()["detail"]) == (404, True)


def test_newest_version_is_not_retried_for_ever(client: TestClient, database: Database, late: Any) -> None:
    dataset_id = dataset(database, trends()).id
    late(dataset_id, TRIES)
    assert client.get("/forecast", params={"dataset_id": dataset_id}).status_code == 404


def test_ad_hoc_series_are_forecast_all_the_same(client: TestClient, database: Database, late: Any) -> None:
    dataset_id = dataset(database, trends()).id
    late(dataset_id)
    rows = [{"unique_id": "new", "ds": 1960 + i, "y": float(i)} for i in range(40)]
    answer = client.post("/forecast", json={"dataset_id": dataset_id, "observations": rows})
    assert answer.status_code == 200, answer.text


def broken_off() -> Iterator[bytes]:
    yield b"unique_id,ds\n"
    raise Unavailable("The reason.")


def test_table_that_breaks_off_is_left_unfinished_and_logged_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent = Sent()

    async def send() -> None:
        response = await responses.streamed_response(broken_off(), media_types.CSV)
        await response(scope("/forecast"), nothing_more, sent)

    asyncio.run(send())
    assert [message.get("more_body") for message in sent] == [None, True]
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert record.getMessage() == "GET /forecast was broken off: The reason."


def test_table_whose_version_is_deleted_after_its_first_page_breaks_off(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compute, "PAGE", 1)
    dataset_id = dataset(database, trends()).id
    read, pages = stored_forecasts.read_page, iter(range(1))

    def late(*arguments: Any) -> Any:
        found = read(*arguments)
        if next(pages, None) is not None:
            thinned(database, dataset_id)
        return found

    monkeypatch.setattr(stored_forecasts, "read_page", late)
    with caplog.at_level(logging.WARNING):
        table = client.get("/forecast", params={"dataset_id": dataset_id}, headers=CSV)
    assert "series 0" in table.text
    assert "series 1" not in table.text
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]
