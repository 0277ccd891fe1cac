"""pretrained_backtests: what the pretrained network's backtests found, for every process to serve."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """No backtest is stored yet: the first forecast of a dataset makes it."""
    op.create_table(
        "pretrained_backtests",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("basis", TEXT, nullable=False),
        sa.Column("method", sa.JSON(), nullable=False),
        sa.Column("verdict", TEXT, nullable=True),
        sa.Column("warning", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "dataset_id", "version"],
            ["dataset_versions.workspace_id", "dataset_versions.dataset_id", "dataset_versions.version"],
            name="fk_pretrained_backtests_dataset_versions",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_pretrained_backtests_workspaces"
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "dataset_id", "version", "horizon", name="pk_pretrained_backtests"
        ),
    )


def downgrade() -> None:
    """The first forecast of a dataset makes its backtest again."""
    op.drop_table("pretrained_backtests")
