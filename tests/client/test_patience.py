"""How patiently the client calls: what it repeats, and what it takes for an answer."""

from collections.abc import Iterator

import httpx2
import pytest

from app.schemas import examples
from gatecast_client import Client, NoAnswer, ServiceError

RUNNING, SUCCEEDED = (event + "\n\n" for event in examples.EVENTS.strip().split("\n\n"))
LOST, BROKEN = httpx2.ConnectError("Connection refused"), httpx2.ReadError("Connection reset")
JOB = examples.JOB


class Breaking(httpx2.SyncByteStream):
    """An answer that breaks off after its first part."""

    def __init__(self, part: str) -> None:
        self._part = part

    def __iter__(self) -> Iterator[bytes]:
        yield self._part.encode()
        raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")


class Scripted:
    """A service that gives its answers one after the other, and keeps what it was called for."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers = iter(answers)
        self.requests: list[httpx2.Request] = []

    def headers(self, name: str) -> list[str | None]:
        """Return a header of each request."""
        return [request.headers.get(name) for request in self.requests]

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def caller(self, retries: int = 3) -> Client:
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        return Client("http://testserver", retries=retries, http=http)


def stream(text: str | Breaking) -> httpx2.Response:
    headers = {"content-type": "text/event-stream"}
    if isinstance(text, Breaking):
        return httpx2.Response(200, headers=headers, stream=text)
    return httpx2.Response(200, headers=headers, text=text)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that a client made; none is waited for."""
    seen: list[float] = []
    monkeypatch.setattr("gatecast_client.client.time.sleep", seen.append)
    return seen


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatecast_client.calls.jobs.RECONNECT_S", 0.0)


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("first", [RUNNING, Breaking(RUNNING), Breaking(RUNNING + "event: succ")])
def test_stream_that_ends_early_is_resumed(first: str | Breaking) -> None:
    refused, unavailable = httpx2.ConnectError("Connection refused"), httpx2.Response(503)
    service = Scripted(stream(first), refused, unavailable, stream(SUCCEEDED))
    assert [job.state for job in service.caller().events("job")] == ["running", "succeeded"]
    assert service.headers("Last-Event-ID") == [None, "12", "12", "12"]


@pytest.mark.usefixtures("hurry")
def test_client_stops_waiting_for_a_service_that_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatecast_client.calls.jobs.RECONNECT_FOR_S", 0.0)
    events = Scripted(stream(RUNNING), httpx2.ConnectError("Connection refused")).caller().events("job")
    next(events)
    with pytest.raises(NoAnswer, match="No answer from http://testserver"):
        next(events)


def test_service_that_was_never_there_is_not_waited_for() -> None:
    with pytest.raises(NoAnswer, match="No answer from http://testserver"):
        next(Scripted(httpx2.ConnectError("Connection refused")).caller().events("job"))


def test_response_that_is_no_event_stream_raises() -> None:
    with pytest.raises(NoAnswer, match="no stream of events"):
        next(Scripted(httpx2.Response(200, html="<p>Welcome</p>")).caller().events("job"))


@pytest.mark.parametrize("first", [LOST, BROKEN])
def test_call_that_was_lost_is_repeated(first: Exception, pauses: list[float]) -> None:
    service = Scripted(first, first, httpx2.Response(200, json=JOB))
    assert service.caller().job("job_1").id == JOB["id"]
    assert pauses == [0.5, 1.0]


def test_what_creates_is_repeated_under_one_key(pauses: list[float]) -> None:
    still_in_work = httpx2.Response(409, headers={"Retry-After": "2"})
    service = Scripted(BROKEN, still_in_work, httpx2.Response(202, json=JOB), httpx2.Response(202, json=JOB))
    caller = service.caller()
    caller.train("ds_1", horizon=5)
    caller.train("ds_1", horizon=5)
    first, second, third, other = service.headers("Idempotency-Key")
    assert first == second == third != other
    assert pauses == [0.5, 2.0]


@pytest.mark.parametrize(("status", "headers", "pause"), [(503, {"Retry-After": "1"}, 1.0), (429, {}, 0.5)])
def test_refusal_that_will_pass_is_waited_for(
    status: int, headers: dict[str, str], pause: float, pauses: list[float]
) -> None:
    service = Scripted(httpx2.Response(status, headers=headers), httpx2.Response(200, json=JOB))
    assert service.caller().job("job_1").id == JOB["id"]
    assert pauses == [pause]


def test_time_to_come_back_may_be_a_date(pauses: list[float]) -> None:
    long_ago = httpx2.Response(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    assert Scripted(long_ago, httpx2.Response(200, json=JOB)).caller().job("job_1").id == JOB["id"]
    assert pauses == [0.0]


@pytest.mark.parametrize(
    ("status", "headers"), [(503, {}), (500, {"Retry-After": "1"}), (409, {"Retry-After": "1"})]
)
def test_refusal_that_will_not_pass_is_raised_at_once(
    status: int, headers: dict[str, str], pauses: list[float]
) -> None:
    with pytest.raises(ServiceError, match=f"The service answered {status}") as refused:
        Scripted(httpx2.Response(status, headers=headers)).caller().job("job_1")
    assert (refused.value.status, refused.value.type, pauses) == (status, "about:blank", [])


def test_deletion_that_may_have_been_done_is_not_repeated(pauses: list[float]) -> None:
    with pytest.raises(NoAnswer):
        Scripted(BROKEN).caller().delete_model("model_1")
    Scripted(LOST, httpx2.Response(204)).caller().delete_model("model_1")
    assert pauses == [0.5]


def test_patience_ends_after_the_retries(pauses: list[float]) -> None:
    service = Scripted(LOST, LOST, LOST)
    with pytest.raises(NoAnswer, match="No answer from http://testserver: Connection refused"):
        service.caller(retries=2).job("job_1")
    assert len(pauses) == 2


def test_answer_that_takes_too_long_is_not_waited_for_twice() -> None:
    with pytest.raises(NoAnswer):
        Scripted(httpx2.ReadTimeout("timed out")).caller().job("job_1")


def test_readiness_is_looked_at_once() -> None:
    assert not Scripted(LOST).caller().is_ready()
    assert not Scripted(httpx2.Response(503, headers={"Retry-After": "1"})).caller().is_ready()


def test_fields_that_the_client_does_not_know_are_passed_over() -> None:
    newer = {**JOB, "state": "postponed", "because": "of a newer service"}
    assert Scripted(httpx2.Response(200, json=newer)).caller().job("job_1").state == "postponed"


def test_negative_retries_are_refused() -> None:
    with pytest.raises(ValueError, match="retries is -1; it must be 0 or more"):
        Client(retries=-1)


def test_stream_is_closed_when_nobody_reads_on() -> None:
    response = stream(Breaking(RUNNING))
    states = Scripted(response).caller().events("job_1")
    next(states)
    assert not response.is_closed
    states.close()  # type: ignore[attr-defined]  # of a generator, which an iterator here is
    assert response.is_closed
