"""Events of jobs for those who follow them, from one query for all."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from app.auth import OWNER
from app.db.engine import Database, Session
from app.db.queries import jobs as queries
from app.errors import NotFound
from app.queue import JobRef
from app.services.jobs import event_stream, states
from app.services.jobs.event_stream import JobEvent, JobEventStream, current_event
from tests.factories import dataset, queued_job

Seen = list[tuple[int, str]]


@pytest.fixture(autouse=True)
def frequent_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "POLL_INTERVAL_S", 0.01)


@pytest.fixture
def ref(database: Database) -> JobRef:
    return queued_job(database, dataset(database).id)


def change(database: Database, what: Callable[[Session], object]) -> None:
    with database.write() as session:
        what(session)


def begin(database: Database, ref: JobRef) -> None:
    change(database, lambda session: states.begin(session, ref, "worker", max_attempts=3))


def cancel(database: Database, ref: JobRef) -> None:
    change(database, lambda session: states.cancel(session, OWNER, ref.job_id))


def now(database: Database, job_id: str) -> JobEvent:
    with database.read() as session:
        return current_event(session, OWNER, job_id)


def followed(stream: JobEventStream, ref: JobRef, seen: int | None = None) -> AsyncIterator[JobEvent]:
    return stream.follow(OWNER, now(stream._database, ref.job_id), seen)


async def collected(events: AsyncIterator[JobEvent]) -> Seen:
    """Read up to the end."""
    return [(event.revision, event.job.state) async for event in events]


def run(main: Coroutine[Any, Any, Seen]) -> Seen:
    return asyncio.run(asyncio.wait_for(main, 30))


def test_current_state_comes_first_then_each_change_up_to_the_end(database: Database, ref: JobRef) -> None:
    moves = {"queued": begin, "running": cancel}

    async def main() -> Seen:
        seen: Seen = []
        async for event in followed(JobEventStream(database), ref):
            seen.append((event.revision, event.job.state))
            if event.job.state in moves:
                await asyncio.to_thread(moves[event.job.state], database, ref)
        return seen

    assert run(main()) == [(0, "queued"), (1, "running"), (2, "cancelled")]


def test_state_that_was_seen_is_not_sent_again(database: Database, ref: JobRef) -> None:
    async def main() -> Seen:
        events = followed(JobEventStream(database), ref, seen=0)
        waiting = asyncio.create_task(collected(events))
        await asyncio.sleep(0)
        await asyncio.to_thread(cancel, database, ref)
        return await waiting

    assert run(main()) == [(1, "cancelled")]


def test_end_that_was_seen_is_sent_again(database: Database, ref: JobRef) -> None:
    cancel(database, ref)
    assert run(collected(followed(JobEventStream(database), ref, seen=1))) == [(1, "cancelled")]


def test_revision_that_never_was_does_not_hide_the_next_change(database: Database, ref: JobRef) -> None:
    async def main() -> Seen:
        stream = JobEventStream(database)
        events = stream.follow(OWNER, now(database, ref.job_id), seen=99)
        await asyncio.to_thread(begin, database, ref)
        event = await anext(events)
        return [(event.revision, event.job.state)]

    assert run(main()) == [(1, "running")]


def test_one_poll_serves_all_followers(
    database: Database, ref: JobRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, queried, polled = queries.found, list[int](), threading.Event()

    def counted(session: Session, keys: list[tuple[str, str]]) -> object:
        queried.append(len(keys))
        polled.set()
        return found(session, keys)

    monkeypatch.setattr(queries, "found", counted)
    other = queued_job(database, dataset(database).id)

    async def main() -> Seen:
        stream = JobEventStream(database)
        streams = [asyncio.create_task(collected(followed(stream, each))) for each in (ref, ref, other)]
        await asyncio.to_thread(polled.wait, 30)
        for each in (ref, other):
            await asyncio.to_thread(cancel, database, each)
        return [ends[-1] for ends in await asyncio.gather(*streams)]

    assert run(main()) == [(1, "cancelled")] * 3
    assert queried[0] == 2


def test_followers_get_events_though_a_poll_failed(
    database: Database, ref: JobRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, failed = queries.found, threading.Event()

    def failing_once(session: Session, keys: list[tuple[str, str]]) -> object:
        if failed.is_set():
            return found(session, keys)
        failed.set()
        raise MemoryError

    monkeypatch.setattr(queries, "found", failing_once)

    async def main() -> Seen:
        waiting = asyncio.create_task(collected(followed(JobEventStream(database), ref)))
        await asyncio.to_thread(failed.wait, 30)
        await asyncio.to_thread(cancel, database, ref)
        return await waiting

    assert run(main()) == [(0, "queued"), (1, "cancelled")]


def test_nothing_is_polled_when_nobody_follows(database: Database, ref: JobRef) -> None:
    async def main() -> Seen:
        stream = JobEventStream(database)
        events = followed(stream, ref)
        first = await anext(events)
        await events.aclose()  # type: ignore[attr-defined]  # an async generator
        assert stream._polling is not None
        await stream._polling
        return [(first.revision, first.job.state)]

    assert run(main()) == [(0, "queued")]


def test_closed_feed_lets_go_without_an_end(database: Database, ref: JobRef) -> None:
    async def main() -> Seen:
        stream = JobEventStream(database)
        waiting = asyncio.create_task(collected(followed(stream, ref)))
        await asyncio.sleep(0)
        stream.close()
        return await waiting

    assert run(main()) == [(0, "queued")]


def test_who_was_busy_when_the_feed_closed_is_let_go_as_well(database: Database, ref: JobRef) -> None:
    async def main() -> Seen:
        stream = JobEventStream(database)
        events = followed(stream, ref)
        await anext(events)
        waiting = asyncio.create_task(collected(followed(stream, ref)))
        await asyncio.sleep(0)
        stream.close()
        assert stream._polling is not None
        seen, _ = await asyncio.gather(waiting, stream._polling)
        return seen + await collected(events)

    assert run(main()) == [(0, "queued")]


def test_job_that_is_not_there_is_not_followed(database: Database) -> None:
    with pytest.raises(NotFound):
        now(database, "job_none")
