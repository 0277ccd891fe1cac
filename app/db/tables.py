"""The tables. Each owned row has its workspace in its primary key, so no reference leaves a workspace."""

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
    """A time in UTC; SQLite stores no zone, so that reading adds it again."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return the value with its zone, UTC."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


# By code point, as SQLite sorts, so that pages have one order on every database and locale.
CodePoints = String().with_variant(String(collation="C"), "postgresql")


def now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """Return `prefix_` and 26 hex digits: 14 of the time in microseconds and 12 random ones.

    Such ids sort by the time they were made, so that a list is paged by its primary key alone.
    """
    return f"{prefix}_{time.time_ns() // 1000:014x}{secrets.token_hex(6)}"


class Base(DeclarativeBase):
    """The base of all tables."""

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

    Equal bytes are one blob; `uses` counts the references to it.
    """

    __tablename__ = "blobs"

    key: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes]
    uses: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Dataset(Owned):
    """Series of one frequency that were uploaded together.

    `version` is the newest version; 0 hides a dataset that is still being stored, or being deleted. Its
    forecasts stay from `lower` to `upper`, null for no end, and are whole if `integer`.
    """

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    champion_id: Mapped[str | None]
    lower: Mapped[float | None]
    upper: Mapped[float | None]
    integer: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Draft(Owned):
    """A version of a dataset that a process stores in many transactions.

    It is hidden until it is published, and no other call publishes meanwhile. A process that finds another
    `id` than its own has lost the draft.
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
    # The time of the last write, by the database's clock.
    touched_at: Mapped[datetime] = mapped_column(default=func.now())


class DatasetVersion(Owned):
    """One state of a dataset, with the profile of its series.

    Index rows say which series belong to it, so that no row grows with the number of versions. `columns` are
    those beside the target, each with name, role and kind; null for none. `source_sha256` is the hash of the
    bytes it was made from; for later versions `services.observations` combines hashes. A `dropped` version is
    hidden, and the series that only it needs are being removed.
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
    # Beside the profile, which is for people: what is stored is read by these.
    columns: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    source_sha256: Mapped[str]
    dropped: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)


class PretrainedBacktest(Owned):
    """What the pretrained network's backtest on a version found, for one horizon.

    `basis` names the code, the weights and the seasons that it was made with. Only with the same ones it is
    served. Series that are too short for a backtest have null in `verdict` and `backtest`.
    """

    __tablename__ = "pretrained_backtests"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "dataset_id", "version"],
            ["dataset_versions.workspace_id", "dataset_versions.dataset_id", "dataset_versions.version"],
            ondelete="CASCADE",
        ),
    )

    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    horizon: Mapped[int] = mapped_column(primary_key=True)
    basis: Mapped[str]
    served: Mapped[str]
    method: Mapped[dict[str, Any]]
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    warning: Mapped[str | None]
    # Deferred, since it is long, and forecasts do not need it.
    backtest: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)


class DatasetBlob(Owned):
    """A blob with series of a dataset; index rows refer to it by `number`.

    It was stored with `version` and is removed with its last index row: `series` counts these rows, `rows`
    the steps that they span, those ahead included.
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
    """The index row of one series: where it is stored, and the last values that a forecast needs.

    It is valid from its `version` until a later row of the same series; the version itself may be gone.
    `blob` numbers one of the dataset's blobs, and `first_row` and `length` count rows in it. `start` and
    `end` are the ordinals of the first and last time. `tail` holds the last values as little-endian float64,
    NaN for a gap. The `ahead` rows after those of `length` have columns beside the target and no value;
    `static` holds the columns with one value for the series, by name, null where there are none.
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
    ahead: Mapped[int] = mapped_column(default=0)
    observations: Mapped[int]
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    tail: Mapped[bytes]
    static: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Job(Owned):
    """One training in the queue; only its newest `attempt` may change the row (fencing).

    Two requests for the same training have one `fingerprint`; `revision` counts the changes that responses
    show; `worker_id` is the present or last worker; the next attempt resumes from `checkpoint`.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "workspace_id", "dataset_id", "fingerprint"),
        Index(None, "worker_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # Not a foreign key: a job outlives its dataset, to report its result.
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
    promotion: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Schedule(Owned):
    """A training that is submitted at the times of `cron`.

    It is due at `next_at`; the worker that advances `next_at` has fired it. `trained_version` is the dataset
    version of its last training; `last` is the outcome of its last run, as responses show it.
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
    """The result of a training; weights, backtest rows, measures and baseline forecasts are in blobs.

    `promotion` numbers, from 1, the promotion of its dataset that made it the champion; null if none did.
    `promotion_decision` says why one did or not; null in models older than that. The model promoted last is
    the champion, and `Dataset.champion_id` changes with it. `served` names the one of its `methods` that
    forecasts. Models older than backtests have null in `verdicts`, `methods`, `backtest` and `lineage`.
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
    promotion_decision: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    served: Mapped[str]
    verdicts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    methods: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # Deferred, since they are long, and neither lists nor forecasts need them.
    backtest: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    lineage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def blob_keys(self) -> list[str]:
        """Return the keys of all its blobs."""
        keys = self.weights_key, self.backtest_key, self.series_key, self.simple_key
        return [key for key in keys if key is not None]


class StoredForecasts(Owned):
    """The quantile forecasts that one model made of a dataset's series, in chunks.

    `basis` names all that they depend on beside the model and the series. Every series is stored as it was in
    `version`, or later; 0 until all are. `model_id` is null until the training `job_id` has published the
    model. `holder_id` is the worker that stores, which may have ended since.
    """

    __tablename__ = "stored_forecasts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "dataset_id"], ["datasets.workspace_id", "datasets.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["workspace_id", "model_id"], ["models.workspace_id", "models.id"], ondelete="CASCADE"
        ),
        Index(None, "workspace_id", "model_id"),
        Index(None, "workspace_id", "dataset_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str]
    model_id: Mapped[str | None]
    job_id: Mapped[str | None]
    basis: Mapped[str]
    version: Mapped[int] = mapped_column(default=0)
    holder_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class ForecastChunk(Owned):
    """Stored forecasts of some series whose names follow each other; `data` also holds the names."""

    __tablename__ = "forecast_chunks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "stored_id"],
            ["stored_forecasts.workspace_id", "stored_forecasts.id"],
            ondelete="CASCADE",
        ),
    )

    stored_id: Mapped[str] = mapped_column(primary_key=True)
    first_name: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes]


class IdempotencyKey(Owned):
    """The idempotency key of a call, and its response; `status` is null while the call runs.

    `owner_id` is the process that runs the call; not a foreign key, since the process may end first.
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
    """A process of the service and its heartbeat; it belongs to no workspace.

    Its `role` is `worker` if it trains, `api` if it serves requests.
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
    # By the database's clock, for people to read; only the counter decides whether a process is dead.
    beat_at: Mapped[datetime] = mapped_column(default=func.now())
    stopped: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=now)


# Configured now rather than by the first query, so that forked children inherit it.
Base.registry.configure()
