"""Models trained again from their lineage."""

import copy
from typing import Any

import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.tables import Blob, Model
from app.digest import sha256
from app.errors import Conflict, NotFound
from app.services.training.reproduce import Verification, verify
from tests.factories import dataset, trained_anew, workspace

pytestmark = pytest.mark.usefixtures("brief_trainings")


def change_lineage(database: Database, model_id: str, **fields: Any) -> None:
    with database.write() as session:
        model = session.get_one(Model, (OWNER.workspace_id, model_id))
        model.lineage = {**(model.lineage or {}), **fields}


def outcomes(verified: Verification) -> dict[str, str]:
    """Whatever is not the same."""
    each = {name: hashes.outcome for name, hashes in verified.hashes.items()}
    return {name: outcome for name, outcome in each.items() if outcome != "the same"}


@pytest.mark.parametrize(
    "request_",
    [{}, {"architecture": "all", "seed": 3}, {"method": "network", "preset": "balanced"}, {"measure": "wql"}],
)
def test_model_trained_again_is_the_same(database: Database, request_: dict[str, Any]) -> None:
    model_id = trained_anew(database, dataset(database).id, **request_)
    verified = verify(database, OWNER, model_id)
    assert verified.is_same
    assert verified.kept == verified.found


def test_measure_is_in_lineage_and_verdict(database: Database) -> None:
    model_id = trained_anew(database, dataset(database).id, measure="rmsse", method="network")
    with database.read() as session:
        model = session.get_one(Model, (OWNER.workspace_id, model_id))
        assert (model.lineage or {})["measure"] == "rmsse"
        assert {verdict["measure"] for verdict in (model.verdicts or {}).values()} == {"RMSSE"}


def test_lineage_from_before_measures_is_followed_by_mase(database: Database) -> None:
    model_id = trained_anew(database, dataset(database).id)
    with database.write() as session:
        model = session.get_one(Model, (OWNER.workspace_id, model_id))
        model.lineage = {name: value for name, value in (model.lineage or {}).items() if name != "measure"}
    verified = verify(database, OWNER, model_id)
    assert verified.is_same
    assert verified.found.measure == "auto"


@pytest.mark.parametrize("name", ["data", "weights", "backtest", "methods"])
def test_other_hash_is_reported_by_name(database: Database, name: str) -> None:
    model_id = trained_anew(database, dataset(database).id)
    change_lineage(database, model_id, **{f"{name}_sha256": "another"})
    verified = verify(database, OWNER, model_id)
    assert not verified.is_same
    assert outcomes(verified) == {name: "different"}


@pytest.mark.parametrize("name", ["weights", "backtest"])
def test_changed_blob_is_reported(database: Database, name: str) -> None:
    model_id = trained_anew(database, dataset(database).id)
    with database.write() as session:
        key = getattr(session.get_one(Model, (OWNER.workspace_id, model_id)), f"{name}_key")
        session.query(Blob).filter_by(key=key).update({"data": b"other bytes"})
    verified = verify(database, OWNER, model_id)
    assert not verified.is_same
    assert outcomes(verified) == {name: "stored otherwise"}
    assert verified.hashes[name].stored == sha256(b"other bytes")


def test_missing_blob_is_reported(database: Database) -> None:
    model_id = trained_anew(database, dataset(database).id)
    with database.write() as session:
        key = session.get_one(Model, (OWNER.workspace_id, model_id)).weights_key
        session.query(Blob).filter_by(key=key).delete()
    assert verify(database, OWNER, model_id).hashes["weights"].stored == "missing"


def test_changed_calibration_factor_is_reported(database: Database) -> None:
    model_id = trained_anew(database, dataset(database).id)
    with database.write() as session:
        model = session.get_one(Model, (OWNER.workspace_id, model_id))
        methods = copy.deepcopy(model.methods or {})
        methods["lstm"]["calibration"]["factors"][0][0] *= 1 + 2**-52
        model.methods = methods
    verified = verify(database, OWNER, model_id)
    assert not verified.is_same
    assert outcomes(verified) == {"methods": "stored otherwise"}


def test_other_versions_are_reported(database: Database) -> None:
    model_id = trained_anew(database, dataset(database).id)
    change_lineage(database, model_id, versions={"torch": "1.13.0"})
    changed = verify(database, OWNER, model_id).other_versions
    assert changed["torch"][0] == "1.13.0"
    assert changed["gatecast"][0] == "none"


@pytest.mark.parametrize("fields", [{"config": {"horizon": 3}}, {"device": "cuda:7"}])
def test_lineage_that_cannot_be_followed_here_says_why(database: Database, fields: dict[str, Any]) -> None:
    model_id = trained_anew(database, dataset(database).id)
    change_lineage(database, model_id, **fields)
    with pytest.raises(Conflict, match="cannot be trained again here"):
        verify(database, OWNER, model_id)


def test_model_from_before_lineages_says_so(database: Database) -> None:
    model_id = trained_anew(database, dataset(database).id)
    with database.write() as session:
        session.get_one(Model, (OWNER.workspace_id, model_id)).lineage = None
    with pytest.raises(Conflict, match="before lineages"):
        verify(database, OWNER, model_id)


def test_stranger_verifies_nothing(database: Database) -> None:
    model_id = trained_anew(database, dataset(database).id)
    with pytest.raises(NotFound):
        verify(database, workspace(database), model_id)
