"""How the benchmark tells, from the jobs' rows, what a kill has cost."""

import pytest

from benchmarks.random_kills import JobRow, Takeovers


@pytest.fixture
def takeovers() -> Takeovers:
    """A watch on one worker that has just been killed."""
    takeovers = Takeovers()
    takeovers.worker_killed("dead")
    return takeovers


def counts(takeovers: Takeovers) -> tuple[int, int]:
    return len(takeovers.noticed_s), len(takeovers.begun_s)


def test_job_of_a_killed_worker_is_noticed_then_taken_over(takeovers: Takeovers) -> None:
    seen = []
    for state, attempt, worker in [
        ("running", 1, "dead"),
        ("queued", 1, "dead"),
        ("queued", 1, "dead"),
        ("running", 2, "other"),
        ("running", 2, "other"),
    ]:
        takeovers.look([JobRow("job", state, attempt, worker)])
        seen.append(counts(takeovers))
    assert seen == [(0, 0), (1, 0), (1, 0), (1, 1), (1, 1)]


def test_job_that_the_killed_worker_had_ended_is_no_takeover(takeovers: Takeovers) -> None:
    takeovers.look([JobRow("job", "succeeded", 1, "dead")])
    takeovers.finish()
    assert counts(takeovers) == (0, 0)


def test_child_killed_after_its_job_had_ended_is_no_takeover() -> None:
    takeovers = Takeovers()
    takeovers.child_killed("job", 1)
    takeovers.look([JobRow("job", "succeeded", 1, "worker")])
    takeovers.finish()
    assert counts(takeovers) == (0, 0)


def test_job_that_still_waits_at_the_end_counts_with_its_wait(takeovers: Takeovers) -> None:
    takeovers.look([JobRow("job", "running", 1, "dead")])
    takeovers.finish()
    assert counts(takeovers) == (0, 1)


def test_second_kill_before_the_next_attempt_counts_from_the_first(takeovers: Takeovers) -> None:
    takeovers.look([JobRow("job", "running", 1, "dead")])
    takeovers.child_killed("job", 1)
    takeovers.look([JobRow("job", "running", 2, "other")])
    assert counts(takeovers) == (1, 1)
