"""Training runs: what they store, and what they leave alone."""

from typing import get_args

import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Blob, Job, Model
from app.digest import sha256
from app.errors import Unavailable
from app.queue import JobRef
from app.schemas.choices import Architecture
from app.schemas.jobs import JobOut, Phase, Progress
from app.schemas.models import ModelOut
from app.schemas.train import TrainRequest
from app.services.datasets import catalog, panels
from app.services.forecasting.request import ForecastRequest
from app.services.jobs import states
from app.services.registry import models
from app.services.shared.paging import PageRequest
from app.services.training import progress, run
from app.services.training.spec import TrainingSpec
from models.config import TrainingConfig
from models.evaluation.rolling_origin import RollingOrigin
from models.training import train as core_training
from tests.factories import dataset, queued_job, table, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")


def look(database: Database, model_id: str) -> ModelOut:
    with database.read() as session:
        return models.get(session, OWNER, model_id)


def test_training_succeeds_with_model_and_champion(database: Database) -> None:
    dataset_id = dataset(database).id
    ref = queued_job(database, dataset_id)
    with database.write() as session:
        attempt = states.begin(session, ref, "worker", 3) or 0
    run.run_attempt(database, ref, attempt, "cpu")
    with database.read() as session:
        job = states.get(session, OWNER, ref.job_id)
        assert job.state == "succeeded"
        assert (job.progress.phase, job.progress.share_done) == ("publishing", 1)
        assert catalog.get(session, OWNER, dataset_id).champion_id == job.model_id


def test_same_seed_leaves_the_same_weights(database: Database) -> None:
    dataset_id = dataset(database).id
    first, second = trained(database, dataset_id, seed=5), trained(database, dataset_id, seed=5)
    with database.read() as session:
        hashes = {session.get_one(Model, ("default", model)).weights_sha256 for model in (first, second)}
    assert len(hashes) == 1


def test_equal_model_leaves_the_champion_in_place(database: Database) -> None:
    dataset_id = dataset(database).id
    first = trained(database, dataset_id, seed=5)
    trained(database, dataset_id, seed=5)
    with database.read() as session:
        assert catalog.get(session, OWNER, dataset_id).champion_id == first


@pytest.mark.parametrize(("method", "served"), [("network", "lstm"), ("blend", "blend")])
def test_requested_method_is_served(database: Database, method: str, served: str) -> None:
    model = look(database, trained(database, dataset(database).id, method=method))
    assert model.method == served
    assert set(model.verdicts) == {"lstm", served}


def test_lineage_has_both_fits_and_every_hash(database: Database) -> None:
    model = look(database, trained(database, dataset(database, trends(count=8)).id, horizon=2, seed=5))
    assert model.lineage is not None
    assert (model.lineage.learned_until, model.lineage.dataset_version) == (1999, 1)
    assert (model.lineage.backtest_learned_until, model.lineage.held_out_steps) == (1991, 8)
    assert model.lineage.cutoffs == [1991, 1993, 1995, 1997]
    assert (model.lineage.config["seed"], model.lineage.weights_sha256) == (5, model.weights_sha256)
    with database.read() as session:
        rows = session.get_one(Blob, ("default", model.lineage.backtest_sha256))
    assert sha256(rows.data) == model.lineage.backtest_sha256


def test_requested_architecture_is_kept_and_forecasts(database: Database) -> None:
    dataset_id = dataset(database).id
    model = look(database, trained(database, dataset_id, architecture="gru"))
    (page,) = table(database, ForecastRequest(dataset_id))
    assert model.architecture == "gru"
    assert [trial.architecture for trial in model.trials] == ["gru"]
    assert page.method == "gru"


def test_all_tries_each_architecture_and_keeps_the_best(database: Database) -> None:
    model = look(database, trained(database, dataset(database).id, architecture="all"))
    errors = [trial.mase or 0.0 for trial in model.trials]
    assert {trial.architecture for trial in model.trials} == set(get_args(Architecture))
    assert errors == sorted(errors)
    assert model.architecture == model.trials[0].architecture
    with database.read() as session:
        artifact = session.get_one(Model, ("default", model.id)).artifact
    assert artifact["config"]["architecture"] == model.architecture


def test_error_without_a_scale_is_null(database: Database) -> None:
    constant = dataset(database, {"flat": [5.0] * 20}).id
    (trial,) = look(database, trained(database, constant)).trials
    assert trial.mase is None
    assert trial.smape < 1


def test_progress_has_both_phases_and_the_share_of_everything(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[Progress] = []
    monkeypatch.setattr(progress, "RECORD_INTERVAL_S", 0.0)
    monkeypatch.setattr(states, "record_progress", lambda *args: recorded.append(args[-1]))
    wishes = {"horizon": 3, "preset": "quick", "architecture": "cnn"}
    request = TrainRequest.model_validate({"dataset_id": dataset(database).id, **wishes})
    run.run_without_queue(database, OWNER, request, "cpu")  # not `trained`, which may know the result
    shares = [each.share_done for each in recorded]
    phases = [each.phase for each in recorded]
    figures = recorded[:-1]
    assert phases == [*sorted(phases[:-1]), "publishing"]
    assert [phases.count("training"), phases.count("backtesting") >= 40] == [40, True]
    assert {(each.architecture, each.epochs) for each in figures} == {("cnn", 20)}
    assert all((each.validation_loss is None) == (each.phase == "training") for each in figures)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_dataset_deleted_meanwhile_leaves_nothing(database: Database) -> None:
    dataset_id = dataset(database).id
    ref = queued_job(database, dataset_id)
    with database.write() as session:
        attempt = states.begin(session, ref, "worker", 3) or 0
        catalog.delete(session, OWNER, dataset_id)
    with pytest.raises(states.Superseded):
        run.run_attempt(database, ref, attempt, "cpu")
    with database.read() as session:
        assert session.query(Blob).count() == session.query(Model).count() == 0


def test_damaged_data_fail_the_job_at_once_with_the_cause(database: Database) -> None:
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        session.query(Blob).update({"data": b"other bytes"})
    job = run_job(database, ref)
    assert (job.state, job.failures) == ("failed", [])
    assert "gatecast check" in (job.error or "")


def test_version_that_is_gone_fails_the_job_at_once_with_the_cause(database: Database) -> None:
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        session.query(Job).update({"dataset_version": 2})
    job = run_job(database, ref)
    assert (job.state, job.failures) == ("failed", [])
    assert (job.error or "").startswith("Version 2 of its dataset")


def test_data_that_this_version_cannot_read_fail_the_job_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise KeyError("a step of another version")

    monkeypatch.setattr(panels, "read", unknown)
    job = run_job(database, queued_job(database, dataset(database).id))
    assert (job.state, job.failures) == ("failed", [])
    assert "cannot be read by version" in (job.error or "")


def test_lack_of_the_database_is_no_failure_of_the_jobs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("The database is away.")

    monkeypatch.setattr(panels, "read", away)
    ref = queued_job(database, dataset(database).id)
    with pytest.raises(Unavailable):
        run_job(database, ref)
    with database.read() as session:
        assert states.get(session, OWNER, ref.job_id).state == "running"


def run_job(database: Database, ref: JobRef) -> JobOut:
    """Run the first attempt at a job in this process."""
    with database.write() as session:
        attempt = states.begin(session, ref, "worker", 3) or 0
    run.run_attempt(database, ref, attempt, "cpu")
    with database.read() as session:
        return states.get(session, OWNER, ref.job_id)


def test_deleted_dataset_takes_every_byte_of_its_models_along(database: Database) -> None:
    dataset_id = dataset(database).id
    trained(database, dataset_id)
    with database.write() as session:
        catalog.delete(session, OWNER, dataset_id)
        assert session.query(Blob).count() == session.query(Model).count() == 0


def test_device_that_is_not_there_fails_with_what_to_do(database: Database) -> None:
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        attempt = states.begin(session, ref, "worker", 3) or 0
    run.run_attempt(database, ref, attempt, "cuda:7")
    with database.read() as session:
        job = states.get(session, OWNER, ref.job_id)
    assert job.state == "failed"
    assert "cuda:7" in (job.error or "")


def test_interrupted_command_leaves_no_job_running(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    dataset_id = dataset(database).id
    monkeypatch.setattr(TrainingSpec, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained(database, dataset_id)
    with database.read() as session:
        (job,) = states.page(session, OWNER, PageRequest(10)).jobs
    assert (job.state, job.error) == ("cancelled", "It was interrupted: KeyboardInterrupt.")


def test_request_names_the_core_s_fields_and_phases() -> None:
    assert set(get_args(core_training.Phase)) < set(get_args(Phase))
    rest = {"dataset_id", "preset", "start", "method", "measure", "on_loss"}
    rest |= {"promote", "priority", "season_length"}
    tested = {"cuts", "step_size", "level"}
    assert {name.rstrip("s") for name in RollingOrigin.__dataclass_fields__} == {"cut", "step_size", "level"}
    shaping = set(TrainRequest.model_fields) - rest - tested
    assert shaping <= set(TrainingConfig.__dataclass_fields__)
