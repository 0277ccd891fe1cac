"""Rows from before a migration, after it, and the way back."""

import json

import pytest
from alembic import command
from sqlalchemy import text

from app.auth import OWNER
from app.db import schema
from app.db.engine import Database
from app.db.tables import Blob, Model
from app.services import datasets, jobs, models
from tests.factories import dataset, judged_model, publish, queued_job, trained

pytestmark = pytest.mark.usefixtures("brief_trainings")


def go_back(database: Database, revision: str) -> None:
    config = schema._config()
    with database.writer.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def test_rows_from_before_architectures_are_of_an_untried_lstm(database: Database) -> None:
    dataset_id = dataset(database).id
    model_id = trained(database, dataset_id, architecture="gru")
    waiting = queued_job(database, dataset_id)
    go_back(database, "0001")
    schema.upgrade(database)
    with database.read() as session:
        model = models.get(session, OWNER, model_id)
        progress = jobs.get(session, OWNER, model.job_id).progress
        assert jobs.get(session, OWNER, waiting.job_id).progress is None
    assert (model.architecture, model.trials) == ("lstm", [])
    assert progress is not None
    assert (progress.phase, progress.architecture, progress.epochs) == ("training", "lstm", 20)


def test_models_from_before_champions_warn_and_have_no_backtest(database: Database) -> None:
    trained(database, dataset(database).id, on_loss="refuse")
    go_back(database, "0002")
    schema.upgrade(database)
    with database.read() as session:
        (model,) = session.query(Model)
        assert (model.on_loss, model.served, model.backtest) == ("warn", "lstm", None)
        assert {blob.key.rpartition("/")[2] for blob in session.query(Blob)} == {"0", "weights"}


def test_champion_from_before_promotions_leaves_the_model_trained_before_it(database: Database) -> None:
    dataset_id, other = dataset(database).id, dataset(database).id
    with database.write() as session:
        publish(session, judged_model(other))
        ids = [publish(session, judged_model(dataset_id), promotion="always") for _ in range(3)]
        models.promote(session, OWNER, ids[1])
    go_back(database, "0002")
    schema.upgrade(database)
    with database.write() as session:
        promotions = {row.id: row.promotion for row in session.query(Model)}
        assert [promotions[each] for each in ids] == [1, 2, None]
        models.delete(session, OWNER, ids[1])
        assert datasets.get(session, OWNER, dataset_id).champion_id == ids[0]


def test_way_back_before_architectures_leaves_what_was_known_then(database: Database) -> None:
    model_id = trained(database, dataset(database).id)
    go_back(database, "0001")
    with database.read() as session:
        models_then = session.execute(text("SELECT id, validation_loss FROM models")).all()
        (progress,) = session.execute(text("SELECT progress FROM jobs")).scalars()
    assert models_then == [(model_id, 0.0)]
    figures = json.loads(progress) if database.is_sqlite else progress
    assert set(figures) == {"member", "members", "epoch", "loss", "validation_loss", "share_done"}
    assert figures["validation_loss"] == 0
