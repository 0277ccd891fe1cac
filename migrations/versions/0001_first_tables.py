"""first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create every table, and the workspace that owns all while there are no keys."""
    op.create_table(
        "workers",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("boot_id", TEXT, nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", TEXT, nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
    )
    op.create_table(
        "blobs",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_blobs_workspaces"),
        sa.PrimaryKeyConstraint("workspace_id", "key", name="pk_blobs"),
    )
    op.create_table(
        "datasets",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("champion_id", TEXT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_datasets_workspaces"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_datasets"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_idempotency_keys_workspaces"),
        sa.PrimaryKeyConstraint("workspace_id", "key", name="pk_idempotency_keys"),
    )
    op.create_table(
        "jobs",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("dataset_version", sa.Integer(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.JSON(), nullable=False),
        sa.Column("progress", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("model_id", TEXT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_jobs_workspaces"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_jobs"),
    )
    op.create_table(
        "dataset_versions",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("axis", sa.JSON(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("blob_keys", sa.JSON(), nullable=False),
        sa.Column("source_sha256", TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "dataset_id"],
            ["datasets.workspace_id", "datasets.id"],
            name="fk_dataset_versions_datasets",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_dataset_versions_workspaces"),
        sa.PrimaryKeyConstraint("workspace_id", "dataset_id", "version", name="pk_dataset_versions"),
    )
    op.create_index(
        "ix_dataset_versions_workspace_id_source_sha256",
        "dataset_versions",
        ["workspace_id", "source_sha256"],
    )

    op.create_table(
        "models",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("dataset_version", sa.Integer(), nullable=False),
        sa.Column("job_id", TEXT, nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("preset", TEXT, nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("artifact", sa.JSON(), nullable=False),
        sa.Column("weights_key", TEXT, nullable=False),
        sa.Column("weights_bytes", sa.Integer(), nullable=False),
        sa.Column("weights_sha256", TEXT, nullable=False),
        sa.Column("validation_loss", sa.Double(), nullable=False),
        sa.Column("code_version", TEXT, nullable=False),
        sa.Column("training_seconds", sa.Double(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "dataset_id"],
            ["datasets.workspace_id", "datasets.id"],
            name="fk_models_datasets",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_models_workspaces"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_models"),
    )
    op.create_index("ix_models_workspace_id_dataset_id", "models", ["workspace_id", "dataset_id"])

    op.create_table(
        "series",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("unique_id", TEXT, nullable=False),
        sa.Column("blob", sa.Integer(), nullable=False),
        sa.Column("first_row", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("observations", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("tail", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "dataset_id", "version"],
            ["dataset_versions.workspace_id", "dataset_versions.dataset_id", "dataset_versions.version"],
            name="fk_series_dataset_versions",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_series_workspaces"),
        sa.PrimaryKeyConstraint("workspace_id", "dataset_id", "version", "unique_id", name="pk_series"),
    )
    op.execute("INSERT INTO workspaces (id, created_at) VALUES ('default', CURRENT_TIMESTAMP)")


def downgrade() -> None:
    """Drop every table, with all that is in them."""
    op.drop_table("series")
    op.drop_table("models")
    op.drop_table("dataset_versions")
    op.drop_table("jobs")
    op.drop_table("idempotency_keys")
    op.drop_table("datasets")
    op.drop_table("blobs")
    op.drop_table("workspaces")
    op.drop_table("workers")
