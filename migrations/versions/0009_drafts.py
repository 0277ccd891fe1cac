"""drafts: versions that are being written in many transactions, and by whom."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Nothing is being written yet."""
    op.create_table(
        "drafts",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("process_id", TEXT, nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "dataset_id"],
            ["datasets.workspace_id", "datasets.id"],
            name="fk_drafts_datasets",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_drafts_workspaces"),
        sa.PrimaryKeyConstraint("workspace_id", "dataset_id", name="pk_drafts"),
    )


def downgrade() -> None:
    """What nobody has published is gone."""
    for table in ("series", "dataset_blobs"):
        op.execute(
            f"DELETE FROM {table} WHERE version > (SELECT d.version FROM datasets AS d "  # noqa: S608  # our own words
            f"WHERE d.workspace_id = {table}.workspace_id AND d.id = {table}.dataset_id)"
        )
    op.execute("DELETE FROM datasets WHERE version = 0")
    op.drop_table("drafts")
