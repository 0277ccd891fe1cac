"""The client, against the app in memory."""

from collections.abc import Iterator

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.api.http.upload_fields import UploadFields
from app.client import Client, JobFailed, ServiceError
from app.client.client import Reading
from app.commands.reading import OPTIONS
from app.db.engine import Database
from app.schemas import examples
from app.schemas.choices import Limits
from app.schemas.datasets import ObservationIn
from tests.factories import (
    csv_bytes,
    dataset,
    dataset_with_columns,
    entered,
    judged_model,
    publish,
    queued_job,
    trained,
    trends,
)

RUNNING, SUCCEEDED = (event + "\n\n" for event in examples.EVENTS.strip().split("\n\n"))


@pytest.fixture
def caller(client: TestClient) -> Client:
    caller = Client("http://testserver")
    caller._http = client
    return caller


@pytest.mark.usefixtures("brief_trainings")
def test_backtest_is_read_across_pages(
    caller: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = trained(database, dataset(database).id)
    whole = list(caller.backtest(model_id))
    monkeypatch.setattr("app.client.client.PAGE", 5)
    assert len(whole) > 5
    assert list(caller.backtest(model_id)) == whole


def test_observations_are_appended(caller: Client, database: Database) -> None:
    dataset_id = dataset(database).id
    appended = caller.append(dataset_id, [ObservationIn(unique_id="series 1", ds=2000, y=3.5)])
    assert (appended.version, appended.appended, appended.profile.end) == (2, 1, 2000)


def test_what_missing_steps_mean_is_said_of_appended_rows(caller: Client, database: Database) -> None:
    dataset_id = dataset(database).id
    far = [ObservationIn(unique_id="series 1", ds=2100, y=3.5)]
    with pytest.raises(ServiceError, match="say missing=gap"):
        caller.append(dataset_id, far)
    assert caller.append(dataset_id, far, missing="gap").profile.end == 2100


def test_columns_are_appended_with_their_rows(caller: Client, database: Database) -> None:
    dataset_id, _ = dataset_with_columns(database, {"a": [1, 2], "b": [4, 5]})
    row = ObservationIn.model_validate({"unique_id": "a", "ds": 1964, "y": None, "price.net": 9})
    appended = caller.append(dataset_id, [row])
    assert (appended.version, appended.appended) == (2, 1)
    assert caller.observations(dataset_id, "a").columns["price.net"] == [0, None, 2 / 3, 1, 9]
    rows = [ObservationIn.model_validate({"ds": i, "y": i, "price": i % 3}) for i in range(9)]
    (answer,) = caller.forecast_ad_hoc(rows, horizon=2).forecasts
    assert "('price')" in str(answer.warning)


def test_series_and_observations_are_read_across_pages(
    caller: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id, _ = dataset_with_columns(database, {"a": [1, None, 3], "b": [4, 5], "c": [6, 7]})
    monkeypatch.setattr("app.client.client.PAGE", 2)
    series = list(caller.series(dataset_id))
    assert [(each.unique_id, each.length, each.ahead) for each in series] == [
        ("a", 3, 2),
        ("b", 2, 2),
        ("c", 2, 2),
    ]
    found = caller.observations(dataset_id, "a")
    assert (found.ds, found.y) == ([1960, 1961, 1962, 1963, 1964], [1, None, 3, None, None])
    assert found.columns == {"price.net": [0, None, 2 / 3, 1, 4 / 3], "y": [None, "ä 1", "ä 2", None, "ä 4"]}
    assert (found.static, found.next) == ({"size": 0.1, "shop": None}, None)


def test_limits_are_given_changed_and_removed(caller: Client) -> None:
    stored = caller.upload_csv("shares", csv_bytes(), limits=Limits(lower=1e-7, integer=True))
    assert (stored.lower, stored.upper, stored.integer) == (1e-7, None, True)
    changed = caller.update_dataset(stored.id, lower=None, upper=120, name="lines")
    assert (changed.name, changed.lower, changed.upper, changed.integer) == ("lines", None, 120.0, True)
    observations = [ObservationIn(unique_id="new", ds=2000 + i, y=i) for i in range(9)]
    (answer,) = caller.forecast_ad_hoc(observations, horizon=3, limits=Limits(upper=8.5)).forecasts
    assert max(answer.intervals["95"].hi) == 8.5


def test_file_is_previewed_and_then_read_as_it_is_said(caller: Client) -> None:
    receipts = "date,amount\n" + "".join(f"2024-01-{day:02},2\n" * 2 for day in range(1, 29))
    (question,) = caller.preview_csv(receipts.encode()).questions
    assert question.parameter == "duplicates"
    stored = caller.upload_csv("receipts", receipts.encode(), duplicates="sum", frequency="D")
    assert stored.profile.observations == 28
    assert [each.id for each in caller.datasets("receipts")] == [stored.id]
    assert [each.version for each in caller.versions(stored.id)] == [1]


@pytest.mark.usefixtures("brief_trainings")
def test_ad_hoc_series_are_forecast(caller: Client, database: Database) -> None:
    model_id = trained(database, dataset(database).id)
    observations = [ObservationIn(unique_id="new", ds=2000 + i, y=None if i == 3 else i) for i in range(9)]
    (answer,) = caller.forecast_ad_hoc(observations, model_id=model_id, horizon=2, levels=[90]).forecasts
    assert (answer.unique_id, answer.ds, answer.dataset_id) == ("new", [2009, 2010], None)
    assert list(answer.intervals) == ["90"]
    with pytest.raises(ServiceError, match="no model model_none"):
        caller.forecast_ad_hoc(observations, model_id="model_none")


def test_backtest_of_the_pretrained_network_is_read(caller: Client, database: Database) -> None:
    dataset_id = dataset(database, trends(count=8)).id
    found = caller.pretrained_backtest(dataset_id, horizon=2)
    assert (found.dataset_id, found.horizon) == (dataset_id, 2)
    assert caller.pretrained_backtest(dataset_id).horizon == 6
    with pytest.raises(ServiceError, match="no dataset ds_none"):
        caller.pretrained_backtest("ds_none")


def test_model_is_changed_promoted_and_deleted(caller: Client, database: Database) -> None:
    dataset_id = dataset(database).id
    with database.write() as session:
        first, second = (publish(session, judged_model(dataset_id)) for _ in range(2))
    changed = caller.update_model(second, on_loss="refuse", name="winter")
    assert (changed.on_loss, changed.name, changed.champion) == ("refuse", "winter", False)
    assert caller.promote(second).champion
    caller.delete_model(second)
    assert caller.model(first).champion
    with pytest.raises(ServiceError, match=second):
        caller.model(second)


def test_training_is_queued_with_every_option(caller: Client, database: Database) -> None:
    job = caller.train(
        dataset(database).id,
        horizon=3,
        preset="quick",
        method="blend",
        measure="wql",
        on_loss="fallback",
        promote="never",
        seed=4,
        priority=5,
    )
    request = job.request
    assert (request.method, request.on_loss, request.promote) == ("blend", "fallback", "never")
    assert (request.measure, request.seed, request.priority) == ("wql", 4, 5)


def test_job_is_cancelled_and_its_events_end_with_that(caller: Client, database: Database) -> None:
    job_id = queued_job(database, dataset(database).id).job_id
    events = caller.events(job_id)
    assert next(events) == caller.job(job_id)
    cancelled = caller.cancel(job_id)
    assert list(events) == [cancelled]
    with pytest.raises(JobFailed, match="It was cancelled"):
        caller.wait(job_id)


def test_workers_are_listed(caller: Client, database: Database) -> None:
    worker_id = entered(database)
    assert [worker.id for worker in caller.workers()] == [worker_id]


def test_events_of_no_job_are_refused_with_the_reason(caller: Client) -> None:
    with pytest.raises(ServiceError, match="There is no job job_none"):
        next(caller.events("job_none"))


class Breaking(httpx2.SyncByteStream):
    """An answer that breaks off after its first part."""

    def __init__(self, part: str) -> None:
        self._part = part

    def __iter__(self) -> Iterator[bytes]:
        yield self._part.encode()
        raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")


class Scripted:
    """A service that gives its answers one after the other, and keeps what it was request."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers = iter(answers)
        self.last_event_ids: list[str | None] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.last_event_ids.append(request.headers.get("Last-Event-ID"))
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def caller(self) -> Client:
        caller = Client("http://testserver")
        caller._http = httpx2.Client(transport=httpx2.MockTransport(self), base_url="http://testserver")
        return caller


def stream(text: str | Breaking) -> httpx2.Response:
    headers = {"content-type": "text/event-stream"}
    if isinstance(text, Breaking):
        return httpx2.Response(200, headers=headers, stream=text)
    return httpx2.Response(200, headers=headers, text=text)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.client.client.RECONNECT_S", 0.0)


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("first", [RUNNING, Breaking(RUNNING), Breaking(RUNNING + "event: succ")])
def test_stream_that_ends_early_is_resumed(first: str | Breaking) -> None:
    refused, unavailable = httpx2.ConnectError("Connection refused"), httpx2.Response(503)
    service = Scripted(stream(first), refused, unavailable, stream(SUCCEEDED))
    assert [job.state for job in service.caller().events("job")] == ["running", "succeeded"]
    assert service.last_event_ids == [None, "12", "12", "12"]


@pytest.mark.usefixtures("hurry")
def test_client_stops_waiting_for_a_service_that_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.client.client.RECONNECT_FOR_S", 0.0)
    events = Scripted(stream(RUNNING), httpx2.ConnectError("Connection refused")).caller().events("job")
    next(events)
    with pytest.raises(ServiceError, match="No answer from http://testserver"):
        next(events)


def test_service_that_was_never_there_is_not_waited_for() -> None:
    with pytest.raises(ServiceError, match="No answer from http://testserver"):
        next(Scripted(httpx2.ConnectError("Connection refused")).caller().events("job"))


def test_response_that_is_no_event_stream_raises() -> None:
    with pytest.raises(ServiceError, match="no stream of events"):
        next(Scripted(httpx2.Response(200, html="<p>Welcome</p>")).caller().events("job"))


def test_columns_beside_the_target_are_read_as_it_is_said(caller: Client) -> None:
    lines = "date,sales,price\n" + "".join(f"2024-01-{day:02},{day % 5},{day % 3}\n" for day in range(1, 29))
    stored = caller.upload_csv("shop", lines.encode(), target_column="sales", future_columns="price")
    assert [(each.name, each.role) for each in stored.profile.covariates] == [("price", "future")]


def test_client_command_line_and_form_say_the_same_of_a_file() -> None:
    said = set(Reading.__annotations__)
    assert said == set(OPTIONS)
    assert said <= set(UploadFields.model_fields)
