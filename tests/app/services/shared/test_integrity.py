"""The check of all stored data."""

import pytest
from typer.testing import CliRunner

from app.auth import OWNER
from app.cli import app as commands
from app.db.engine import Database
from app.db.tables import Blob, DatasetBlob, Model
from app.services.shared import integrity
from tests.factories import dataset, judged_model, publish


def damage(database: Database, key: str) -> None:
    with database.write() as session:
        session.query(Blob).filter_by(key=key).update({"data": b"other"})


def key_of_series(database: Database) -> str:
    with database.read() as session:
        return session.query(DatasetBlob).one().key


def test_intact_data_have_no_damage_and_all_blobs_are_read(database: Database) -> None:
    dataset_id, seen = dataset(database).id, []
    with database.write() as session:
        publish(session, judged_model(dataset_id))
    assert integrity.check(database, lambda done, total: seen.append((done, total))) == []
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_damaged_series_are_named(database: Database) -> None:
    dataset_id = dataset(database, {f"s{i}": [1, 2] for i in range(9)}).id
    key = key_of_series(database)
    damage(database, key)
    (found,) = integrity.check(database)
    assert found.what == f"Blob {key} is damaged"
    assert found.breaks.startswith(f"dataset {dataset_id}, series 's0', 's1', 's2', 's3', 's4' and 4 others:")


def test_every_reference_to_missing_bytes_is_named(database: Database) -> None:
    first, second = (dataset(database, {"a": [1, 2]}).id for _ in range(2))
    with database.write() as session:
        session.query(Blob).delete()
    found = integrity.check(database)
    assert [each.what.endswith("is missing") for each in found] == [True, True]
    assert {each.breaks.split(",")[0] for each in found} == {f"dataset {first}", f"dataset {second}"}


@pytest.mark.parametrize(("part", "lost"), [("weights", "cannot forecast"), ("backtest", "cannot be shown")])
def test_damaged_part_of_a_model_is_named_by_its_use(database: Database, part: str, lost: str) -> None:
    dataset_id = dataset(database).id
    with database.write() as session:
        model_id = publish(session, judged_model(dataset_id))
        key = getattr(session.get_one(Model, (OWNER.workspace_id, model_id)), f"{part}_key")
    damage(database, key)
    (found,) = integrity.check(database)
    assert found.breaks.startswith(f"model {model_id} lacks ")
    assert lost in found.breaks


def test_series_without_a_blob_are_reported(database: Database) -> None:
    dataset_id = dataset(database, {"a": [1, 2], "b": [1, 2]}).id
    with database.write() as session:
        session.query(DatasetBlob).delete()
    (found,) = integrity.check(database)
    assert (found.what, found.breaks[:8]) == (
        f"Blob 0 of dataset {dataset_id} is not among its blobs",
        "2 series",
    )


def test_command_exits_with_1_if_anything_is_damaged(database: Database) -> None:
    dataset(database)
    run = CliRunner().invoke(commands, ["check"], env={"GATECAST_DATABASE_URL": database.url})
    assert (run.exit_code, run.stdout) == (0, "Everything is whole.\n")
    damage(database, key_of_series(database))
    run = CliRunner().invoke(commands, ["check"], env={"GATECAST_DATABASE_URL": database.url})
    assert run.exit_code == 1
    assert "is damaged: dataset ds_" in run.stdout
