"""Publishing what a training made: once, whatever the database does meanwhile."""

import time
from typing import Any

import pytest

from app.auth import OWNER
from app.db.engine import Database, Session
from app.db.tables import ForecastChunk, Model, StoredForecasts
from app.errors import BadInput, Unavailable
from app.services.datasets import catalog
from app.services.jobs import states
from app.services.registry import champions, models, served_method
from app.services.registry.quantile_forecasts import compute
from app.services.shared.paging import PageRequest
from app.services.training import forecasts, run
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


def stored(database: Database) -> list[tuple[str | None, int, bool]]:
    """What is stored of forecasts: the model, the version as of which all are, and whether there are some."""
    with database.read() as session:
        return [
            (
                each.model_id,
                each.version,
                session.query(ForecastChunk).filter_by(stored_id=each.id).count() > 0,
            )
            for each in session.query(StoredForecasts)
        ]


def test_model_is_published_with_the_forecasts_of_every_series(database: Database) -> None:
    model_id = trained(database, dataset(database).id)
    assert stored(database) == [(model_id, 1, True)]


def test_attempt_stores_forecasts_in_place_of_those_of_one_that_was_killed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        killed = states.begin(session, ref, "worker", 3) or 0

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(champions, "admit", kill)
        with pytest.raises(KeyboardInterrupt):
            run.run_attempt(database, ref, killed, "cpu")
    assert stored(database) == [(None, 1, True)]
    with database.write() as session:
        states.requeue(session, ref, killed)
        attempt = states.begin(session, ref, "worker", 3) or 0
    run.run_attempt(database, ref, attempt, "cpu")
    with database.read() as session:
        model_id = states.get(session, OWNER, ref.job_id).model_id
    assert stored(database) == [(model_id, 1, True)]


def test_attempt_that_is_overtaken_while_it_stores_stores_nothing_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = queued_job(database, dataset(database).id)
    with database.write() as session:
        late = states.begin(session, ref, "worker", 3) or 0

    def overtaken(*arguments: Any) -> Any:
        with database.write() as session:
            states.begin(session, ref, "worker", 3)
        return compute(*arguments)

    monkeypatch.setattr(forecasts, "compute", overtaken)
    with pytest.raises(states.Superseded):
        run.run_attempt(database, ref, late, "cpu")
    assert stored(database) == [(None, 0, False)]


def test_model_whose_forecasts_take_long_is_published_before_all_are_stored(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasts, "PATIENCE_S", -1e6)
    model_id = trained(database, dataset(database).id)
    assert stored(database) == [(model_id, 0, False)]


def test_model_that_is_set_to_refuse_stores_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_method, "gives_way", lambda _: True)
    trained(database, dataset(database).id, on_loss="refuse")
    assert stored(database) == []
