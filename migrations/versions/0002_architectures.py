"""architectures: which network a model has, and how those tried for it did."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
# What progress has said since this revision, for trainings from before it: one network, in one phase.
BEFORE = {"phase": "training", "architecture": "lstm", "epochs": 20}
JOBS = sa.table(
    "jobs",
    sa.column("workspace_id"),
    sa.column("id"),
    sa.column("progress", sa.JSON(none_as_null=True)),
)


def upgrade() -> None:
    """Every model so far is an LSTM that was tried against nothing."""
    with op.batch_alter_table("models") as models:
        models.add_column(sa.Column("architecture", TEXT, nullable=False, server_default="lstm"))
        models.add_column(sa.Column("trials", sa.JSON(), nullable=False, server_default="[]"))
        models.drop_column("validation_loss")
    with op.batch_alter_table("models") as models:
        models.alter_column("architecture", server_default=None)
        models.alter_column("trials", server_default=None)
    for job in _jobs_with_progress():
        _set_progress(job, BEFORE | job.progress)


def downgrade() -> None:
    """Give the tables their former shape; losses that were never measured become 0."""
    with op.batch_alter_table("models") as models:
        models.add_column(sa.Column("validation_loss", sa.Double(), nullable=False, server_default="0"))
        models.drop_column("trials")
        models.drop_column("architecture")
    with op.batch_alter_table("models") as models:
        models.alter_column("validation_loss", server_default=None)
    for job in _jobs_with_progress():
        former = {name: value for name, value in job.progress.items() if name not in BEFORE}
        _set_progress(job, former | {"validation_loss": former["validation_loss"] or 0.0})


def _jobs_with_progress() -> list[sa.Row[tuple[str, str, dict[str, object]]]]:
    query = sa.select(JOBS).where(JOBS.c.progress.is_not(sa.null()))
    return list(op.get_bind().execute(query))


def _set_progress(job: sa.Row[tuple[str, str, dict[str, object]]], progress: dict[str, object]) -> None:
    same = (JOBS.c.workspace_id == job.workspace_id) & (JOBS.c.id == job.id)
    op.get_bind().execute(sa.update(JOBS).where(same).values(progress=progress))
