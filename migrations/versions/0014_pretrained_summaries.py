"""pretrained summaries: the verdict and the measures of the pretrained network's backtests."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TABLE = "pretrained_backtests"


def upgrade() -> None:
    """Earlier backtests kept the outcome alone: the next request makes them again."""
    op.execute("DELETE FROM pretrained_backtests")
    op.drop_column(TABLE, "verdict")
    for name in ("verdict", "backtest"):
        op.add_column(TABLE, sa.Column(name, sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """The outcome alone was kept; the next forecast finds it again."""
    op.execute("DELETE FROM pretrained_backtests")
    for name in ("verdict", "backtest"):
        op.drop_column(TABLE, name)
    op.add_column(TABLE, sa.Column("verdict", TEXT, nullable=True))
