"""The database with many models that a start is timed on."""

from sqlalchemy import select

from app.db.engine import Database
from app.db.tables import Blob, Model
from benchmarks.first_answer import multiply_models
from tests.factories import dataset, judged_model, publish


def test_copied_models_have_their_own_ids_and_share_bytes(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    dataset_id = dataset(database).id
    with database.write() as session:
        publish(session, judged_model(dataset_id))
    multiply_models(sqlite_url, 3)
    with database.read() as session:
        models = session.scalars(select(Model)).all()
        uses = {session.get_one(Blob, (model.workspace_id, model.weights_key)).uses for model in models}
    database.dispose()
    assert (len({model.id for model in models}), uses) == (3, {3})
