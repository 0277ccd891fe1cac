"""The tables. Every owned row carries the workspace it belongs to, in its primary key as well, so that a
reference can only ever point into the same workspace.
"""

import secrets
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give a value that came without a zone the one it was stored in."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


# By code point, as SQLite sorts: pages then have one order on every database and locale.
CodePoints = String().with_variant(String(collation="C"), "postgresql")


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """Return `prefix_` and 26 hex digits: 14 of the time in microseconds and 12 random ones.

    Such ids sort by the time they were made, so that a list is paged by its primary key alone.
    """
    return f"{prefix}_{time.time_ns() // 1000:014x}{secrets.token_hex(6)}"


class Base(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        },
    )
    type_annotation_map = {  # noqa: RUF012  # the declarative base reads it from the class
        dict[str, Any]: JSON,
        list[Any]: JSON,
        bytes: LargeBinary,
        datetime: UtcDateTime,
        str: CodePoints,
    }


class Workspace(Base):
    """The owner of everything."""

    __tablename__ = "workspaces"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Owned(Base):
    """A row that belongs to a workspace."""

    __abstract__ = True

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), primary_key=True, sort_order=-1)


class Blob(Owned):
    """Bytes under their SHA-256 in hex: series and backtests as Parquet, weights as safetensors.

    The same bytes are one blob however often they are put; `uses` counts who refers to it.
    """

    __tablename__ = "blobs"

    key: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes]
    uses: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Dataset(Owned):
    """Series of one frequency uploaded together; `version` is the newest one, 0 while there is none to show:
    it is on its way in, or out.
    """

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    champion_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Draft(Owned):
    """A version of a dataset that is being written in many transactions, and by which process.

    Nobody sees it before it is published, and nobody else publishes meanwhile. `id` tells who has it: whoever
    finds another one there has lost it.
    """

    __tablename__ = "drafts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "dataset_id"], ["datasets.workspace_id", "datasets.id"], ondelete="CASCADE"
        ),
    )

    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str]
    process_id: Mapped[str]
    # By the database's clock, when it was written to last.
    touched_at: Mapped[datetime] = mapped_column(default=func.now())


class DatasetVersion(Owned):
    """One state of a dataset, and what is known of its series together.

    It holds nothing that grows with the number of versions: which rows belong to it the index rows say.
    `source_sha256` is the hash of the bytes that it was made of, as `services.observations` puts them
    together for a later one. One that is `dropped` is shown to nobody; what only it needs is on its way out.
    """

    __tablename__ = "dataset_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "dataset_id"], ["datasets.workspace_id", "datasets.id"], ondelete="CASCADE"
        ),
        Index(None, "workspace_id", "source_sha256"),
    )

    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    axis: Mapped[dict[str, Any]]
    profile: Mapped[dict[str, Any]]
    source_sha256: Mapped[str]
    dropped: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)


class DatasetBlob(Owned):
    """A blob that series of a dataset lie in, under the `number` that index rows know it by.

    It came with `version`, and goes with the last index row that names it: `series` counts those rows, and
    `rows` the observations that they span.
    """

    __tablename__ = "dataset_blobs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "dataset_id"], ["datasets.workspace_id", "datasets.id"], ondelete="CASCADE"
        ),
    )

    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    version: Mapped[int]
    series: Mapped[int]
    rows: Mapped[int] = mapped_column(BigInteger)


class Series(Owned):
    """The index row of one series: where its rows lie, and the tail that a forecast needs.

    It holds from its `version` on, until one of the same series has a later version; that version itself may
    be gone. `blob` is a number among the dataset's blobs; `first_row` and `length` count rows in that blob;
    `start` and `end` are the ordinals of the first and last time; `tail` holds the last values as
    little-endian float64, NaN for a gap.
    """

    __tablename__ = "series"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "dataset_id"], ["datasets.workspace_id", "datasets.id"], ondelete="CASCADE"
        ),
        Index(None, "workspace_id", "dataset_id", "unique_id", "version"),
    )

    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    unique_id: Mapped[str] = mapped_column(primary_key=True)
    blob: Mapped[int]
    first_row: Mapped[int]
    length: Mapped[int]
    observations: Mapped[int]
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    tail: Mapped[bytes]


class Job(Owned):
    """One training in the queue; `attempt` fences its writers: a row is changed only by the newest.

    `fingerprint` tells whether two jobs ask for the same; `revision` counts the changes that can be seen from
    outside; `worker_id` is who works on it, or did last; `checkpoint` is where the attempt after this one
    goes on from.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "workspace_id", "dataset_id", "fingerprint"),
        Index(None, "worker_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # No reference: a job outlives its dataset, to say what became of it.
    dataset_id: Mapped[str]
    dataset_version: Mapped[int]
    request: Mapped[dict[str, Any]]
    fingerprint: Mapped[str]
    state: Mapped[str]
    attempt: Mapped[int] = mapped_column(default=0)
    failures: Mapped[list[Any]] = mapped_column(default=list)
    progress: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(default=0)
    worker_id: Mapped[str | None]
    checkpoint: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(Text)
    model_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Schedule(Owned):
    """A training that is asked for again and again, at the times that `cron` names.

    `next_at` is when it is due; who changes it has fired it. `trained_version` is the dataset's version that
    it asked to be trained on last; `last` tells what came of the last time, as the answer shows it.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "dataset_id"], ["datasets.workspace_id", "datasets.id"], ondelete="CASCADE"
        ),
        Index(None, "workspace_id", "dataset_id"),
        Index(None, "next_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str]
    cron: Mapped[str]
    train: Mapped[dict[str, Any]]
    paused: Mapped[bool]
    next_at: Mapped[datetime]
    trained_version: Mapped[int | None]
    last: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Model(Owned):
    """What a training left: its weights, the rows of its backtest, its measures for each series and what the
    simple methods in its answers said of them lie in blobs, all else is here.

    `promotion` says which promotion of its dataset, counted from 1, made it the champion; null if none did.
    The dataset forecasts with the one promoted last, and `champion_id` there is written along with it.
    `served` is the one of its `methods` that answers. What tells how good it is (`verdicts`, `methods`,
    `backtest`, `lineage`) is null for models from before there were backtests.
    """

    __tablename__ = "models"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "dataset_id"], ["datasets.workspace_id", "datasets.id"], ondelete="CASCADE"
        ),
        Index(None, "workspace_id", "dataset_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str]
    dataset_version: Mapped[int]
    job_id: Mapped[str]
    horizon: Mapped[int]
    preset: Mapped[str]
    seed: Mapped[int]
    architecture: Mapped[str]
    trials: Mapped[list[Any]]
    artifact: Mapped[dict[str, Any]]
    weights_key: Mapped[str]
    backtest_key: Mapped[str | None]
    series_key: Mapped[str | None]
    simple_key: Mapped[str | None]
    weights_bytes: Mapped[int]
    weights_sha256: Mapped[str]
    code_version: Mapped[str]
    training_seconds: Mapped[float]
    name: Mapped[str | None]
    on_loss: Mapped[str]
    promotion: Mapped[int | None]
    served: Mapped[str]
    verdicts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    methods: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # Deferred: long, and neither a list nor a forecast needs them.
    backtest: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    lineage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def blob_keys(self) -> list[str]:
        """Where all its bytes lie."""
        keys = self.weights_key, self.backtest_key, self.series_key, self.simple_key
        return [key for key in keys if key is not None]


class IdempotencyKey(Owned):
    """A call that may be repeated: while it runs `status` is null, afterwards the answer stands here.

    `owner_id` is the process that works on the call; no reference, since that may be gone before it has
    ended it.
    """

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    body: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class ChangeSequence(Base):
    """The number of the last change, in one row that each change locks until it commits."""

    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class Change(Owned):
    """The last change of a dataset or of its champion; the row outlives the dataset, to record its deletion.

    Numbers come from the change sequence and follow the order of the commits: a reader of one has seen all
    below it.
    """

    __tablename__ = "changes"
    __table_args__ = (Index(None, "number"),)

    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)


class Process(Base):
    """A process of the service and its heartbeat; part of the machinery, owned by no workspace.

    Its `role` is `worker` for one that trains, `api` for one that answers calls.
    """

    __tablename__ = "processes"

    id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    host: Mapped[str]
    boot_id: Mapped[str]
    pid: Mapped[int]
    process_started: Mapped[str]
    device: Mapped[str]
    beat: Mapped[int] = mapped_column(BigInteger)
    # By the database's clock, for people to look at; who is dead is found out by the counter alone.
    beat_at: Mapped[datetime] = mapped_column(default=func.now())
    stopped: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=now)


# Now, and not in the first query: a child that is forked from a process with this imported has it done.
Base.registry.configure()
