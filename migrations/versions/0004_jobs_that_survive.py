"""jobs that survive: checkpoints, who works on what, the same asked for twice, and schedules."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)
JOBS: dict[str, sa.types.TypeEngine[Any]] = {
    "worker_id": TEXT,
    "checkpoint": sa.JSON(none_as_null=True),
}
BEFORE = '{"phase": "queued", "share_done": 0.0}'


def upgrade() -> None:
    """No job so far has a checkpoint, nor is it the same as another; workers report anew when they start."""
    op.execute(f"UPDATE jobs SET progress = '{BEFORE}' WHERE progress IS NULL")  # noqa: S608  # our own words
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("fingerprint", TEXT, nullable=False, server_default=""))
        jobs.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
        jobs.alter_column("progress", existing_type=sa.JSON(), nullable=False)
        for name, kind in JOBS.items():
            jobs.add_column(sa.Column(name, kind, nullable=True))
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("fingerprint", server_default=None)
        jobs.alter_column("revision", server_default=None)
        jobs.create_index(
            op.f("ix_jobs_workspace_id_dataset_id_fingerprint"), ["workspace_id", "dataset_id", "fingerprint"]
        )
        jobs.create_index(op.f("ix_jobs_worker_id"), ["worker_id"])
    with op.batch_alter_table("workers") as workers:
        workers.add_column(sa.Column("device", TEXT, nullable=False, server_default=""))
        workers.add_column(sa.Column("beat_at", MOMENT, nullable=False, server_default=sa.func.now()))
    with op.batch_alter_table("workers") as workers:
        workers.alter_column("device", server_default=None)
        workers.alter_column("beat_at", server_default=None)
    op.create_table(
        "schedules",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("cron", TEXT, nullable=False),
        sa.Column("train", sa.JSON(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("trained_version", sa.Integer(), nullable=True),
        sa.Column("last", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "dataset_id"],
            ["datasets.workspace_id", "datasets.id"],
            name="fk_schedules_datasets",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_schedules_workspaces"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_schedules"),
    )
    with op.batch_alter_table("schedules") as schedules:
        schedules.create_index(op.f("ix_schedules_next_at"), ["next_at"])
        schedules.create_index(op.f("ix_schedules_workspace_id_dataset_id"), ["workspace_id", "dataset_id"])


def downgrade() -> None:
    """Give the tables their former shape; progress, checkpoints and schedules are forgotten."""
    op.drop_table("schedules")
    op.execute("DELETE FROM blobs WHERE key LIKE 'job!_%' ESCAPE '!'")
    with op.batch_alter_table("workers") as workers:
        workers.drop_column("beat_at")
        workers.drop_column("device")
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_index(op.f("ix_jobs_worker_id"))
        jobs.drop_index(op.f("ix_jobs_workspace_id_dataset_id_fingerprint"))
        jobs.alter_column("progress", existing_type=sa.JSON(), nullable=True)
        for name in ("fingerprint", "revision", *JOBS):
            jobs.drop_column(name)
    op.execute("UPDATE jobs SET progress = NULL")
