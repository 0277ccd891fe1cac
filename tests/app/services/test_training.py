"""Trainings carried out: what they leave, and what they leave alone."""

from typing import get_args

import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Blob, Model
from app.schemas.train import Preset, TrainRequest
from app.services import datasets, jobs, training
from app.services.paging import PageRequest
from models.config import Preset as CorePreset
from models.config import TrainingConfig
from tests.factories import dataset, queued_job, trained


def test_training_succeeds_with_model_and_champion(database: Database) -> None:
    dataset_id = dataset(database).id
    ref = queued_job(database, dataset_id)
    with database.write() as session:
        attempt = jobs.begin(session, ref, 3) or 0
    training.perform(database, ref, attempt, "cpu")
    with database.read() as session:
        job = jobs.get(session, OWNER, ref.job_id)
        assert job.state == "succeeded"
        assert job.progress is not None
        assert job.progress.share_done == 1
        assert datasets.get(session, OWNER, dataset_id).champion_id == job.model_id


def test_same_seed_leaves_the_same_weights(database: Database) -> None:
    dataset_id = dataset(database).id
    first, second = trained(database, dataset_id, seed=5), trained(database, dataset_id, seed=5)
    with database.read() as session:
        hashes = {session.get_one(Model, ("default", model)).weights_sha256 for model in (first, second)}
    assert len(hashes) == 1


def test_dataset_deleted_meanwhile_leaves_nothing(database: Database) -> None:
    dataset_id = dataset(database).id
    ref = queued_job(database, dataset_id)
    with database.write() as session:
        attempt = jobs.begin(session, ref, 3) or 0
        datasets.delete(session, OWNER, dataset_id)
    with pytest.raises(jobs.Superseded):
        training.perform(database, ref, attempt, "cpu")
    with database.read() as session:
        assert session.query(Blob).count() == session.query(Model).count() == 0


def test_overtaken_attempt_publishes_nothing(database: Database) -> None:
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        late = jobs.begin(session, ref, 3) or 0
        jobs.begin(session, ref, 3)
    with pytest.raises(jobs.Superseded):
        training.perform(database, ref, late, "cpu")
    with database.read() as session:
        assert session.query(Model).count() == 0


def test_device_that_is_not_there_fails_with_what_to_do(database: Database) -> None:
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        attempt = jobs.begin(session, ref, 3) or 0
    training.perform(database, ref, attempt, "cuda:7")
    with database.read() as session:
        job = jobs.get(session, OWNER, ref.job_id)
    assert job.state == "failed"
    assert "cuda:7" in (job.error or "")


def test_interrupted_command_leaves_no_job_running(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    dataset_id = dataset(database).id
    monkeypatch.setattr(training, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained(database, dataset_id)
    with database.read() as session:
        (job,) = jobs.page(session, OWNER, PageRequest(10)).jobs
    assert (job.state, job.error) == ("failed", "It was interrupted: KeyboardInterrupt.")


def test_request_offers_what_the_core_offers() -> None:
    assert get_args(Preset) == get_args(CorePreset)
    assert set(TrainRequest.model_fields) - {"dataset_id", "preset"} <= set(
        TrainingConfig.__dataclass_fields__
    )
