"""What an attempt saves for the next one, and when."""

import time

import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Blob, Job
from app.digest import sha256
from app.queue import JobRef
from app.services.jobs import states
from app.services.training.checkpoints import JobCheckpoints
from models.network.artifact import Artifact
from tests.factories import dataset, queued_job

STATE = Artifact(b"state", {"format": "any"})
LATER = Artifact(b"later", {"format": "any"})


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def go_on(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def ref(database: Database) -> JobRef:
    return queued_job(database, dataset(database).id)


def attempt(database: Database, ref: JobRef, *, pausing: bool = False) -> JobCheckpoints:
    """Begin the next attempt at a job."""
    with database.write() as session:
        number = states.begin(session, ref, "worker", max_attempts=9) or 0
        kept = session.get_one(Job, (ref.workspace_id, ref.job_id)).checkpoint
    return JobCheckpoints(database, ref, number, kept, lambda: pausing)


def kept(database: Database, ref: JobRef) -> list[bytes]:
    with database.read() as session:
        job = session.get_one(Job, (ref.workspace_id, ref.job_id))
        parts = (job.checkpoint or {}).get("parts", {}).values()
        assert session.query(Blob).count() == 1 + len(parts)  # one is the dataset's
        return [session.get_one(Blob, (ref.workspace_id, part["key"])).data for part in parts]


def test_next_attempt_finds_what_was_saved(database: Database, ref: JobRef) -> None:
    attempt(database, ref).save({"training": STATE, "baselines": LATER})
    following = attempt(database, ref)
    assert (following.load("training"), following.load("baselines")) == (STATE, LATER)
    assert following.load("other") is None


def test_newer_state_of_a_part_takes_the_place_of_the_older(database: Database, ref: JobRef) -> None:
    first = attempt(database, ref)
    first.save({"training": STATE})
    first.save({"training": LATER})
    assert kept(database, ref) == [b"later"]
    second = attempt(database, ref)
    second.save({"training": STATE})
    assert kept(database, ref) == [b"state"]


def test_damaged_state_counts_as_none(database: Database, ref: JobRef) -> None:
    attempt(database, ref).save({"training": STATE})
    with database.write() as session:
        session.query(Blob).filter_by(key=sha256(b"state")).update({"data": b"other"})
    assert attempt(database, ref).load("training") is None


def test_superseded_attempt_saves_nothing(database: Database, ref: JobRef) -> None:
    late = attempt(database, ref)
    attempt(database, ref)
    with pytest.raises(states.Superseded):
        late.save({"training": STATE})
    assert kept(database, ref) == []


def test_pausing_training_is_due_at_once_and_stops_when_it_is_saved(database: Database, ref: JobRef) -> None:
    pausing = attempt(database, ref, pausing=True)
    assert pausing.due()
    with pytest.raises(states.Paused):
        pausing.save({"training": STATE})
    assert kept(database, ref) == [b"state"]


def test_saving_is_due_so_seldom_that_it_costs_2_percent_at_most(
    database: Database, ref: JobRef, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving = attempt(database, ref)
    monkeypatch.setattr(saving, "_store", lambda _: clock.go_on(1.0))
    saving.save({"training": STATE})
    clock.go_on(49.9)
    assert not saving.due()
    clock.go_on(0.2)
    assert saving.due()


def test_seconds_of_earlier_attempts_count(database: Database, ref: JobRef, clock: Clock) -> None:
    first = attempt(database, ref)
    clock.go_on(40.0)
    first.save({"training": STATE})
    second = attempt(database, ref)
    clock.go_on(5.0)
    assert second.seconds == 45.0


def test_workspace_of_the_job_owns_the_bytes(database: Database, ref: JobRef) -> None:
    attempt(database, ref).save({"training": STATE})
    with database.read() as session:
        owners = {blob.workspace_id for blob in session.query(Blob)}
    assert owners == {OWNER.workspace_id}
