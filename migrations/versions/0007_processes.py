"""processes: those that answer calls have a heartbeat too, and own the calls that may be repeated."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
KEPT = "id, host, boot_id, pid, process_started, device, beat, beat_at, stopped, created_at"


def upgrade() -> None:
    """What was there are workers; a call that runs is nobody's, and may be made again at once."""
    op.create_table("processes", sa.Column("role", TEXT, nullable=False), *_columns(), _key("processes"))
    op.execute(f"INSERT INTO processes (role, {KEPT}) SELECT 'worker', {KEPT} FROM workers")  # noqa: S608
    op.drop_table("workers")
    with op.batch_alter_table("idempotency_keys") as batch:
        batch.add_column(sa.Column("owner_id", TEXT, nullable=False, server_default=""))
    with op.batch_alter_table("idempotency_keys") as batch:
        batch.alter_column("owner_id", server_default=None)


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("idempotency_keys") as batch:
        batch.drop_column("owner_id")
    op.create_table("workers", *_columns(), _key("workers"))
    op.execute(f"INSERT INTO workers ({KEPT}) SELECT {KEPT} FROM processes WHERE role = 'worker'")  # noqa: S608
    op.drop_table("processes")


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("id", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("boot_id", TEXT, nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", TEXT, nullable=False),
        sa.Column("device", TEXT, nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))
