"""changes: which datasets have changed, in the order of commits, so that every process can follow."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Nothing counts as changed so far: no process has anything in memory yet."""
    clock = op.create_table(
        "clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
    )
    op.bulk_insert(clock, [{"id": 1, "value": 0}])
    op.create_table(
        "changes",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_changes_workspaces")),
        sa.PrimaryKeyConstraint("workspace_id", "dataset_id", name=op.f("pk_changes")),
    )
    op.create_index(op.f("ix_changes_number"), "changes", ["number"])


def downgrade() -> None:
    """Undo it."""
    op.drop_table("changes")
    op.drop_table("clock")
