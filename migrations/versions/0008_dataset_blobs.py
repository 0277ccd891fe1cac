"""dataset blobs: which blobs a dataset has stands in rows of its own, and blobs lie under their hashes."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# As in app/db/tables.py: text sorts by code point on every database.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
DATASET = ["workspace_id", "dataset_id"]
PARTS = {"backtest_key": "backtest", "series_key": "series", "simple_key": "simple"}

blobs = sa.table("blobs", *map(sa.column, ("workspace_id", "key", "data", "sha256", "created_at", "uses")))
versions = sa.table(
    "dataset_versions",
    *map(sa.column, ("workspace_id", "dataset_id", "version")),
    sa.column("blob_keys", sa.JSON),
)
dataset_blobs = sa.table(
    "dataset_blobs",
    *map(sa.column, ("workspace_id", "dataset_id", "number", "key", "version", "series", "rows")),
)
models = sa.table("models", *map(sa.column, ("workspace_id", "id", "weights_key", *PARTS)))
jobs = sa.table(
    "jobs", *map(sa.column, ("workspace_id", "id")), sa.column("checkpoint", sa.JSON(none_as_null=True))
)

Hashes = dict[tuple[str, str], str]  # what lies under a key of a workspace


def upgrade() -> None:
    """Put the manifests into rows, and let everybody name a blob by its hash."""
    op.create_table(
        "dataset_blobs",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            DATASET,
            ["datasets.workspace_id", "datasets.id"],
            name="fk_dataset_blobs_datasets",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_dataset_blobs_workspaces"),
        sa.PrimaryKeyConstraint(*DATASET, "number", name="pk_dataset_blobs"),
    )
    for name in PARTS:
        op.add_column("models", sa.Column(name, TEXT, nullable=True))
    op.add_column("blobs", sa.Column("uses", sa.Integer(), nullable=False, server_default="0"))
    hashes = {
        (row.workspace_id, row.key): row.sha256 for row in _rows(blobs, "workspace_id", "key", "sha256")
    }
    uses = Counter([*_datasets(hashes), *_models(hashes), *_checkpoints(hashes)])
    _rename_blobs(hashes, uses)
    op.drop_column("blobs", "sha256")
    # The series first: they leave the versions alone, which may then be changed.
    with op.batch_alter_table("series") as series:
        series.drop_constraint("fk_series_dataset_versions", type_="foreignkey")
        series.create_foreign_key(
            op.f("fk_series_datasets"), "datasets", DATASET, ["workspace_id", "id"], ondelete="CASCADE"
        )
    op.drop_column("dataset_versions", "blob_keys")
    op.add_column(
        "dataset_versions", sa.Column("dropped", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def _rows(table: sa.TableClause, *names: str) -> list[Any]:
    return list(op.get_bind().execute(sa.select(*(table.c[name] for name in names))))


def _run(statement: sa.Executable, rows: list[dict[str, Any]]) -> None:
    if rows:
        op.get_bind().execute(statement, rows)


def _datasets(hashes: Hashes) -> Iterator[tuple[str, str]]:
    """Give every dataset the blobs of its newest manifest, which has all; yield what they refer to."""
    held = {
        tuple(row[:3]): row[3:]
        for row in op.get_bind().execute(
            sa.text(
                "SELECT workspace_id, dataset_id, blob, count(*), sum(length) FROM series GROUP BY 1, 2, 3"
            )
        )
    }
    newest: dict[tuple[str, str], list[str]] = {}
    for row in op.get_bind().execute(sa.select(versions).order_by(versions.c.version)):
        newest[row.workspace_id, row.dataset_id] = row.blob_keys
    found = []
    for (workspace_id, dataset_id), keys in newest.items():
        for number, name in enumerate(keys):
            key = hashes.get((workspace_id, name), name)
            series, rows = held.get((workspace_id, dataset_id, number), (0, 0))
            blob = {"workspace_id": workspace_id, "dataset_id": dataset_id, "number": number, "key": key}
            found.append({**blob, "version": int(name.split("/")[1]), "series": series, "rows": int(rows)})
            yield workspace_id, key
    _run(dataset_blobs.insert(), found)


def _models(hashes: Hashes) -> Iterator[tuple[str, str]]:
    found = []
    for row in _rows(models, "workspace_id", "id", "weights_key"):
        names = {"weights_key": row.weights_key, **{name: f"{row.id}/{part}" for name, part in PARTS.items()}}
        keys = {name: hashes.get((row.workspace_id, at)) for name, at in names.items()}
        keys["weights_key"] = keys["weights_key"] or row.weights_key
        found.append({"a": row.workspace_id, "b": row.id, **keys})
        yield from ((row.workspace_id, key) for key in keys.values() if key is not None)
    columns: dict[str, Any] = {name: sa.bindparam(name) for name in ("weights_key", *PARTS)}
    _run(models.update().where(_is(models, "workspace_id", "id")).values(columns), found)


def _checkpoints(hashes: Hashes) -> Iterator[tuple[str, str]]:
    found = []
    for row in _rows(jobs, "workspace_id", "id", "checkpoint"):
        parts = (row.checkpoint or {}).get("parts", {})
        for part in parts.values():
            part["key"] = hashes.get((row.workspace_id, part["key"]), part["key"])
            yield row.workspace_id, part["key"]
        if parts:
            found.append({"a": row.workspace_id, "b": row.id, "checkpoint": row.checkpoint})
    change = jobs.update().where(_is(jobs, "workspace_id", "id"))
    _run(change.values(checkpoint=sa.bindparam("checkpoint", type_=sa.JSON())), found)


def _rename_blobs(hashes: Hashes, uses: Counter[tuple[str, str]]) -> None:
    """Keep of equal blobs one, and none to which nobody refers."""
    kept: set[tuple[str, str]] = set()
    renamed, removed = [], []
    for (workspace_id, name), key in sorted(hashes.items()):
        row = {"a": workspace_id, "b": name}
        if (workspace_id, key) in kept or not uses[workspace_id, key]:
            removed.append(row)
        else:
            kept.add((workspace_id, key))
            renamed.append({**row, "new": key, "count": uses[workspace_id, key]})
    at = _is(blobs, "workspace_id", "key")
    _run(blobs.delete().where(at), removed)
    _run(blobs.update().where(at).values(key=sa.bindparam("new"), uses=sa.bindparam("count")), renamed)


def _is(table: sa.TableClause, first: str, second: str) -> sa.ColumnElement[bool]:
    return (table.c[first] == sa.bindparam("a")) & (table.c[second] == sa.bindparam("b"))


def downgrade() -> None:
    """Give blobs their names and versions their manifests back; what a dropped version alone held is gone."""
    op.add_column("blobs", sa.Column("sha256", TEXT, nullable=False, server_default=""))
    op.add_column("dataset_versions", sa.Column("blob_keys", sa.JSON(), nullable=False, server_default="[]"))
    op.execute("DELETE FROM dataset_versions WHERE dropped")
    op.drop_column("dataset_versions", "dropped")
    _move_rows_of_dropped_versions()
    with op.batch_alter_table("series") as series:
        series.drop_constraint("fk_series_datasets", type_="foreignkey")
        series.create_foreign_key(
            op.f("fk_series_dataset_versions"),
            "dataset_versions",
            [*DATASET, "version"],
            [*DATASET, "version"],
            ondelete="CASCADE",
        )
    _name_blobs()
    _write_manifests()
    for name in PARTS:
        op.drop_column("models", name)
    op.drop_column("blobs", "uses")
    op.drop_table("dataset_blobs")


def _move_rows_of_dropped_versions() -> None:
    """Let a row that outlived its version begin with the next one that is there."""
    following = (
        "(SELECT min(version) FROM dataset_versions AS v WHERE v.workspace_id = series.workspace_id "
        "AND v.dataset_id = series.dataset_id AND v.version >= series.version)"
    )
    op.execute(
        f"DELETE FROM series WHERE {following} IS NULL OR EXISTS (SELECT 1 FROM series AS s "  # noqa: S608  # our own words
        "WHERE s.workspace_id = series.workspace_id AND s.dataset_id = series.dataset_id "
        f"AND s.unique_id = series.unique_id AND s.version > series.version AND s.version <= {following})"
    )
    op.execute(f"UPDATE series SET version = {following} WHERE version <> {following}")  # noqa: S608  # our own words


def _name_blobs() -> None:
    """Copy each blob to every name it had, and remove it from under its hash."""
    names = [("dataset_blobs", "key", "r.dataset_id || '/' || r.version || '/' || r.number")]
    names += [
        ("models", column, f"r.id || '/{part}'")
        for column, part in {"weights_key": "weights", **PARTS}.items()
    ]
    for table, column, name in names:
        op.execute(
            "INSERT INTO blobs (workspace_id, key, data, sha256, uses, created_at) "  # noqa: S608  # our own words
            f"SELECT b.workspace_id, {name}, b.data, b.key, 0, b.created_at FROM {table} AS r "
            f"JOIN blobs AS b ON b.workspace_id = r.workspace_id AND b.key = r.{column} WHERE b.sha256 = ''"
        )
    op.execute("UPDATE jobs SET checkpoint = NULL")  # trainings under way begin anew
    op.execute("DELETE FROM blobs WHERE sha256 = ''")
    op.execute("UPDATE models SET weights_key = id || '/weights'")


def _write_manifests() -> None:
    found: dict[tuple[str, str], list[Any]] = {}
    for row in _rows(dataset_blobs, *DATASET, "number", "version"):
        found.setdefault((row.workspace_id, row.dataset_id), []).append(row)
    changes = []
    for row in _rows(versions, *DATASET, "version"):
        known = [
            blob for blob in found.get((row.workspace_id, row.dataset_id), []) if blob.version <= row.version
        ]
        names = {blob.number: f"{blob.dataset_id}/{blob.version}/{blob.number}" for blob in known}
        keys = [names.get(number, "") for number in range(max(names, default=-1) + 1)]
        at = {"a": row.workspace_id, "b": row.dataset_id, "c": row.version}
        changes.append({**at, "keys": keys})
    at_version = _is(versions, *DATASET) & (versions.c.version == sa.bindparam("c"))
    change = versions.update().where(at_version)
    _run(change.values(blob_keys=sa.bindparam("keys", type_=sa.JSON())), changes)
