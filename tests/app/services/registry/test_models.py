"""The list of models."""

from sqlalchemy import event

from app.auth import OWNER
from app.db.engine import Database
from app.services.registry import models
from app.services.shared.paging import PageRequest
from tests.factories import dataset, judged_model, publish


def test_list_is_one_query_without_the_long_columns(database: Database) -> None:
    dataset_id = dataset(database).id
    with database.write() as session:
        for _ in range(3):
            publish(session, judged_model(dataset_id))
    statements: list[str] = []
    event.listen(database.reader, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with database.read() as session:
        assert len(models.page(session, OWNER, None, PageRequest(10)).models) == 3
    (query,) = [statement for statement in statements if "FROM models" in statement]
    assert "models.verdicts" in query
    assert not any(f"models.{name} " in query for name in ("backtest", "lineage", "methods", "artifact"))
