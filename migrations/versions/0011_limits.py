"""limits: lower, upper and whole numbers for the forecasts of a dataset."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No dataset has limits yet."""
    # Not in a batch: SQLite would make the table anew, and with the old one goes all that refers to it.
    op.add_column("datasets", sa.Column("lower", sa.Double(), nullable=True))
    op.add_column("datasets", sa.Column("upper", sa.Double(), nullable=True))
    op.add_column("datasets", sa.Column("integer", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Limits are forgotten."""
    for name in ("integer", "upper", "lower"):
        op.drop_column("datasets", name)
