"""promotion decisions: why a model became the champion or not, with the model and with its job."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody wrote down why earlier models became champions or not."""
    # Not in a batch: SQLite would make the table anew, and with the old one goes all that refers to it.
    op.add_column("models", sa.Column("promotion_decision", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("jobs", sa.Column("promotion", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """The reasons are forgotten."""
    op.drop_column("jobs", "promotion")
    op.drop_column("models", "promotion_decision")
