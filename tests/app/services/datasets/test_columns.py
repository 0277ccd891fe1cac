"""Columns beside the target are stored with their series, and forecasts are as without them."""

import numpy as np
import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.queries import datasets as queries
from app.db.tables import DatasetBlob, Series
from app.intake.covariates import Covariate
from app.intake.frame import SeriesFrame
from app.intake.reader import ReadOptions, read_csv
from app.schemas.datasets import DatasetUpdate
from app.services.datasets import catalog, compaction, panels, staging, update
from app.services.datasets.series_blob import BlobRows, SeriesBlob
from app.services.forecasting.request import ForecastRequest
from app.services.shared.paging import CountedPageRequest, PageRequest
from app.services.training.reproduce import verify
from tests.factories import (
    appended,
    columns_beside,
    csv_bytes,
    dataset,
    dataset_with_columns,
    table,
    trained,
    trends,
)


def read(database: Database, dataset_id: str) -> SeriesFrame:
    """Read all series of the newest version, by name."""
    with database.read() as session:
        _, version = catalog.find(session, OWNER, dataset_id)
        return compaction._whole(session, version, queries.entries(session, version))


def same(one: SeriesFrame, other: SeriesFrame) -> bool:
    """Return whether series and columns are equal, value by value."""
    return repr(plain(one)) == repr(plain(other))


def plain(frame: SeriesFrame) -> object:
    beside = frame.covariates
    assert beside is not None
    cells = {name: column.tolist() for name, column in [*beside.steps.items(), *beside.static.items()]}
    flat = (frame.offsets.tolist(), frame.ds.tolist(), frame.y.tolist(), frame.row_offsets.tolist())
    return frame.unique_ids, frame.columns, flat, sorted(cells.items())


def test_rows_of_a_blob_are_the_steps_and_then_those_ahead() -> None:
    frame = columns_beside(read_csv(csv_bytes({"a": [1, None, 3], "b": [4, 5]}), ReadOptions()).frame, 1)
    packed = SeriesBlob.of(frame)
    rows = BlobRows.unpack(packed.data, frame.columns)
    years = frame.axis.format(rows.ds)
    assert years == [1960, 1961, 1962, 1963, 1960, 1961, 1962]
    assert str(rows.y.tolist()) == "[1.0, nan, 3.0, nan, 4.0, 5.0, nan]"
    assert rows.cells["y"].tolist() == [None, "ä 1", "ä 2", None, "ä 4", "ä 5", None]
    assert [(row["first_row"], row["length"], row["ahead"]) for row in packed.rows] == [(0, 3, 1), (4, 2, 1)]
    assert [row["static"] for row in packed.rows] == [
        {"size": 0.1, "shop": None},
        {"size": None, "shop": "shop 1"},
    ]


def test_columns_are_read_back_from_many_blobs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "ROWS_PER_BLOB", 10)
    dataset_id, frame = dataset_with_columns(database, {f"s{i}": [1, None, 3, i] for i in range(7)})
    assert same(read(database, dataset_id), frame)
    with database.read() as session:
        blobs = session.query(DatasetBlob).order_by(DatasetBlob.number)
        assert [(blob.series, blob.rows) for blob in blobs] == [(2, 12), (2, 12), (2, 12), (1, 6)]


def test_series_and_observations_show_what_is_beside_and_ahead(database: Database) -> None:
    dataset_id, _ = dataset_with_columns(database, {"a": [1, 2], "b": [3, None, 5]})
    with database.read() as session:
        page = catalog.series_page(session, OWNER, dataset_id, PageRequest(10))
        first = catalog.observations(session, OWNER, dataset_id, "b", CountedPageRequest(4))
        last = catalog.observations(session, OWNER, dataset_id, "b", CountedPageRequest(4, 4))
    assert [(row.length, row.ahead, row.static) for row in page.series] == [
        (2, 2, {"size": 0.1, "shop": None}),
        (3, 2, {"size": None, "shop": "shop 1"}),
    ]
    assert (first.ds, first.y, first.next) == ([1960, 1961, 1962, 1963], [3, None, 5, None], "4")
    assert (last.ds, last.y, last.next) == ([1964], [None], None)
    assert first.columns == {"price.net": [4 / 3, 5 / 3, None, 7 / 3], "y": ["ä 4", "ä 5", None, "ä 7"]}
    assert last.columns == {"price.net": [8 / 3], "y": ["ä 8"]}
    assert first.static == last.static == {"size": None, "shop": "shop 1"}


def test_small_blobs_packed_together_keep_their_columns(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MANY", 4)
    dataset_id, _ = dataset_with_columns(database, {f"s{i}": [1, 2, i] for i in range(8)})
    for i in (5, 1, 3, 0, 2, 4, 7, 6):
        appended(database, dataset_id, (f"s{i}", 1963, float(i)))
    before = read(database, dataset_id)
    assert before.ahead.tolist() == [1] * 8
    compaction.tidy(database, 1)
    assert same(read(database, dataset_id), before)
    with database.read() as session:
        assert session.query(DatasetBlob).count() < 8
        held = {blob.number: blob.rows for blob in session.query(DatasetBlob)}
        rows = dict.fromkeys(held, 0)
        for row in session.query(Series):
            rows[row.blob] += row.length + row.ahead
    assert held == rows


def test_other_seasons_leave_the_columns_as_they_are(database: Database) -> None:
    dataset_id, frame = dataset_with_columns(database, trends())
    with database.write() as session:
        update.update(session, OWNER, dataset_id, DatasetUpdate(season_length=[5]))
    assert same(read(database, dataset_id), frame)


def test_deletion_leaves_nothing_of_the_columns(database: Database) -> None:
    dataset_id, _ = dataset_with_columns(database, trends())
    with database.write() as session:
        catalog.delete(session, OWNER, dataset_id)
    with database.read() as session:
        assert session.query(DatasetBlob).count() == session.query(Series).count() == 0


def forecasts(database: Database, dataset_id: str) -> list[list[float]]:
    """Return what is forecast of all series, in all its parts."""
    results = list(table(database, ForecastRequest(dataset_id, horizon=3)))
    return [
        part.tolist()
        for result in results
        for part in (result.forecast.median, result.mean, *result.forecast.lo.values())
    ]


@pytest.mark.usefixtures("brief_trainings")
def test_forecasts_and_trainings_are_as_without_columns(database: Database) -> None:
    (beside, _), bare = dataset_with_columns(database, trends()), dataset(database, trends()).id
    assert forecasts(database, beside) == forecasts(database, bare)
    models = [trained(database, each, start="scratch", promote="always") for each in (beside, bare)]
    assert forecasts(database, beside) == forecasts(database, bare)
    assert all(verify(database, OWNER, model_id).is_same for model_id in models)


def test_trainings_read_the_target_alone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_id, frame = dataset_with_columns(database, trends())
    seen: list[tuple[Covariate, ...]] = []
    unpack = BlobRows.unpack

    def watched(data: bytes, columns: tuple[Covariate, ...]) -> BlobRows:
        seen.append(columns)
        return unpack(data, columns)

    monkeypatch.setattr(BlobRows, "unpack", watched)
    with database.read() as session:
        _, version = catalog.find(session, OWNER, dataset_id)
        panel = panels.read(session, version).panel
    assert seen == [()]
    assert np.array_equal(panel.values, frame.y)
