"""The database with many models that a start is timed on."""

from sqlalchemy import func, select

from app.db.engine import Database
from app.db.tables import Blob, Model
from benchmarks.first_answer import multiply_models
from tests.factories import dataset, judged_model, publish


def test_copied_models_have_their_own_ids_and_bytes(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    dataset_id = dataset(database).id
    with database.write() as session:
        publish(session, judged_model(dataset_id))
    multiply_models(sqlite_url, 3)
    with database.read() as session:
        keys = set(session.scalars(select(Model.weights_key)))
        found = session.scalar(select(func.count()).where(Blob.key.in_(keys)))
    database.dispose()
    assert (len(keys), found) == (3, 3)
