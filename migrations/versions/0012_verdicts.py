"""verdicts: four outcomes, with an interval for the effect and what the evidence is worth."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
MODELS = sa.table(
    "models",
    sa.column("workspace_id", TEXT),
    sa.column("id", TEXT),
    sa.column("verdicts", sa.JSON(none_as_null=True)),
)
Verdict = dict[str, Any]
UNKNOWN = ("effect_interval", "median_effect", "effective_units", "periods")


def upgrade() -> None:
    """A former tie showed nothing: it is undecided. What a former test did not measure is null."""
    _rewrite({"ties": "undecided"}, lambda verdict: {**dict.fromkeys(UNKNOWN), **verdict})
    op.execute("DELETE FROM pretrained_backtests")  # the next forecast makes them again
    with op.batch_alter_table("pretrained_backtests") as backtests:
        backtests.add_column(sa.Column("served", TEXT, nullable=False))


def downgrade() -> None:
    """Undecided was a tie, and the rest is forgotten."""
    _rewrite(
        {"undecided": "ties"},
        lambda verdict: {name: value for name, value in verdict.items() if name not in UNKNOWN},
    )
    op.execute("DELETE FROM pretrained_backtests")
    with op.batch_alter_table("pretrained_backtests") as backtests:
        backtests.drop_column("served")


def _rewrite(outcomes: dict[str, str], changed: Callable[[Verdict], Verdict]) -> None:
    """Rewrite the verdicts of all models, their outcomes by other words."""
    connection = op.get_bind()
    rows = connection.execute(sa.select(MODELS).where(MODELS.c.verdicts.is_not(None))).all()
    for workspace_id, model_id, verdicts in rows:
        rewritten = {
            name: {**changed(verdict), "outcome": outcomes.get(verdict["outcome"], verdict["outcome"])}
            for name, verdict in verdicts.items()
        }
        connection.execute(
            sa.update(MODELS)
            .where(MODELS.c.workspace_id == workspace_id, MODELS.c.id == model_id)
            .values(verdicts=rewritten)
        )
