"""The moves of a job between its states, and who may make them."""

import pytest

from app import blobs
from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Blob, Job, now
from app.errors import Conflict
from app.queue import JobRef
from app.schemas.jobs import JobOut, Progress
from app.services.jobs import states
from tests.factories import dataset, queued_job

FIGURES = Progress(
    phase="backtesting",
    architecture="gru",
    member=1,
    members=2,
    epoch=3,
    epochs=20,
    loss=0.5,
    validation_loss=0.4,
    share_done=0.2,
)


@pytest.fixture
def ref(database: Database) -> JobRef:
    return queued_job(database, dataset(database).id)


def begin(database: Database, ref: JobRef, max_attempts: int = 3) -> int | None:
    with database.write() as session:
        return states.begin(session, ref, "worker", max_attempts)


def look(database: Database, ref: JobRef) -> JobOut:
    with database.read() as session:
        return states.get(session, OWNER, ref.job_id)


def test_begun_job_runs_with_attempt_one(database: Database, ref: JobRef) -> None:
    assert begin(database, ref) == 1
    job = look(database, ref)
    assert (job.state, job.attempt, job.failures) == ("running", 1, [])


def test_finished_job_cannot_be_begun(database: Database, ref: JobRef) -> None:
    attempt = begin(database, ref) or 0
    with database.write() as session:
        states.fail(session, ref, attempt, "The data is at fault.")
    assert begin(database, ref) is None
    assert look(database, ref).error == "The data is at fault."


def test_job_of_a_dead_worker_is_begun_again_with_the_cause_kept(database: Database, ref: JobRef) -> None:
    begin(database, ref)
    assert begin(database, ref) == 2
    assert look(database, ref).failures == ["Attempt 1: its worker died."]


def test_dead_attempt_waits_in_the_queue_with_its_cause(database: Database, ref: JobRef) -> None:
    attempt = begin(database, ref) or 0
    with database.write() as session:
        states.record_death(session, ref, attempt, "its process ended with signal SIGKILL.")
    job = look(database, ref)
    assert (job.state, job.failures) == ("queued", ["Attempt 1: its process ended with signal SIGKILL."])


def test_third_death_fails_the_job_with_every_cause(database: Database, ref: JobRef) -> None:
    for attempt in (1, 2, 3):
        begin(database, ref)
        with database.write() as session:
            states.record_death(session, ref, attempt, f"cause {attempt}.")
    assert begin(database, ref) is None
    job = look(database, ref)
    assert job.state == "failed"
    assert all(f"cause {attempt}." in (job.error or "") for attempt in (1, 2, 3))


def test_job_of_a_worker_that_stops_is_requeued_without_a_failure(database: Database, ref: JobRef) -> None:
    begin(database, ref)
    with database.write() as session:
        states.requeue_of(session, "worker")
    assert begin(database, ref) == 2
    assert look(database, ref).failures == []


def test_late_attempt_may_neither_record_progress_nor_end_the_job(database: Database, ref: JobRef) -> None:
    late = begin(database, ref) or 0
    begin(database, ref)
    with pytest.raises(states.Superseded), database.write() as session:
        states.record_progress(session, ref, late, FIGURES)
    with pytest.raises(states.Superseded), database.write() as session:
        states.succeed(session, ref, late, "model_late")
    assert (look(database, ref).state, look(database, ref).progress.phase) == ("running", "preparing")


def test_superseded_worker_does_not_take_the_job_back(database: Database, ref: JobRef) -> None:
    late = begin(database, ref)
    begin(database, ref)
    with database.write() as session:
        assert states.begin(session, ref, "worker", 3, last=late) is None
    assert look(database, ref).attempt == 2


def test_death_of_a_late_attempt_is_not_recorded(database: Database, ref: JobRef) -> None:
    late = begin(database, ref) or 0
    begin(database, ref)
    with pytest.raises(states.Superseded), database.write() as session:
        states.record_death(session, ref, late, "too late")
    assert look(database, ref).state == "running"


def cancel(database: Database, ref: JobRef) -> JobOut:
    with database.write() as session:
        return states.cancel(session, OWNER, ref.job_id)


def keep(database: Database, ref: JobRef, attempt: int) -> None:
    """Store a checkpoint of one part, as an attempt does."""
    with database.write() as session:
        key = blobs.put(session, ref.workspace_id, b"weights")
        states.store_checkpoint(session, ref, attempt, {"parts": {"part": {"key": key}}})


def kept_blobs(database: Database) -> list[bytes]:
    with database.read() as session:
        return [blob.data for blob in session.query(Blob) if blob.data == b"weights"]


def test_cancelled_job_is_not_begun_any_more(database: Database, ref: JobRef) -> None:
    job = cancel(database, ref)
    assert (job.state, job.error, begin(database, ref)) == ("cancelled", "It was cancelled.", None)


def test_attempt_at_a_cancelled_job_is_not_current(database: Database, ref: JobRef) -> None:
    attempt = begin(database, ref) or 0
    cancel(database, ref)
    with database.read() as session:
        assert not states.is_current(session, ref, attempt)
    with pytest.raises(states.Superseded), database.write() as session:
        states.succeed(session, ref, attempt, "model_late")


def test_ended_job_keeps_its_share_done_and_expects_no_end(database: Database, ref: JobRef) -> None:
    attempt = begin(database, ref) or 0
    with database.write() as session:
        states.record_progress(session, ref, attempt, FIGURES.model_copy(update={"estimated_end": now()}))
    assert cancel(database, ref).progress == FIGURES


def test_job_that_has_ended_is_not_cancelled(database: Database, ref: JobRef) -> None:
    cancel(database, ref)
    with pytest.raises(Conflict, match="has ended already: it was cancelled"):
        cancel(database, ref)


@pytest.mark.parametrize("end", ["succeed", "fail", "cancel"])
def test_checkpoint_goes_when_the_job_ends(database: Database, ref: JobRef, end: str) -> None:
    attempt = begin(database, ref) or 0
    keep(database, ref, attempt)
    assert len(kept_blobs(database)) == 1
    if end == "cancel":
        cancel(database, ref)
    else:
        with database.write() as session:
            getattr(states, end)(session, ref, attempt, "model or reason")
    assert kept_blobs(database) == []


def test_checkpoint_stays_when_the_attempt_dies_and_so_does_the_share_done(
    database: Database, ref: JobRef
) -> None:
    attempt = begin(database, ref) or 0
    keep(database, ref, attempt)
    with database.write() as session:
        states.record_progress(session, ref, attempt, FIGURES)
        states.record_death(session, ref, attempt, "cause.")
    assert len(kept_blobs(database)) == 1
    assert look(database, ref).progress == Progress(phase="queued", share_done=FIGURES.share_done)


def test_share_done_without_a_checkpoint_is_lost_with_the_attempt(database: Database, ref: JobRef) -> None:
    attempt = begin(database, ref) or 0
    with database.write() as session:
        states.record_progress(session, ref, attempt, FIGURES)
        states.requeue_of(session, "worker")
    assert look(database, ref).progress == Progress(phase="queued", share_done=0)


def test_every_change_that_shows_counts_the_revision_up(database: Database, ref: JobRef) -> None:
    def revision() -> int:
        with database.read() as session:
            return session.get_one(Job, (ref.workspace_id, ref.job_id)).revision

    seen = [revision()]
    attempt = begin(database, ref) or 0
    for change in (
        lambda session: states.record_progress(session, ref, attempt, FIGURES),
        lambda session: states.store_checkpoint(session, ref, attempt, {}),
        lambda session: states.requeue_of(session, "worker"),
        lambda session: states.cancel(session, OWNER, ref.job_id),
    ):
        seen.append(revision())
        with database.write() as session:
            change(session)
    assert [*seen, revision()] == [0, 1, 2, 2, 3, 4]


def test_progress_is_shown(database: Database, ref: JobRef) -> None:
    attempt = begin(database, ref) or 0
    with database.write() as session:
        states.record_progress(session, ref, attempt, FIGURES)
    assert look(database, ref).progress == FIGURES


def test_attempt_whose_worker_was_only_taken_for_dead_records_no_failure(
    database: Database, ref: JobRef
) -> None:
    begin(database, ref)
    begin(database, ref)
    with database.write() as session:
        states.retract_death(session, ref, 1)
    job = look(database, ref)
    assert (job.attempt, job.failures) == (2, [])


def test_other_deaths_stay_when_one_is_retracted(database: Database, ref: JobRef) -> None:
    attempt = begin(database, ref) or 0
    with database.write() as session:
        states.record_death(session, ref, attempt, "its process ended with signal SIGKILL.")
        states.retract_death(session, ref, 1)
    assert look(database, ref).failures == ["Attempt 1: its process ended with signal SIGKILL."]


def test_attempt_that_lacked_the_database_records_no_failure(database: Database, ref: JobRef) -> None:
    attempt = begin(database, ref) or 0
    with database.write() as session:
        states.requeue(session, ref, attempt)
        assert states.begin(session, ref, "worker", 3, last=attempt) == 2
    assert look(database, ref).failures == []


def test_failed_job_has_the_reason_and_an_ended_one_stays(database: Database, ref: JobRef) -> None:
    ended = queued_job(database, dataset(database).id)
    with database.write() as session:
        states.cancel(session, OWNER, ended.job_id)
        states.fail_all(session, [ref.job_id, ended.job_id], "Nobody can work on it.")
    assert (look(database, ref).state, look(database, ref).error) == ("failed", "Nobody can work on it.")
    assert look(database, ended).state == "cancelled"


def test_outcome_of_a_failed_job_has_its_cause(database: Database, ref: JobRef) -> None:
    with database.write() as session:
        assert states.outcome(session, ref) == ("goes on elsewhere.", False)
        states.fail_all(session, [ref.job_id], "The data is at fault.")
        assert states.outcome(session, ref) == ("has failed: The data is at fault.", True)
