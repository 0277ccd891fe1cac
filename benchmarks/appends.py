"""What a thousand appends of one row take on the disk, beside the data they leave.

To a dataset of one series and to one of forty, one after the other, without HTTP; on SQLite, and on Postgres
where its programs are there. Data is what the newest version holds: its blobs, and its index rows with the
tails that a forecast reads. `beside` is all the rest of the dataset's tables, `peak` the most of that on the
way; `file` is how much SQLite's file grew, and `free` how much of that what comes next takes up.

    python -m benchmarks.appends [--rows N]
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.auth import OWNER
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import datasets as queries
from app.db.tables import Blob, DatasetBlob, DatasetVersion, Series
from app.intake.reader import ReadOptions, read_more_rows, read_rows
from app.schemas.datasets import ObservationIn
from app.services.datasets import catalog, compaction, observations, staging
from app.services.datasets.merging import ObservationsUpload, StagedObservations
from app.services.datasets.staging import StagedDataset, Upload
from app.services.shared import database_admin
from app.settings import MEBIBYTE, Settings
from benchmarks import postgres
from benchmarks.report import finish

ROWS, SERIES, STEPS = 1_000, (1, 40), 60
BOUND_MB = 2.0
EVERY = 100


def create(database: Database, series: int) -> str:
    """Store so many series of the same length, and return the dataset's id."""
    names = range(series)
    rows = [
        ObservationIn(unique_id=f"s{i}", ds=step, y=i + step * 1.5) for i in names for step in range(STEPS)
    ]
    upload = Upload("appends", read_rows(rows, ReadOptions(frequency=1)), "0" * 64)
    staged = StagedDataset(database, "benchmark", OWNER, upload)
    with staging.stored(staged), database.write() as session:
        return catalog.create(session, staged).id


def append_row(database: Database, dataset_id: str, row: ObservationIn, keep: int) -> None:
    """Append a row as a call does."""
    with database.read() as session:
        existing = observations.existing(session, OWNER, dataset_id)
    sent = ObservationsUpload(read_more_rows([row], existing), "1" * 64)
    staged = StagedObservations(database, "benchmark", DatasetRef(OWNER.workspace_id, dataset_id), sent)
    with staging.stored(staged), database.write() as session:
        observations.append(session, staged, keep)


def sizes(session: Session, dataset_id: str) -> tuple[int, int]:
    """Return the bytes of the newest version's data, and those of everything in the dataset's tables."""
    _, newest = catalog.find(session, OWNER, dataset_id)
    rows = queries.entries(session, newest)
    held = {entry.blob for entry in rows}
    blobs = session.execute(
        select(DatasetBlob.number, func.length(Blob.data))
        .join(Blob, (Blob.workspace_id == DatasetBlob.workspace_id) & (Blob.key == DatasetBlob.key))
        .where(DatasetBlob.dataset_id == dataset_id)
    ).all()
    tails = sum(8 * min(entry.length, 1024) for entry in rows)
    data = sum(size for number, size in blobs if number in held) + tails
    everything = sum(size for _, size in blobs) + sum(_row_bytes(session, dataset_id))
    return data, everything


def _row_bytes(session: Session, dataset_id: str) -> Iterator[int]:
    for table in (Series, DatasetVersion, DatasetBlob):
        for row in session.scalars(select(table).where(table.dataset_id == dataset_id)):
            values = (getattr(row, column.key) for column in table.__mapper__.column_attrs)
            yield sum(len(value) if isinstance(value, bytes) else len(str(value)) for value in values)


def measure(database: Database, series: int, rows: int) -> dict[str, float]:
    """Append one row after the other, and tell in MB what they took."""
    keep = Settings().keep_versions
    dataset_id, peak, began = create(database, series), 0, time.perf_counter()
    before = _file_bytes(database)
    for i in range(rows):
        row = ObservationIn(unique_id=f"s{i % series}", ds=STEPS + i // series, y=float(i))
        append_row(database, dataset_id, row, keep)
        if (i + 1) % EVERY == 0:
            with database.read() as session:
                data, everything = sizes(session, dataset_id)
            peak = max(peak, everything - data)
    compaction.tidy(database, keep)
    seconds = time.perf_counter() - began
    with database.read() as session:
        data, everything = sizes(session, dataset_id)
    found = {"data": data, "beside": everything - data, "peak": peak, **_grown(database, before)}
    return {
        **{f"{name}_mb": round(size / MEBIBYTE, 3) for name, size in found.items()},
        "s": round(seconds, 1),
    }


def _file_bytes(database: Database) -> int:
    return Path(database.file).stat().st_size if database.is_sqlite else 0


def _grown(database: Database, before: int) -> dict[str, int]:
    if not database.is_sqlite:
        return {}
    database.dispose()  # the last connection writes SQLite's log into the file
    with closing(sqlite3.connect(database.file)) as connection:
        free, size = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("freelist_count", "page_size")
        )
    return {"file": _file_bytes(database) - before, "free": free * size}


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open an empty database, brought to this version."""
    database = Database(url)
    database_admin.migrate(database)
    try:
        yield database
    finally:
        database.dispose()


def everywhere(rows: int) -> dict[str, Any]:
    """Measure on each kind of database that there is."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="gatecast-appends-") as folder:
        for series in SERIES:
            with opened(f"sqlite:///{folder}/{series}.db") as database:
                found[f"sqlite_{series}"] = measure(database, series, rows)
    programs = postgres.programs()
    if programs is not None:
        with postgres.running_server(programs) as server:
            for series in SERIES:
                with postgres.own_database(server.url) as url, opened(url) as database:
                    found[f"postgres_{series}"] = measure(database, series, rows)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS, help="appends of one row each")
    rows = parser.parse_args().rows
    found = everywhere(rows)
    for name, figures in found.items():
        print(name, figures)
    print(f"Bound: {BOUND_MB} MB beside the data.")
    finish("appends", {"rows": rows, **found})


if __name__ == "__main__":
    main()
