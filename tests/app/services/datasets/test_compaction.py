"""Compaction: which versions stay, what is removed with the others, and which blobs are packed."""

import numpy as np
import pytest

from app.auth import OWNER
from app.db.engine import Database, DatasetRef
from app.db.queries import datasets as queries
from app.db.tables import Blob, DatasetBlob, DatasetVersion, Series
from app.errors import NotFound
from app.services.datasets import catalog, compaction, panels
from app.services.forecasting import compute, resolve
from app.services.forecasting.request import ForecastRequest
from app.services.registry import models
from tests.factories import appended, dataset, judged_model, publish, queued_job, trends

KEEP = 3


def versions(database: Database) -> list[int]:
    with database.read() as session:
        return [number for (number,) in session.query(DatasetVersion.version).order_by("version")]


def whole(database: Database, dataset_id: str, number: int) -> dict[str, list[float]]:
    """Every series of a version, as a training reads them."""
    with database.read() as session:
        version = queries.version(session, OWNER.workspace_id, dataset_id, number)
        assert version is not None
        read = panels.read(session, version)
    parts = np.split(read.panel.values, read.panel.offsets[1:-1])
    return {str(name): part.tolist() for name, part in zip(read.unique_ids, parts, strict=True)}


def grown(database: Database, count: int) -> str:
    """A dataset of three series after `count` appends to two of them in turn."""
    dataset_id = dataset(database, trends()).id
    for i in range(count):
        appended(database, dataset_id, (f"series {i % 2}", 2000 + i // 2, float(i)))
    return dataset_id


def assert_counts_are_true(database: Database) -> None:
    """Each blob counts its index rows correctly, and none is without a reference."""
    with database.read() as session:
        held: dict[int, tuple[int, int]] = {}
        for row in session.query(Series):
            series, rows = held.get(row.blob, (0, 0))
            held[row.blob] = (series + 1, rows + row.length)
        kept = session.query(DatasetBlob).all()
        assert {blob.number: (blob.series, blob.rows) for blob in kept} == held
        assert {blob.key for blob in session.query(Blob)} >= {blob.key for blob in kept}


def test_newest_versions_stay_unchanged(database: Database) -> None:
    dataset_id = grown(database, 8)
    before = {number: whole(database, dataset_id, number) for number in (7, 8, 9)}
    assert compaction.tidy(database, KEEP)
    assert versions(database) == [7, 8, 9]
    assert {number: whole(database, dataset_id, number) for number in (7, 8, 9)} == before
    assert_counts_are_true(database)
    with database.read() as session:
        assert session.query(Series).count() == 3 + 2  # what holds at version 7, and what came with 8 and 9
        assert session.query(Blob).count() == session.query(DatasetBlob).count() == 5


def test_versions_that_models_and_unfinished_jobs_need_stay(database: Database) -> None:
    dataset_id = grown(database, 3)
    with database.write() as session:
        model_id = publish(session, judged_model(dataset_id, dataset_version=2))
    queued_job(database, dataset_id)
    for year in range(2010, 2016):
        appended(database, dataset_id, ("series 2", year, 1.0))
    before = {number: whole(database, dataset_id, number) for number in (2, 4)}
    compaction.tidy(database, KEEP)
    assert versions(database) == [2, 4, 8, 9, 10]
    assert {number: whole(database, dataset_id, number) for number in (2, 4)} == before
    with database.write() as session:
        models.delete(session, OWNER, model_id)
    compaction.tidy(database, KEEP)
    assert versions(database) == [4, 8, 9, 10]
    assert_counts_are_true(database)


def test_many_old_versions_are_dropped_in_portions(database: Database) -> None:
    dataset_id = dataset(database, {f"s{i:02}": [1, 2, i] for i in range(12)}).id
    for year in range(1963, 1967):
        appended(database, dataset_id, *((f"s{i:02}", year, float(i)) for i in range(12)))
    ref, calls = DatasetRef(OWNER.workspace_id, dataset_id), 0
    more = True
    while more:
        with database.write() as session:
            more = compaction.thin(session, ref, 1, room=5)
        calls += 1
        assert versions(database)[-1] == 5
        assert len(whole(database, dataset_id, 5)) == 12
    assert calls > 5
    assert versions(database) == [5]
    assert_counts_are_true(database)


def test_forecast_of_a_dropped_version_is_refused(database: Database) -> None:
    dataset_id = grown(database, 5)
    with database.read() as session:
        plan = resolve.find_plan(session, OWNER, ForecastRequest(dataset_id, dataset_version=2))
    compaction.tidy(database, KEEP)
    with database.read() as session:
        with pytest.raises(NotFound, match=r"not any more.*GATECAST_KEEP_VERSIONS"):
            resolve.find_plan(session, OWNER, ForecastRequest(dataset_id, dataset_version=2))
        with pytest.raises(NotFound, match="not any more"):
            compute.read_named(session, plan, ["series 0"])


def test_running_reader_keeps_its_version(database: Database) -> None:
    dataset_id = grown(database, 5)
    with database.read() as session:
        version = queries.version(session, OWNER.workspace_id, dataset_id, 2)
        assert version is not None
        compaction.tidy(database, KEEP)
        assert panels.read(session, version).panel.series == 3
    assert versions(database) == [4, 5, 6]


def test_small_blobs_of_old_versions_are_packed_together(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MANY", 4)
    dataset_id = dataset(database, {f"s{i}": [1, 2, i] for i in range(8)}).id
    for i in (5, 1, 3, 0, 2, 4, 7, 6):
        appended(database, dataset_id, (f"s{i}", 1963, float(i)))
    before = whole(database, dataset_id, 9)
    assert compaction.tidy(database, KEEP)
    assert whole(database, dataset_id, 9) == before
    assert versions(database) == [7, 8, 9]
    assert_counts_are_true(database)
    with database.read() as session:
        blobs = [(blob.series, blob.version) for blob in session.query(DatasetBlob)]
    # What came with versions 2 to 6 is one blob; two old rows are left of version 1 for version 7.
    assert sorted(blobs) == [(1, 7), (1, 8), (1, 9), (2, 1), (5, 9)]


def test_deleted_dataset_leaves_nothing_after_thinning(database: Database) -> None:
    dataset_id = grown(database, 6)
    compaction.tidy(database, KEEP)
    with database.write() as session:
        catalog.delete(session, OWNER, dataset_id)
    with database.read() as session:
        assert [session.query(table).count() for table in (Blob, DatasetBlob, Series)] == [0, 0, 0]
