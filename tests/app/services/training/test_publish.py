"""Publishing what a training made: once, whatever the database does meanwhile."""

import time
from typing import Any

import pytest

from app.auth import OWNER
from app.db.engine import Database, Session
from app.db.tables import Model
from app.errors import BadInput, Unavailable
from app.services.datasets import catalog
from app.services.jobs import states
from app.services.registry import champions, models
from app.services.shared.paging import PageRequest
from app.services.training import run
from tests.factories import dataset, judged_model, publish, queued_job, trained

pytestmark = pytest.mark.usefixtures("brief_trainings")


def test_model_that_the_database_refuses_to_hold_fails_the_job_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BadInput("A number of this model cannot be stored.")

    monkeypatch.setattr(champions, "admit", refuse)
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        attempt = states.begin(session, ref, "worker", 3) or 0
    run.run_attempt(database, ref, attempt, "cpu")
    with database.read() as session:
        job = states.get(session, OWNER, ref.job_id)
    assert (job.state, job.error) == ("failed", "A number of this model cannot be stored.")


def test_publication_tried_again_sees_what_was_published_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id, admit, admitted = dataset(database).id, champions.admit, list[str]()

    def admit_and_lose_the_database(session: Session, model: Model, *rest: Any) -> None:
        admit(session, model, *rest)
        admitted.append(model.id)
        if len(admitted) == 1:
            raise Unavailable("gone for a moment")

    def let_a_rival_in(_: float) -> None:
        with database.write() as session:
            publish(session, judged_model(dataset_id, skill=0.999))

    monkeypatch.setattr(champions, "admit", admit_and_lose_the_database)
    monkeypatch.setattr(time, "sleep", let_a_rival_in)
    model_id = trained(database, dataset_id)
    with database.read() as session:
        assert admitted == [model_id, catalog.get(session, OWNER, dataset_id).champion_id, model_id]
        assert session.get_one(Model, ("default", model_id)).promotion is None


def test_job_and_model_have_the_same_promotion(database: Database) -> None:
    dataset_id = dataset(database).id
    rival = judged_model(dataset_id, skill=0.999)
    with database.write() as session:
        publish(session, rival)
    model_id = trained(database, dataset_id)
    with database.read() as session:
        model = models.get(session, OWNER, model_id)
        job = states.get(session, OWNER, model.job_id)
        listed = models.page(session, OWNER, dataset_id, PageRequest(1)).models[0]
    assert model.promotion is not None
    assert (model.promotion.decision, model.promotion.compared_with) == ("not promoted", rival.id)
    assert model.promotion == job.promotion == listed.promotion


def test_superseded_attempt_publishes_nothing(database: Database) -> None:
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        late = states.begin(session, ref, "worker", 3) or 0
        states.begin(session, ref, "worker", 3)
    with pytest.raises(states.Superseded):
        run.run_attempt(database, ref, late, "cpu")
    with database.read() as session:
        assert session.query(Model).count() == 0
