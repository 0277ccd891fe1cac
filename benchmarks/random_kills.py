"""Kill processes of a busy service at random; watch its jobs, and read its forecasts."""

import random
import threading
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import ValidationError
from sqlalchemy import select

from app.db.tables import Job
from benchmarks.fleet import Fleet
from gatecast_client import Client, GatecastError

KILLING_S = 120.0
KILL_EVERY_S = (2.0, 5.0)
TARGETS = {"worker": 10, "child": 8, "api": 2}  # by how often each is chosen
LIMIT_S = 2700.0  # for everything, with the time until all jobs have ended
LOOK_S = 0.05
READ_EVERY_S = 0.05
PRINT_EVERY_S = 10.0
UNFINISHED = ("queued", "running")


class JobRow(NamedTuple):
    """The watched columns of a job."""

    id: str
    state: str
    attempt: int
    worker_id: str | None


@dataclass
class _Orphan:
    """A job whose process was killed: the attempt, the time, and whether the service has noticed."""

    attempt: int
    since: float
    is_noticed: bool = False


@dataclass
class Takeovers:
    """How long jobs whose process was killed wait to be requeued, and to be started again.

    Measured from the jobs' rows alone, read every `LOOK_S`, by the clock of the benchmark.
    """

    noticed_s: list[float] = field(default_factory=list)
    begun_s: list[float] = field(default_factory=list)
    _orphans: dict[str, _Orphan] = field(default_factory=dict)
    _killed_at: dict[str, float] = field(default_factory=dict)

    def worker_killed(self, worker_id: str) -> None:
        """Whatever unfinished job has this worker in its row, now or later, has lost it now."""
        self._killed_at[worker_id] = time.monotonic()

    def child_killed(self, job_id: str, attempt: int) -> None:
        """Record that an attempt has lost its process now."""
        self._orphans.setdefault(job_id, _Orphan(attempt, time.monotonic()))

    def look(self, jobs: Collection[JobRow]) -> None:
        """Compare the rows with what was killed."""
        now = time.monotonic()
        for job in jobs:
            if job.worker_id in self._killed_at and job.state in UNFINISHED:
                self._orphans.setdefault(job.id, _Orphan(job.attempt, self._killed_at[job.worker_id]))
            if orphan := self._orphans.get(job.id):
                self._judge(job, orphan, now)

    def _judge(self, job: JobRow, orphan: _Orphan, now: float) -> None:
        is_begun = job.attempt > orphan.attempt
        if not orphan.is_noticed and (is_begun or job.state == "queued"):
            orphan.is_noticed = True
            self.noticed_s.append(now - orphan.since)
        if is_begun:
            self.begun_s.append(now - orphan.since)
        if is_begun or job.state not in UNFINISHED:  # ended: it was killed a moment too late to matter
            del self._orphans[job.id]

    def finish(self) -> None:
        """Count jobs that still wait with the time they have waited."""
        self.begun_s += [time.monotonic() - orphan.since for orphan in self._orphans.values()]


class Reader(threading.Thread):
    """Requests a forecast all the time; requests that a killed API leaves unanswered do not count."""

    def __init__(self, fleet: Fleet, dataset_id: str) -> None:
        super().__init__(name="reader")
        self._fleet, self._dataset_id = fleet, dataset_id
        self._stopping = threading.Event()
        self.requests = self.aborted = 0
        self.slowest_s = 0.0
        self.failures: Counter[str] = Counter()

    def stop(self) -> None:
        """Stop, and wait for the last response."""
        self._stopping.set()
        if self.ident is not None:
            self.join()

    def run(self) -> None:
        """Read until stopped."""
        ready = None
        with Client(self._fleet.url, retries=0) as client:
            while not self._stopping.wait(READ_EVERY_S):
                api = self._fleet.api
                if api is ready:
                    self._read(client)
                elif client.is_ready():
                    ready = api

    def _read(self, client: Client) -> None:
        api, began = self._fleet.api, time.monotonic()
        failure = None
        try:
            next(client.forecasts(self._dataset_id))
        except (GatecastError, ValidationError, ValueError) as error:
            failure = f"{type(error).__name__}: {error}"
        if failure is not None and (api.is_condemned or api is not self._fleet.api):
            self.aborted += 1
            return
        self.requests += 1
        if failure is not None:
            self.failures[failure] += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)


class RandomKills:
    """Kills processes at random for a while, and watches until all jobs have ended."""

    def __init__(self, fleet: Fleet, dataset_id: str, job_ids: Collection[str]) -> None:
        self._fleet, self._job_ids = fleet, set(job_ids)
        self._random = random.Random(0)  # noqa: S311  # chance, not secrets
        self.takeovers = Takeovers()
        self.reader = Reader(fleet, dataset_id)
        self.counts: Counter[str] = Counter()
        self.seconds = 0.0

    def run(self) -> None:
        """Return when every job has ended, or after `LIMIT_S`."""
        began = time.monotonic()
        try:
            self._watch(began)
        finally:
            self.reader.stop()
            self.takeovers.finish()
            self.seconds = time.monotonic() - began

    def _watch(self, began: float) -> None:
        next_kill, next_line = began, began
        while (now := time.monotonic()) < began + LIMIT_S:
            jobs = self._jobs()
            self.takeovers.look(jobs)
            states = Counter(job.state for job in jobs)
            if states["succeeded"] and not self.reader.is_alive():
                self.reader.start()
            if not any(states[state] for state in UNFINISHED):
                return
            self._fleet.look_after()
            if next_kill < now < began + KILLING_S:
                self._kill(jobs)
                next_kill = now + self._random.uniform(*KILL_EVERY_S)
            if now > next_line:
                self._print_progress(now - began, states)
                next_line = now + PRINT_EVERY_S
            time.sleep(LOOK_S)

    def _jobs(self) -> list[JobRow]:
        query = select(Job.id, Job.state, Job.attempt, Job.worker_id).where(Job.id >= min(self._job_ids))
        with self._fleet.database.read() as session:
            jobs = [JobRow(*row) for row in session.execute(query)]
        return [job for job in jobs if job.id in self._job_ids]

    def _kill(self, jobs: Collection[JobRow]) -> None:
        """Kill one process; nothing happens if the one that chance chose is not there just now."""
        (kind,) = self._random.choices(list(TARGETS), list(TARGETS.values()))
        worker = self._random.choice(self._fleet.workers)
        target = self._fleet.api if kind == "api" else worker
        if target.process.poll() is not None:
            return
        worker_id = None if kind == "api" else self._fleet.id_of(worker)
        if kind == "child":
            if not self._fleet.kill_child(worker):
                return
            for job in jobs:
                if job.state == "running" and job.worker_id == worker_id:
                    self.takeovers.child_killed(job.id, job.attempt)
        else:
            self._fleet.kill(target)
            if worker_id is not None:
                self.takeovers.worker_killed(worker_id)
        self.counts[kind] += 1

    def _print_progress(self, seconds: float, states: Counter[str]) -> None:
        shown = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        killed = ", ".join(f"{count} {kind}" for kind, count in sorted(self.counts.items())) or "nothing"
        failed = sum(self.reader.failures.values())
        print(
            f"  {seconds:5.0f} s: {shown}; killed: {killed}; "
            f"forecasts: {self.reader.requests}, {failed} failed",
            flush=True,
        )
