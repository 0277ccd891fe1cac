"""Blobs under their hashes: counted references, and deletion."""

import json

import pytest

from app import blobs
from app.auth import OWNER
from app.db.engine import Database
from app.db.queries import datasets as queries
from app.db.tables import Blob, DatasetVersion
from app.digest import sha256
from app.services.datasets import catalog
from tests.factories import appended, dataset, workspace

HOME = OWNER.workspace_id


def uses(database: Database) -> dict[bytes, int]:
    with database.read() as session:
        return {blob.data: blob.uses for blob in session.query(Blob)}


def test_same_bytes_are_stored_once_until_the_last_reference_is_deleted(database: Database) -> None:
    with database.write() as session:
        first, second = (blobs.put(session, HOME, b"same") for _ in range(2))
    assert (first == second == sha256(b"same"), uses(database)) == (True, {b"same": 2})
    with database.write() as session:
        blobs.release(session, HOME, [first])
    assert uses(database) == {b"same": 1}
    with database.write() as session:
        blobs.release(session, HOME, [second])
    assert uses(database) == {}


def test_bytes_released_twice_at_once_count_twice(database: Database) -> None:
    with database.write() as session:
        keys = [blobs.put(session, HOME, data) for data in (b"a", b"a", b"a", b"b")]
        blobs.release(session, HOME, keys[1:])
    assert uses(database) == {b"a": 1}


def test_workspaces_share_no_bytes(database: Database) -> None:
    other = workspace(database)
    with database.write() as session:
        key = blobs.put(session, HOME, b"same")
        blobs.put(session, other.workspace_id, b"same")
        blobs.release(session, other.workspace_id, [key])
    with database.read() as session:
        assert blobs.get(session, HOME, key) == b"same"
        with pytest.raises(blobs.BlobDamaged):
            blobs.get(session, other.workspace_id, key)


def test_storing_bytes_again_repairs_them(database: Database) -> None:
    with database.write() as session:
        key = blobs.put(session, HOME, b"whole")
        session.query(Blob).update({"data": b"damaged"})
    with database.write() as session:
        blobs.put(session, HOME, b"whole")
    with database.read() as session:
        assert blobs.get(session, HOME, key) == b"whole"


def test_series_that_two_datasets_share_outlive_either(database: Database) -> None:
    first, second = (dataset(database, {"a": [1, 2, 3]}).id for _ in range(2))
    with database.write() as session:
        catalog.delete(session, OWNER, first)
    with database.read() as session:
        _, version = catalog.find(session, OWNER, second)
        (row,) = queries.series_page(session, version, 1, None)
        assert session.query(Blob).one().uses == 1
        assert row.length == 3


def test_size_of_a_version_does_not_grow_with_their_number(database: Database) -> None:
    dataset_id = dataset(database, {"a": [1, 2]}).id
    for year in range(1962, 1982):
        appended(database, dataset_id, ("a", year, 1.0))
    with database.read() as session:
        rows = session.query(DatasetVersion).order_by(DatasetVersion.version).all()
        columns = [column.name for column in DatasetVersion.__table__.columns]
        sizes = [len(json.dumps([str(getattr(row, name)) for name in columns])) for row in rows]
    assert len(sizes) == 21
    assert max(sizes) - min(sizes) < 20
