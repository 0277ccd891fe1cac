"""columns: those beside the target of each version, and of each series what is static and what is ahead."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No dataset has a column beside its target yet."""
    # Not in a batch: SQLite would make the table anew, and with the old one goes all that refers to it.
    op.add_column("dataset_versions", sa.Column("columns", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("series", sa.Column("ahead", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("series", sa.Column("static", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Blobs keep the columns, and nobody reads them; their rows ahead are not counted any more."""
    held = (
        "(SELECT coalesce(sum(s.length), 0) FROM series AS s "
        "WHERE s.workspace_id = dataset_blobs.workspace_id "
        "AND s.dataset_id = dataset_blobs.dataset_id AND s.blob = dataset_blobs.number)"
    )
    op.execute(f"UPDATE dataset_blobs SET rows = {held}")  # noqa: S608  # our own words
    for name in ("static", "ahead"):
        op.drop_column("series", name)
    op.drop_column("dataset_versions", "columns")
