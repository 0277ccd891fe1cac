"""stored_forecasts: what models forecast for every series, computed once for all requests."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TABLE, CHUNKS = "stored_forecasts", "forecast_chunks"


def upgrade() -> None:
    """Nothing is stored of models from before: a worker stores what champions forecast."""
    op.create_table(
        TABLE,
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("model_id", TEXT, nullable=True),
        sa.Column("job_id", TEXT, nullable=True),
        sa.Column("basis", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("holder_id", TEXT, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=f"fk_{TABLE}_workspaces"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "dataset_id"],
            ["datasets.workspace_id", "datasets.id"],
            name=f"fk_{TABLE}_datasets",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "model_id"],
            ["models.workspace_id", "models.id"],
            name=f"fk_{TABLE}_models",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=f"pk_{TABLE}"),
    )
    for column in ("dataset_id", "model_id"):
        op.create_index(f"ix_{TABLE}_workspace_id_{column}", TABLE, ["workspace_id", column])
    op.create_table(
        CHUNKS,
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("stored_id", TEXT, nullable=False),
        sa.Column("first_name", TEXT, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=f"fk_{CHUNKS}_workspaces"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "stored_id"],
            [f"{TABLE}.workspace_id", f"{TABLE}.id"],
            name=f"fk_{CHUNKS}_{TABLE}",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "stored_id", "first_name", name=f"pk_{CHUNKS}"),
    )


def downgrade() -> None:
    """Every forecast is computed when it is asked for."""
    op.drop_table(CHUNKS)
    op.drop_table(TABLE)
