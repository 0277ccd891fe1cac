"""Migrations: rows of older revisions after an upgrade, and after a downgrade."""

import json

import pytest
from alembic import command
from sqlalchemy import text

from app.auth import OWNER
from app.db import migrations
from app.db.engine import Database
from app.db.tables import (
    Blob,
    DatasetBlob,
    Job,
    Model,
    PretrainedBacktest,
    Process,
    Series,
    StoredForecasts,
)
from app.schemas import examples
from app.schemas.datasets import DatasetUpdate
from app.services.datasets import catalog, update
from app.services.forecasting import resolve, storing
from app.services.forecasting.formats import page_json
from app.services.forecasting.request import ForecastRequest
from app.services.jobs import states
from app.services.registry import models, pretrained_backtests
from app.services.shared.paging import CountedPageRequest
from app.services.training.reproduce import verify
from tests.factories import (
    appended,
    dataset,
    dataset_with_columns,
    entered,
    judged_model,
    publish,
    queued_job,
    table,
    trained,
    trained_anew,
    trends,
)

FIGURES = {"member": 2, "members": 2, "epoch": 3, "loss": 0.5, "validation_loss": None, "share_done": 0.5}
pytestmark = pytest.mark.usefixtures("brief_trainings")


def go_back(database: Database, revision: str) -> None:
    config = migrations._config()
    with database.writer.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def set_progress(database: Database, progress: dict[str, object]) -> None:
    """Give every job the progress that trainings stored at that revision."""
    with database.write() as session:
        session.execute(text("UPDATE jobs SET progress = :progress"), {"progress": json.dumps(progress)})


def test_rows_from_before_architectures_are_of_an_untried_lstm(database: Database) -> None:
    dataset_id = dataset(database).id
    model_id = trained(database, dataset_id, architecture="gru")
    go_back(database, "0001")
    set_progress(database, {**FIGURES, "validation_loss": 0.4})
    migrations.upgrade(database)
    with database.read() as session:
        model = models.get(session, OWNER, model_id)
        progress = states.get(session, OWNER, model.job_id).progress
    assert (model.architecture, model.trials) == ("lstm", [])
    assert (progress.phase, progress.architecture, progress.epochs) == ("training", "lstm", 20)


def test_models_from_before_champions_warn_and_have_no_backtest(database: Database) -> None:
    trained(database, dataset(database).id, on_loss="refuse")
    go_back(database, "0002")
    migrations.upgrade(database)
    with database.read() as session:
        (model,) = session.query(Model)
        assert (model.on_loss, model.served, model.backtest) == ("warn", "lstm", None)
        (series,) = session.query(DatasetBlob)
        assert {blob.key for blob in session.query(Blob)} == {series.key, model.weights_key}


def test_champion_from_before_promotions_leaves_the_model_trained_before_it(database: Database) -> None:
    dataset_id, other = dataset(database).id, dataset(database).id
    with database.write() as session:
        publish(session, judged_model(other))
        ids = [publish(session, judged_model(dataset_id), promotion="always") for _ in range(3)]
        models.promote(session, OWNER, ids[1])
    go_back(database, "0002")
    migrations.upgrade(database)
    with database.write() as session:
        promotions = {row.id: row.promotion for row in session.query(Model)}
        assert [promotions[each] for each in ids] == [1, 2, None]
        models.delete(session, OWNER, ids[1])
        assert catalog.get(session, OWNER, dataset_id).champion_id == ids[0]


def test_downgrade_before_architectures_keeps_the_rest(database: Database) -> None:
    model_id = trained(database, dataset(database).id)
    go_back(database, "0003")
    set_progress(database, {**FIGURES, "phase": "training", "architecture": "lstm", "epochs": 20})
    go_back(database, "0001")
    with database.read() as session:
        models_then = session.execute(text("SELECT id, validation_loss FROM models")).all()
        (progress,) = session.execute(text("SELECT progress FROM jobs")).scalars()
    assert models_then == [(model_id, 0.0)]
    figures = json.loads(progress) if database.is_sqlite else progress
    assert figures == {**FIGURES, "validation_loss": 0}


def test_jobs_from_before_checkpoints_are_queued_and_workers_register_again(database: Database) -> None:
    ref = queued_job(database, dataset(database).id)
    worker_id = entered(database)
    go_back(database, "0003")
    migrations.upgrade(database)
    with database.read() as session:
        job = session.get_one(Job, ("default", ref.job_id))
        assert (job.progress["phase"], job.revision, job.checkpoint) == ("queued", 0, None)
        assert session.get_one(Process, worker_id).device == ""


def test_datasets_from_before_limits_have_none(database: Database) -> None:
    dataset_id = dataset(database).id
    with database.write() as session:
        update.update(session, OWNER, dataset_id, DatasetUpdate(lower=0.0, integer=True))
    go_back(database, "0010")
    migrations.upgrade(database)
    with database.read() as session:
        found = catalog.get(session, OWNER, dataset_id)
    assert (found.lower, found.upper, found.integer) == (None, None, False)


def test_downgrade_before_observations_keeps_every_version_whole(database: Database) -> None:
    dataset_id = dataset(database, {"a": [1, 2], "b": [1, 2]}).id
    appended(database, dataset_id, ("b", 1962, 3.0))
    appended(database, dataset_id, ("c", 1960, 1.0), ("c", 1961, 2.0))
    go_back(database, "0004")
    with database.read() as session:
        rows = session.query(Series.version, Series.unique_id, Series.length, Series.blob)
        held = [tuple(row) for row in rows.order_by(Series.version, Series.unique_id)]
    first, second = [("a", 2, 0), ("b", 2, 0)], [("a", 2, 0), ("b", 3, 1)]
    third = [*second, ("c", 2, 2)]
    assert held == [(i + 1, *row) for i, rows in enumerate([first, second, third]) for row in rows]


def test_datasets_from_before_hashed_blobs_are_read_as_before(database: Database) -> None:
    dataset_id, other = (dataset(database).id for _ in range(2))
    appended(database, dataset_id, ("series 1", 2000, 3.0))
    model_id = trained(database, other)
    go_back(database, "0007")
    with database.read() as session:
        names = set(session.execute(text("SELECT key FROM blobs")).scalars())
        newest = "SELECT blob_keys FROM dataset_versions WHERE version = 2"
        (manifest,) = session.execute(text(newest)).scalars()
    keys = json.loads(manifest) if database.is_sqlite else manifest
    assert keys == [f"{dataset_id}/1/0", f"{dataset_id}/2/1"]
    assert names >= {*keys, f"{other}/1/0", f"{model_id}/weights", f"{model_id}/backtest"}
    migrations.upgrade(database)
    with database.read() as session:
        uses = {blob.data: blob.uses for blob in session.query(Blob)}
        model = session.get_one(Model, (OWNER.workspace_id, model_id))
        assert all(session.get_one(Blob, (OWNER.workspace_id, key)).uses == 1 for key in model.blob_keys)
        page = catalog.observations(session, OWNER, dataset_id, "series 1", CountedPageRequest(50))
        assert session.query(DatasetBlob).filter_by(dataset_id=dataset_id).count() == 2
    assert sorted(uses.values()) == [1] * (len(uses) - 1) + [2]  # what both datasets hold is one blob
    assert (len(page.y), page.y[-1]) == (41, 3.0)


def test_ties_from_before_intervals_are_undecided_and_the_rest_stays(database: Database) -> None:
    model_id = trained(database, dataset(database).id, method="network")
    for outcome, after in {"ties": "undecided", "beats": "beats", "loses": "loses"}.items():
        with database.write() as session:
            model = session.get_one(Model, (OWNER.workspace_id, model_id))
            model.verdicts = {"lstm": {**examples.VERDICT, "outcome": outcome}}
        go_back(database, "0011")
        migrations.upgrade(database)
        with database.read() as session:
            verdict = models.get(session, OWNER, model_id).verdicts["lstm"]
        assert (verdict.outcome, verdict.p_value) == (after, examples.VERDICT["p_value"])
        assert (verdict.effect_interval, verdict.effective_units, verdict.periods) == (None, None, None)


def test_models_from_before_reasons_keep_all_but_the_reason(database: Database) -> None:
    dataset_id = dataset(database).id
    model_id = trained(database, dataset_id)
    go_back(database, "0012")
    migrations.upgrade(database)
    with database.read() as session:
        model = models.get(session, OWNER, model_id)
        job = states.get(session, OWNER, model.job_id)
    assert (model.promotion, job.promotion) == (None, None)
    assert (model.champion, job.model_id) == (True, model_id)


def test_pretrained_backtests_from_before_measures_are_made_anew(database: Database) -> None:
    stored_backtest(database)
    go_back(database, "0013")
    migrations.upgrade(database)
    with database.read() as session:
        assert session.query(PretrainedBacktest).count() == 0


def test_downgrade_before_measures_lets_pretrained_backtests_be_made_anew(database: Database) -> None:
    stored_backtest(database)
    go_back(database, "0013")
    with database.read() as session:
        assert session.execute(text("SELECT count(verdict) FROM pretrained_backtests")).scalar() == 0


def stored_backtest(database: Database) -> None:
    """Store what a forecast by the pretrained network needs."""
    request = ForecastRequest(dataset(database, trends(count=8)).id)
    with database.read() as session:
        plan = resolve.find_plan(session, OWNER, request)
    found = resolve.backtest_pretrained(database, plan, "cpu")
    with database.write() as session:
        pretrained_backtests.store(session, plan.version, plan.model, found)


def test_datasets_from_before_columns_have_none_and_the_same_forecasts(database: Database) -> None:
    dataset_id, untrained = dataset(database, trends()).id, dataset(database, trends()).id
    appended(database, untrained, ("series 1", 2000, 3.0))
    model_id = trained_anew(database, dataset_id, start="scratch", promote="always")
    before = [everything(database, each) for each in (dataset_id, untrained)]
    go_back(database, "0014")
    with database.read() as session:
        assert session.execute(text("SELECT count(length) FROM series")).scalar() == 7
    migrations.upgrade(database)
    assert [everything(database, each) for each in (dataset_id, untrained)] == before
    appended(database, untrained, ("series 2", 2000, 4.0))
    with database.read() as session:
        page = catalog.observations(session, OWNER, untrained, "series 2", CountedPageRequest(50))
    assert (page.y[-1], page.columns, page.static) == (4.0, {}, {})
    assert verify(database, OWNER, model_id).is_same


def everything(database: Database, dataset_id: str) -> list[bytes]:
    """Return the forecasts of all series, with their times, methods and verdict."""
    return [page_json(result) for result in table(database, ForecastRequest(dataset_id, horizon=3))]


def test_downgrade_before_columns_counts_the_rows_of_the_target_alone(database: Database) -> None:
    dataset_id, frame = dataset_with_columns(database, {"a": [1, 2], "b": [1, 2, 3]}, ahead=4)
    go_back(database, "0014")
    with database.read() as session:
        assert session.execute(text("SELECT rows FROM dataset_blobs")).scalar() == 5
    migrations.upgrade(database)
    with database.read() as session:
        page = catalog.observations(session, OWNER, dataset_id, "b", CountedPageRequest(50))
    assert (page.y, page.columns) == ([1, 2, 3], {})
    assert len(frame.row_ds) == 13


def test_downgrade_before_intervals_calls_what_is_undecided_a_tie(database: Database) -> None:
    model_id = trained(database, dataset(database).id, method="network")
    with database.write() as session:
        model = session.get_one(Model, (OWNER.workspace_id, model_id))
        model.verdicts = {"lstm": {**examples.VERDICT, "outcome": "undecided"}}
    go_back(database, "0011")
    with database.read() as session:
        (stored,) = session.execute(text("SELECT verdicts FROM models")).scalars()
    verdict = (json.loads(stored) if database.is_sqlite else stored)["lstm"]
    assert verdict["outcome"] == "ties"
    assert "effect_interval" not in verdict


def test_models_from_before_stored_forecasts_get_them_from_a_worker_with_the_same_bits(
    database: Database,
) -> None:
    dataset_id = dataset(database, trends(count=20)).id
    trained(database, dataset_id)
    before = everything(database, dataset_id)
    go_back(database, "0015")
    migrations.upgrade(database)
    with database.read() as session:
        assert session.query(StoredForecasts).count() == 0
    assert everything(database, dataset_id) == before
    (ref,) = storing.due(database, None).datasets
    assert storing.store_changed(database, ref, "worker")
    assert storing.due(database, None).datasets == []
    assert everything(database, dataset_id) == before
