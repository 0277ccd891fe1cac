"""champions: who was promoted when, what a model does when it loses, and what its backtest told."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NULLABLE: dict[str, sa.types.TypeEngine[Any]] = {
    "name": TEXT,
    "promotion": sa.Integer(),
    "verdicts": sa.JSON(none_as_null=True),
    "methods": sa.JSON(none_as_null=True),
    "backtest": sa.JSON(none_as_null=True),
    "lineage": sa.JSON(none_as_null=True),
}


def upgrade() -> None:
    """Every model so far is served by its network, and was promoted when it came, up to the champion."""
    with op.batch_alter_table("models") as models:
        models.add_column(sa.Column("on_loss", TEXT, nullable=False, server_default="warn"))
        models.add_column(sa.Column("served", TEXT, nullable=False, server_default=""))
        for name, kind in NULLABLE.items():
            models.add_column(sa.Column(name, kind, nullable=True))
    with op.batch_alter_table("models") as models:
        models.alter_column("on_loss", server_default=None)
        models.alter_column("served", server_default=None)
    op.execute("UPDATE models SET served = architecture")
    # Ids are in order of time: a champion that is deleted leaves the model trained before it.
    op.execute(
        "UPDATE models SET promotion = (SELECT count(*) FROM models AS former "
        "WHERE former.workspace_id = models.workspace_id AND former.dataset_id = models.dataset_id "
        "AND former.id <= models.id) WHERE EXISTS (SELECT 1 FROM datasets "
        "WHERE datasets.workspace_id = models.workspace_id AND datasets.id = models.dataset_id "
        "AND datasets.champion_id >= models.id)"
    )


def downgrade() -> None:
    """Give the table its former shape; champions stay, backtests are forgotten."""
    op.execute("DELETE FROM blobs WHERE key LIKE 'model!_%/backtest' ESCAPE '!'")
    op.execute("DELETE FROM blobs WHERE key LIKE 'model!_%/series' ESCAPE '!'")
    with op.batch_alter_table("models") as models:
        for name in ("on_loss", "served", *NULLABLE):
            models.drop_column(name)
