"""What a process that serves models imports."""

import subprocess
import sys

import pytest

from app.db.engine import Database
from tests.factories import dataset, trained

SERVING = """
import sys
from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Model
from app.services.forecasting import model_loading
from models.choices import NO_SEASONS

database = Database(sys.argv[1])
with database.read() as session:
    stored = session.get(Model, {"workspace_id": OWNER.workspace_id, "id": sys.argv[2]})
    model_loading.load_stored(session, stored, "cpu")
model_loading.preload()
model_loading.load_pretrained(1, NO_SEASONS, "cpu")
print(sorted(name for name in sys.modules if name.startswith(("models.training", "models.pretraining"))))
"""


@pytest.mark.usefixtures("brief_trainings")
def test_serving_a_model_imports_neither_the_trainer_nor_the_generator(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    model_id = trained(database, dataset(database).id)
    words = [sys.executable, "-c", SERVING, database.url, model_id]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    database.dispose()
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
