"""Drafts: series stored in many transactions are hidden until they are published or swept."""

from pathlib import Path

import pytest

from app.auth import OWNER
from app.commands import offline
from app.db.engine import Database, DatasetRef
from app.db.tables import Blob, Dataset, DatasetBlob, Draft, Series
from app.errors import Unavailable
from app.intake.files.conversion import FileLimits
from app.intake.reader import ReadOptions, read_csv, read_more_rows
from app.schemas.datasets import ObservationIn
from app.schemas.train import TrainRequest
from app.services.datasets import catalog, drafts, observations, staging
from app.services.datasets.drafts import Busy
from app.services.datasets.merging import ObservationsUpload, StagedObservations
from app.services.datasets.staging import StagedDataset, Upload
from app.services.shared.heartbeats import Heartbeat
from app.services.shared.paging import PageRequest
from app.settings import Settings
from tests.factories import appended, csv_bytes, dataset

TABLES = (Blob, Dataset, DatasetBlob, Draft, Series)
NAMES = [f"s{i:02}" for i in range(12)]


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A portion holds three series, and a blob one."""
    monkeypatch.setattr("app.services.datasets.staging.ROWS_PER_BLOB", 3)
    monkeypatch.setattr(staging, "PORTION_SERIES", 3)
    monkeypatch.setattr(drafts, "REMOVED", 4)
    monkeypatch.setattr("app.db.queries.datasets.CHUNK", 5)


@pytest.fixture
def heartbeat(database: Database) -> Heartbeat:
    heartbeat = Heartbeat(database, "worker", "cpu")
    heartbeat.poll()
    return heartbeat


def staged_dataset(database: Database, process_id: str = "gone") -> StagedDataset:
    series = {name: [i, 2.0, 3.0] for i, name in enumerate(NAMES)}
    return StagedDataset(
        database, process_id, OWNER, Upload("many", read_csv(csv_bytes(series), ReadOptions()), "0" * 64)
    )


def staged_observations(database: Database, dataset_id: str, process_id: str = "gone") -> StagedObservations:
    with database.read() as session:
        existing = observations.existing(session, OWNER, dataset_id)
    rows = [ObservationIn(unique_id=name, ds=1963, y=4.0) for name in NAMES]
    sent = ObservationsUpload(read_more_rows(rows, existing), "1" * 64)
    return StagedObservations(database, process_id, DatasetRef(OWNER.workspace_id, dataset_id), sent)


def store_some(staged: staging.Staged, portions: int = 3) -> None:
    for _ in range(portions):
        assert staged.prepare()
        staged.store()


def counts(database: Database) -> list[int]:
    with database.read() as session:
        return [session.query(table).count() for table in TABLES]


def ids(database: Database) -> list[str]:
    with database.read() as session:
        return [each.id for each in catalog.page(session, OWNER, PageRequest(9)).datasets]


def lengths(database: Database, dataset_id: str) -> set[int]:
    with database.read() as session:
        page = catalog.series_page(session, OWNER, dataset_id, PageRequest(50))
    return {row.length for row in page.series}


def test_upload_is_visible_once_it_is_complete(database: Database) -> None:
    staged = staged_dataset(database)
    store_some(staged)
    assert ids(database) == []
    assert not staged.prepare()
    with database.write() as session:
        made = catalog.create(session, staged)
    assert (ids(database), made.version, lengths(database, made.id)) == ([made.id], 1, {3})
    assert counts(database) == [12, 1, 12, 0, 12]


def test_small_upload_is_one_transaction(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "PORTION_SERIES", 100)
    assert not staged_dataset(database).prepare()
    assert counts(database) == [0] * 5


def test_other_calls_write_between_the_portions_of_an_upload(database: Database) -> None:
    other = dataset(database, {"a": [1, 2]}).id
    staged = staged_dataset(database)
    versions: list[int] = []
    while staged.prepare():
        staged.store()
        versions.append(appended(database, other, ("a", 1962 + len(versions), 1.0)).version)
    assert versions == [2, 3, 4]


def test_failed_upload_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), staging.stored(staged_dataset(database)):
        raise ZeroDivisionError
    assert counts(database) == [0] * 5


def test_draft_of_a_dead_process_is_swept(database: Database, heartbeat: Heartbeat) -> None:
    dataset_id = dataset(database, {name: [1, 2, 3] for name in NAMES}).id
    store_some(staged_dataset(database))
    store_some(staged_observations(database, dataset_id))
    drafts.sweep(database, heartbeat)
    assert counts(database)[1:] == [1, 12, 0, 12]
    assert lengths(database, dataset_id) == {3}
    assert appended(database, dataset_id, ("s00", 1963, 4.0)).version == 2


def test_draft_of_a_living_process_is_kept(database: Database, heartbeat: Heartbeat) -> None:
    staged = staged_dataset(database, heartbeat.id)
    store_some(staged)
    drafts.sweep(database, heartbeat)
    while staged.prepare():
        staged.store()
    with database.write() as session:
        catalog.create(session, staged)
    assert len(ids(database)) == 1


def test_swept_draft_can_neither_be_continued_nor_published(database: Database, heartbeat: Heartbeat) -> None:
    staged, late = staged_dataset(database), staged_dataset(database)
    store_some(staged, 2)
    while late.prepare():
        late.store()
    drafts.sweep(database, heartbeat)
    assert staged.prepare()
    with pytest.raises(Unavailable, match="abandoned"):
        staged.store()
    with pytest.raises(Unavailable, match="abandoned"), database.write() as session:
        catalog.create(session, late)
    assert counts(database) == [0] * 5


def test_large_append_becomes_visible_as_a_whole(database: Database) -> None:
    dataset_id = dataset(database, {name: [1, 2, 3] for name in NAMES}).id
    staged = staged_observations(database, dataset_id)
    store_some(staged, 2)
    assert lengths(database, dataset_id) == {3}
    with staging.stored(staged), database.write() as session:
        answer = observations.append(session, staged, 20)
    assert (answer.version, answer.appended, answer.profile.longest) == (2, 12, 4)
    assert lengths(database, dataset_id) == {4}


def test_no_other_call_publishes_during_a_large_append(database: Database) -> None:
    dataset_id = dataset(database, {name: [1, 2, 3] for name in NAMES}).id
    staged = staged_observations(database, dataset_id)
    store_some(staged, 2)
    with pytest.raises(Busy):
        appended(database, dataset_id, ("s00", 1963, 4.0))
    staged.discard()
    assert appended(database, dataset_id, ("s00", 1963, 4.0)).version == 2


def test_small_append_is_merged_again_after_another_publishes(database: Database) -> None:
    dataset_id = dataset(database, {"a": [1, 2]}).id
    with database.read() as session:
        existing = observations.existing(session, OWNER, dataset_id)
    rows = read_more_rows([ObservationIn(unique_id="a", ds=1964, y=5.0)], existing)
    ref = DatasetRef(OWNER.workspace_id, dataset_id)
    late = StagedObservations(database, "gone", ref, ObservationsUpload(rows, "2" * 64))
    assert not late.prepare()
    appended(database, dataset_id, ("a", 1962, 3.0))
    with database.write() as session:
        answer = observations.append(session, late, 20)
    assert (answer.version, answer.appended, answer.profile.gaps, answer.repairs_total) == (3, 1, 1, 1)


def test_large_dataset_is_hidden_at_once_and_removed_by_the_next_sweep(
    database: Database, heartbeat: Heartbeat
) -> None:
    dataset_id = dataset(database, {name: [i, 2, 3] for i, name in enumerate(NAMES)}).id
    with database.write() as session:
        catalog.delete(session, OWNER, dataset_id)
    assert ids(database) == []
    assert counts(database) == [8, 1, 8, 0, 8]
    drafts.sweep(database, heartbeat)
    assert counts(database) == [0] * 5


@pytest.mark.usefixtures("brief_trainings")
def test_file_of_a_command_is_read_before_anything_is_locked(
    settings: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lines.csv"
    file.write_bytes(csv_bytes())

    def watched(data: bytes, options: ReadOptions, limits: FileLimits) -> object:
        with database.write() as session:
            session.query(Dataset).count()
        return read_csv(data, options, limits)

    monkeypatch.setattr("app.db.engine.BUSY_TIMEOUT_MS", 100)
    monkeypatch.setattr(offline, "read_csv", watched)
    request = TrainRequest(dataset_id="", horizon=3, preset="quick")
    assert offline.train(settings, file, request).model.id
    assert len(ids(database)) == 1
