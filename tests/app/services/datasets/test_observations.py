"""Versions of a dataset: simultaneous appends, trainings on each version, and what they read."""

import threading
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from app.auth import OWNER
from app.db.engine import Database, Session
from app.db.queries import datasets as queries
from app.db.tables import Blob, DatasetBlob, DatasetVersion, Model
from app.services.datasets import catalog, panels, staging
from app.services.registry import models as model_services
from app.services.training.reproduce import verify
from tests.factories import appended, dataset, trained_anew, trends


def version(session: Session, dataset_id: str, number: int) -> DatasetVersion:
    found = queries.version(session, OWNER.workspace_id, dataset_id, number)
    assert found is not None
    return found


def whole(session: Session, found: DatasetVersion) -> dict[str, list[float]]:
    """Return every series of a version, as a training reads them."""
    read = panels.read(session, found)
    parts = np.split(read.panel.values, read.panel.offsets[1:-1])
    return {str(name): part.tolist() for name, part in zip(read.unique_ids, parts, strict=True)}


def test_simultaneous_appends_are_all_kept(database: Database) -> None:
    dataset_id = dataset(database, {name: [1, 2] for name in "abcdef"}).id
    begin, answers = threading.Barrier(6, timeout=30), []

    def call(name: str) -> None:
        begin.wait()
        answers.append(
            appended(database, dataset_id, (name, 1962, 3), ("a", 1963 + 2 * "abcdef".index(name), 1))
        )

    threads = [threading.Thread(target=call, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(answer.version for answer in answers) == [2, 3, 4, 5, 6, 7]
    with database.read() as session:
        found, newest = catalog.find(session, OWNER, dataset_id)
        lengths = {name: len(values) for name, values in whole(session, newest).items()}
    assert found.version == 7
    assert lengths == {**dict.fromkeys("bcdef", 3), "a": 1973 - 1960 + 1}
    assert (newest.profile["observations"], newest.profile["gaps"]) == (24, lengths["a"] - 9)


def test_every_version_is_read_as_it_was(database: Database) -> None:
    dataset_id = dataset(database, {"a": [1, 2], "c": [5, 6]}).id
    appended(database, dataset_id, ("c", 1962, 7), ("b", 1960, 3), ("b", 1961, 4))
    appended(database, dataset_id, ("a", 1961, 9), ("c", 1961, None))
    with database.read() as session:
        first, second, third = (whole(session, version(session, dataset_id, i)) for i in (1, 2, 3))
    assert first == {"a": [1, 2], "c": [5, 6]}
    assert second == {"a": [1, 2], "b": [3, 4], "c": [5, 6, 7]}
    assert str(third) == str({"a": [1.0, 9.0], "b": [3.0, 4.0], "c": [5.0, np.nan, 7.0]})


def test_pages_and_names_of_an_old_version_leave_out_what_came_later(database: Database) -> None:
    dataset_id = dataset(database, {"a": [1, 2], "c": [5, 6]}).id
    appended(database, dataset_id, ("a", 1959, 0), ("b", 1960, 3), ("b", 1961, 4))
    appended(database, dataset_id, ("a", 1962, 0))
    with database.read() as session:
        old, newest = (version(session, dataset_id, i) for i in (1, 3))
        assert [row.unique_id for row in queries.series_page(session, old, 2, None)] == ["a", "c"]
        assert [row.unique_id for row in queries.series_page(session, newest, 2, "a")] == ["b", "c"]
        assert [row.length for row in queries.series_named(session, old, ["b", "a"])] == [2]
        assert [row.length for row in queries.series_named(session, newest, ["b", "a"])] == [4, 2]
        assert [entry.length for entry in queries.entries(session, newest)] == [4, 2, 2]


@pytest.mark.usefixtures("brief_trainings")
def test_training_learns_the_new_values_and_each_can_be_verified(database: Database) -> None:
    dataset_id = dataset(database, trends()).id
    before = trained_anew(database, dataset_id)
    appended(database, dataset_id, ("series 1", 2000, 300), ("series 0", 1990, 7))
    after = trained_anew(database, dataset_id)
    with database.read() as session:
        models = [model_services.get(session, OWNER, model_id) for model_id in (before, after)]
    assert [model.lineage.dataset_version for model in models if model.lineage] == [1, 2]
    assert [model.lineage.learned_until for model in models if model.lineage] == [1999, 2000]
    assert all(verify(database, OWNER, model_id).is_same for model_id in (before, after))
    with database.read() as session:
        assert session.query(Model).count() == 2


def test_changed_series_are_packed_together_and_none_is_split(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "ROWS_PER_BLOB", 10)
    names = [f"s{i:02}" for i in range(12)]
    dataset_id = dataset(database, {name: [1, 2, 3] for name in names}).id
    answer = appended(
        database, dataset_id, *((name, 1963, 4.0) for name in names), ("t", 1990, 1), ("t", 1991, 1)
    )
    with database.read() as session:
        newest = version(session, dataset_id, 2)
        blobs = session.query(DatasetBlob).order_by(DatasetBlob.number)
        assert [(blob.number, blob.version) for blob in blobs] == [
            *((0, 1), (1, 1), (2, 1)),
            *((3, 2), (4, 2), (5, 2), (6, 2), (7, 2)),
        ]
        assert whole(session, newest) == {**{name: [1, 2, 3, 4] for name in names}, "t": [1, 1]}
    assert (answer.profile.series, answer.profile.longest, answer.profile.shortest) == (13, 4, 2)


def test_blobs_without_a_series_that_is_sent_are_not_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "ROWS_PER_BLOB", 10)
    dataset_id = dataset(database, {f"s{i:02}": [i, 2, 3] for i in range(40)}).id
    with database.write() as session:
        read = session.query(DatasetBlob.key).filter(DatasetBlob.number.in_([0, 9]))
        others = Blob.key.not_in([key for (key,) in read])
        assert session.query(Blob).filter(others).update({"data": b"damaged"}) == 8
    answer = appended(database, dataset_id, ("s00", 1963, 4), ("s01", 1963, 4), ("s39", 1963, 4))
    assert (answer.version, answer.appended) == (2, 3)
    assert (answer.profile.shortest, answer.profile.longest, answer.profile.end) == (3, 4, 1963)


@pytest.mark.parametrize("look", [queries.series_page, queries.series_named])
def test_sqlite_finds_series_by_the_index(sqlite_url: str, look: Any) -> None:
    database = Database(sqlite_url)
    dataset_id = dataset(database, {"a": [1, 2], "b": [1, 2]}).id
    arguments = (2, None) if look is queries.series_page else (["a", "b"],)
    statements: list[tuple[str, Any]] = []
    with database.read() as session:
        found = version(session, dataset_id, 1)
        event.listen(
            database.reader,
            "before_cursor_execute",
            lambda _connection, _cursor, statement, values, *_: statements.append((statement, values)),
        )
        look(session, found, *arguments)
        statement, values = statements[0]
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        tables = [step for *_, step in plan if "series" in step]
    database.dispose()
    assert tables
    assert all("unique_id" in step and step.startswith("SEARCH") for step in tables[1:])


def test_source_of_an_append_does_not_identify_the_dataset(database: Database) -> None:
    dataset_id = dataset(database, {"a": [1, 2]}).id
    appended(database, dataset_id, ("a", 1962, 3))
    with database.read() as session:
        assert catalog.of_source(session, OWNER, "1" * 64) is None
