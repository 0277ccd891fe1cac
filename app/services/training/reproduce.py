"""Verify a model: train it again from its lineage, and compare the bits with both lineage and storage."""

from dataclasses import dataclass
from typing import NamedTuple

from app import blobs
from app.auth import Principal
from app.db.engine import Database, Session
from app.db.queries import datasets as dataset_queries
from app.db.tables import Model
from app.errors import Conflict
from app.schemas.models import Lineage
from app.services.datasets import panels
from app.services.datasets.panels import DatasetPanel
from app.services.registry import models
from app.services.training.spec import TrainingSpec, methods_digest
from models.errors import CoreError


class Hashes(NamedTuple):
    """The SHA-256 of one thing: in the lineage, of what is stored now, and after training again."""

    kept: str
    stored: str
    found: str

    @property
    def outcome(self) -> str:
        """Whether all three are equal, and if not, which differs."""
        if self.kept != self.found:
            return "different"
        return "the same" if self.stored == self.kept else "stored otherwise"


@dataclass(frozen=True)
class Stored:
    """The hashes of what is stored of a model now."""

    weights: str
    backtest: str
    methods: str


@dataclass(frozen=True)
class Verification:
    """A model's stored lineage, the lineage of the new training, and the hashes of what is stored."""

    kept: Lineage
    stored: Stored
    found: Lineage

    @property
    def hashes(self) -> dict[str, Hashes]:
        """The hashes by name; the stored data are the ones that the new training has read."""
        kept, stored, found = self.kept, self.stored, self.found
        return {
            "data": Hashes(kept.data_sha256, found.data_sha256, found.data_sha256),
            "weights": Hashes(kept.weights_sha256, stored.weights, found.weights_sha256),
            "backtest": Hashes(kept.backtest_sha256, stored.backtest, found.backtest_sha256),
            "methods": Hashes(kept.methods_sha256, stored.methods, found.methods_sha256),
        }

    @property
    def is_same(self) -> bool:
        """Whether all hashes are equal."""
        return all(hashes.outcome == "the same" for hashes in self.hashes.values())

    @property
    def other_versions(self) -> dict[str, tuple[str, str]]:
        """The packages whose versions differ, as recorded and as installed; then the bits may differ."""
        names = {**self.kept.versions, **self.found.versions}
        pairs = {n: (self.kept.versions.get(n, "none"), self.found.versions.get(n, "none")) for n in names}
        return {name: (kept, found) for name, (kept, found) in pairs.items() if kept != found}


def verify(database: Database, principal: Principal, model_id: str) -> Verification:
    """Train a model again and compare; damaged stored bytes count as different and raise nothing.

    Raises NotFound, and Conflict for a model without a lineage or with one that cannot be trained here.
    """
    with database.read() as session:
        kept, stored, dataset = _read(session, principal, model_id)
    try:
        return Verification(kept, stored, TrainingSpec.of_lineage(kept, dataset).train().lineage())
    except CoreError as error:
        raise Conflict(f"Model {model_id} cannot be trained again here: {error}") from error


def _read(session: Session, principal: Principal, model_id: str) -> tuple[Lineage, Stored, DatasetPanel]:
    model, _ = models.find(session, principal, model_id)
    version = dataset_queries.version(session, model.workspace_id, model.dataset_id, model.dataset_version)
    if model.lineage is None or version is None:
        raise Conflict(f"Model {model_id} is from before lineages were kept; train it anew to have one.")
    dataset = panels.read(session, version, models.season_lengths(model))
    return Lineage.model_validate(model.lineage), _stored(session, model), dataset


def _stored(session: Session, model: Model) -> Stored:
    weights, backtest = (
        (key and blobs.stored_digest(session, model.workspace_id, key)) or "missing"
        for key in (model.weights_key, model.backtest_key)
    )
    return Stored(weights, backtest, methods_digest(model.methods))
