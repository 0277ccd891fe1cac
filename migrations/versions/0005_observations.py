"""observations: the index row of a series holds until there is a newer one."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = "ix_series_workspace_id_dataset_id_unique_id_version"
FACTS = 'unique_id, blob, first_row, length, observations, start, "end", tail'
EACH_VERSION = f"""
    INSERT INTO series (workspace_id, dataset_id, version, {FACTS})
    SELECT held.workspace_id, held.dataset_id, asked.version, {FACTS}
    FROM dataset_versions AS asked
    JOIN series AS held ON held.workspace_id = asked.workspace_id AND held.dataset_id = asked.dataset_id
    WHERE held.version < asked.version AND held.version = (
        SELECT max(other.version) FROM series AS other
        WHERE other.workspace_id = held.workspace_id AND other.dataset_id = held.dataset_id
        AND other.unique_id = held.unique_id AND other.version <= asked.version
    )
"""  # noqa: S608  # our own words


def upgrade() -> None:
    """Every dataset has one version so far, whose rows hold as they are."""
    with op.batch_alter_table("series") as series:
        series.create_index(op.f(NAME), ["workspace_id", "dataset_id", "unique_id", "version"])


def downgrade() -> None:
    """Give every version a row of each series; the release before can show and forecast, not train, these."""
    op.execute(EACH_VERSION)
    with op.batch_alter_table("series") as series:
        series.drop_index(op.f(NAME))
