"""Schedules: when they fire, what for, and that they do so once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from app.auth import OWNER
from app.db.engine import Database, Session
from app.db.queries import schedules as queries
from app.db.tables import Dataset, Job, Schedule, now
from app.queue import Queue
from app.schemas.jobs import JobOut
from app.schemas.schedules import ScheduleOut
from app.services.datasets import catalog
from app.services.jobs import states
from app.services.shared.paging import PageRequest
from app.services.training import schedules
from app.services.training.submit import TrainingQueue
from tests.factories import dataset, new_version, scheduled

DAY = timedelta(days=1)


@pytest.fixture
def queue(database: Database) -> Iterator[TrainingQueue]:
    engine = Queue(database)
    yield TrainingQueue(engine)
    engine.close()


@pytest.fixture
def dataset_id(database: Database) -> str:
    return dataset(database).id


@pytest.fixture
def schedule_id(database: Database, dataset_id: str) -> str:
    return scheduled(database, dataset_id)


def look(database: Database, schedule_id: str) -> ScheduleOut:
    with database.read() as session:
        return schedules.get(session, OWNER, schedule_id)


def submitted(database: Database) -> list[JobOut]:
    with database.read() as session:
        return states.page(session, OWNER, PageRequest(10)).jobs


def in_days(days: int) -> datetime:
    """A moment when a daily schedule has been due since so many days."""
    return now() + days * DAY


def test_training_is_submitted_when_it_is_due_and_not_before(
    database: Database, queue: TrainingQueue, schedule_id: str
) -> None:
    schedules.fire_due(database, queue, now())
    assert submitted(database) == []
    schedules.fire_due(database, queue, in_days(1))
    (job,) = submitted(database)
    last = look(database, schedule_id).last
    assert last is not None
    assert (last.outcome, last.job_id, last.dataset_version) == ("asked", job.id, 1)
    assert job.request.preset == "quick"


def test_schedule_missed_for_days_fires_once(
    database: Database, queue: TrainingQueue, schedule_id: str
) -> None:
    for _ in range(2):
        schedules.fire_due(database, queue, in_days(9))
    assert len(submitted(database)) == 1
    assert in_days(9) < (look(database, schedule_id).next_at or now()) < in_days(10)


def test_unchanged_dataset_is_skipped_with_the_reason(
    database: Database, queue: TrainingQueue, schedule_id: str
) -> None:
    for day in (1, 2):
        schedules.fire_due(database, queue, in_days(day))
    last = look(database, schedule_id).last
    assert last is not None
    assert (last.outcome, last.job_id) == ("skipped", submitted(database)[0].id)
    assert last.detail == "Nothing new was observed since version 1, which it asked for before."
    assert len(submitted(database)) == 1


def test_new_observations_are_learnt(
    database: Database, queue: TrainingQueue, schedule_id: str, dataset_id: str
) -> None:
    schedules.fire_due(database, queue, in_days(1))
    new_version(database, dataset_id)
    schedules.fire_due(database, queue, in_days(2))
    assert [job.dataset_version for job in submitted(database)] == [2, 1]
    assert look(database, schedule_id).last is not None


@pytest.mark.usefixtures("schedule_id")
def test_training_that_left_no_model_is_submitted_again(database: Database, queue: TrainingQueue) -> None:
    schedules.fire_due(database, queue, in_days(1))
    with database.write() as session:
        states.cancel(session, OWNER, submitted(database)[0].id)
    schedules.fire_due(database, queue, in_days(2))
    assert [job.state for job in submitted(database)] == ["queued", "cancelled"]


def test_training_that_cannot_be_done_any_more_is_refused_and_the_next_time_comes(
    database: Database, queue: TrainingQueue, schedule_id: str
) -> None:
    with database.write() as session:
        session.get_one(Schedule, ("default", schedule_id)).train = {"horizon": 999}
    schedules.fire_due(database, queue, in_days(1))
    schedule = look(database, schedule_id)
    assert schedule.last is not None
    assert (schedule.last.outcome, submitted(database)) == ("refused", [])
    assert "too few to train for 999 steps" in schedule.last.detail
    assert (schedule.next_at or now()) > in_days(1)


def test_paused_schedule_does_not_fire_and_makes_up_for_nothing_afterwards(
    database: Database, queue: TrainingQueue, schedule_id: str
) -> None:
    with database.write() as session:
        assert schedules.pause(session, OWNER, schedule_id, paused=True).next_at is None
        session.get_one(Schedule, ("default", schedule_id)).next_at = now() - DAY
    schedules.fire_due(database, queue, now())
    with database.write() as session:
        schedules.pause(session, OWNER, schedule_id, paused=False)
    schedules.fire_due(database, queue, now())
    assert submitted(database) == []


def test_broken_schedule_holds_up_no_other(
    database: Database, queue: TrainingQueue, schedule_id: str, dataset_id: str
) -> None:
    other = scheduled(database, dataset_id, seed=1)
    with database.write() as session:
        session.get_one(Schedule, ("default", schedule_id)).cron = "broken"
    schedules.fire_due(database, queue, in_days(1))
    assert look(database, other).last is not None


def test_broken_schedule_is_fired_again_only_after_an_hour(
    database: Database, queue: TrainingQueue, schedule_id: str
) -> None:
    moment = in_days(1)
    with database.write() as session:
        session.get_one(Schedule, ("default", schedule_id)).cron = "broken"
    schedules.fire_due(database, queue, moment)
    assert look(database, schedule_id).next_at == moment + timedelta(hours=1)


def test_more_than_are_fired_at_once_wait_for_the_next_time(
    database: Database, queue: TrainingQueue, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "MAX_AT_ONCE", 2)
    for seed in range(3):
        scheduled(database, dataset_id, seed=seed)
    moment, counts = in_days(1), list[int]()
    for _ in range(2):
        schedules.fire_due(database, queue, moment)
        counts.append(len(submitted(database)))
    assert counts == [2, 3]


def test_datasets_are_deleted_while_their_schedules_fire(database: Database, queue: TrainingQueue) -> None:
    doomed = [dataset(database).id for _ in range(12)]
    for dataset_id in doomed:
        for seed in range(3):
            scheduled(database, dataset_id, seed=seed)
    over = threading.Event()

    def fire() -> None:
        days = 1
        while not over.is_set():
            schedules.fire_due(database, queue, in_days(days))
            days += 1

    with ThreadPoolExecutor(1) as pool:
        firing = pool.submit(fire)
        try:
            for dataset_id in doomed:
                with database.write() as session:
                    catalog.delete(session, OWNER, dataset_id)
        finally:
            over.set()
        firing.result()


def test_two_workers_at_once_fire_it_once(
    database: Database, queue: TrainingQueue, schedule_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, due = threading.Barrier(2), queries.due

    def seen_by_both(session: Session, moment: datetime, limit: int) -> object:
        found = due(session, moment, limit)
        meeting.wait(10)
        return found

    monkeypatch.setattr(queries, "due", seen_by_both)
    workers = [
        threading.Thread(target=schedules.fire_due, args=(database, queue, in_days(1))) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with database.read() as session:
        assert session.query(Job).count() == 1
        assert session.get_one(Schedule, ("default", schedule_id)).trained_version == 1


def test_deleted_dataset_takes_its_schedules_along(
    database: Database, schedule_id: str, dataset_id: str
) -> None:
    with database.write() as session:
        catalog.delete(session, OWNER, dataset_id)
    with database.read() as session:
        assert session.query(Schedule).count() == session.query(Dataset).count() == 0
        assert schedule_id
