"""What the queue costs a job, and what becomes of jobs while processes of the service are killed.

One API and three workers, real processes, on SQLite and on a Postgres server of its own. First the overhead:
the time from a job's creation to the first epoch that its row tells of, workers idle. Then many trainings
while workers, training processes and the API are killed at random: how many jobs are lost or done twice, how
long one whose process was killed waits for its next attempt, and whether forecasts are answered all the time.

    python -m benchmarks.jobs
"""

import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import select

from app.db.tables import Job, Model, now
from benchmarks import postgres
from benchmarks.fleet import Fleet, running_fleet
from benchmarks.process_tree import eventually
from benchmarks.random_kills import RandomKills
from benchmarks.report import finish, print_table
from gatecast_client import Client

JOBS = 200
OVERHEAD_JOBS = 20
OVERHEAD_BOUND_MS = 300
HORIZON = 3
SERIES = [100 + 5 * step + (-1) ** step for step in range(24)]
EPOCH_LIMIT_S = 60.0
POLL_S = 0.002

Figures = dict[str, Any]


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """Addresses of empty databases, by kind."""
    urls = {"sqlite": f"sqlite:///{folder / 'gatecast.db'}"}
    programs = postgres.programs()
    if programs is None:
        print(
            "There are no Postgres server programs here (Debian: apt-get install postgresql): SQLite alone."
        )
        yield urls
        return
    with postgres.running_server(programs, durable=True) as server:
        yield {**urls, "postgres": f"{server.url}/postgres"}


def measure(url: str, folder: Path) -> Figures:
    """Every figure of one database."""
    with running_fleet(url, folder) as fleet:
        with Client(fleet.url) as client:
            rows = "\n".join(f"{1990 + step},{value}" for step, value in enumerate(SERIES))
            dataset_id = client.upload(f"ds,y\n{rows}\n".encode(), "series").id
            overhead = [overhead_ms(fleet, client, dataset_id, seed=JOBS + i) for i in range(OVERHEAD_JOBS)]
            fleet.wait_until_idle()
            job_ids = [
                client.train(dataset_id, HORIZON, "quick", promote="auto", seed=seed).id
                for seed in range(JOBS)
            ]
        kills = RandomKills(fleet, dataset_id, job_ids)
        kills.run()
        return {
            **outcome(fleet, job_ids),
            **_kill_figures(kills),
            "overhead_ms": round(median(overhead), 1),
            "overhead_worst_ms": round(max(overhead), 1),
            "surprises": fleet.surprises,
        }


def overhead_ms(fleet: Fleet, client: Client, dataset_id: str, seed: int) -> float:
    """From the creation of a job's row to the first epoch in it, seen in the database.

    Counted: the transaction that enqueues it, the wait for a worker's next look at the queue, the beginning
    of the attempt, the child that stands by and reads the data, one epoch of the smallest training there is,
    and its report. Not counted: the HTTP request before that row is made. Both clocks are this machine's.
    """
    fleet.wait_until_idle()
    job = client.train(dataset_id, HORIZON, "quick", seed=seed)
    eventually(lambda: _has_learned(fleet, job.id), EPOCH_LIMIT_S, POLL_S)
    taken = now() - job.created_at
    client.cancel(job.id)
    return taken.total_seconds() * 1000


def _has_learned(fleet: Fleet, job_id: str) -> bool:
    with fleet.database.read() as session:
        progress = session.scalars(select(Job.progress).where(Job.id == job_id)).one()
    return progress.get("epoch") is not None


def outcome(fleet: Fleet, job_ids: Sequence[str]) -> Figures:
    """What became of the jobs, by the database."""
    with fleet.database.read() as session:
        ended = {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(job_ids)))}
        made = [tuple(row) for row in session.execute(select(Model.job_id, Model.id))]
    models = Counter(job_id for job_id, _ in made)
    whole = {job.id for job in ended.values() if job.state == "succeeded" and (job.id, job.model_id) in made}
    return {
        "jobs": len(job_ids),
        "lost": len(set(job_ids) - whole),
        "twice": sum(models[job_id] > 1 for job_id in job_ids),
        "attempts": sum(job.attempt for job in ended.values()),
        "failed": [job.error for job in ended.values() if job.state == "failed"],
        "unfinished": [job.id for job in ended.values() if job.state in {"queued", "running"}],
    }


def _kill_figures(kills: RandomKills) -> Figures:
    takeovers, reader = kills.takeovers, kills.reader
    return {
        "kills": dict(kills.counts),
        "takeovers": len(takeovers.begun_s),
        "longest_takeover_s": round(max(takeovers.begun_s, default=0.0), 2),
        "longest_noticed_s": round(max(takeovers.noticed_s, default=0.0), 2),
        "forecasts": reader.requests,
        "forecasts_failed": sum(reader.failures.values()),
        "forecasts_cut_off": reader.aborted,
        "forecast_failures": dict(reader.failures),
        "slowest_forecast_ms": round(1000 * reader.slowest_s, 1),
        "seconds": round(kills.seconds, 1),
    }


def _tracebacks(folder: Path) -> int:
    return sum(log.read_text(errors="replace").count("Traceback (most") for log in folder.glob("*.log"))


def _print(results: dict[str, Figures]) -> None:
    columns = (
        *("jobs", "lost", "twice", "attempts", "longest_takeover_s", "longest_noticed_s"),
        *("overhead_ms", "overhead_worst_ms", "forecasts", "forecasts_failed", "tracebacks", "seconds"),
    )
    print(f"\nBounds: none lost, none twice, an overhead under {OVERHEAD_BOUND_MS} ms.")
    header = ("", *results)
    print_table(header, [(column, *(str(one[column]) for one in results.values())) for column in columns])
    for name, one in results.items():
        for line in (*one["failed"], *one["unfinished"], *one["forecast_failures"], *one["surprises"]):
            print(f"{name}: {line}")


def _result(results: dict[str, Figures]) -> Figures:
    """The worst over the databases, and each alone."""
    alone = results.values()
    return {
        **{key: sum(one[key] for one in alone) for key in ("lost", "twice", "forecasts_failed")},
        **{key: max(one[key] for one in alone) for key in ("longest_takeover_s", "overhead_ms")},
        "databases": results,
    }


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended then as well
    folder = Path(tempfile.mkdtemp(prefix="gatecast-jobs-"))
    results: dict[str, Figures] = {}
    with databases(folder) as urls:
        for name, url in urls.items():
            print(f"{name}, logs in {folder / name}", flush=True)
            (folder / name).mkdir()
            results[name] = {**measure(url, folder / name), "tracebacks": _tracebacks(folder / name)}
    _print(results)
    if any(one["tracebacks"] or one["lost"] or one["twice"] for one in results.values()):
        print(f"The logs are kept in {folder}.")
    else:
        shutil.rmtree(folder)
    finish("jobs", _result(results))


if __name__ == "__main__":
    main()
