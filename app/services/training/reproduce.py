"""Verification: a model is trained again from its lineage, and what comes of it compared bit by bit with
what the lineage says and with what is stored and answers.
"""

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
from app.services.training.spec import Recipe, methods_digest
from models.errors import CoreError


class Hashes(NamedTuple):
    """One thing as the lineage keeps it, as it is stored now, and as training again finds it."""

    kept: str
    stored: str
    found: str

    @property
    def outcome(self) -> str:
        """Whether all three are the same, and if not, what differs."""
        if self.kept != self.found:
            return "different"
        return "the same" if self.stored == self.kept else "stored otherwise"


@dataclass(frozen=True)
class Stored:
    """The hashes of what is stored of a model now, whatever they were when it was put there."""

    weights: str
    backtest: str
    methods: str


@dataclass(frozen=True)
class Verification:
    """Two lineages of one model, the one that is kept and that of the training just done; what is stored."""

    kept: Lineage
    stored: Stored
    found: Lineage

    @property
    def hashes(self) -> dict[str, Hashes]:
        """What was compared; the training has read the data as they are stored."""
        kept, stored, found = self.kept, self.stored, self.found
        return {
            "data": Hashes(kept.data_sha256, found.data_sha256, found.data_sha256),
            "weights": Hashes(kept.weights_sha256, stored.weights, found.weights_sha256),
            "backtest": Hashes(kept.backtest_sha256, stored.backtest, found.backtest_sha256),
            "methods": Hashes(kept.methods_sha256, stored.methods, found.methods_sha256),
        }

    @property
    def is_same(self) -> bool:
        """Whether every bit is the same."""
        return all(hashes.outcome == "the same" for hashes in self.hashes.values())

    @property
    def other_versions(self) -> dict[str, tuple[str, str]]:
        """What has another version by now, each time as kept and as found; bits may differ for that."""
        names = {**self.kept.versions, **self.found.versions}
        pairs = {n: (self.kept.versions.get(n, "none"), self.found.versions.get(n, "none")) for n in names}
        return {name: (kept, found) for name, (kept, found) in pairs.items() if kept != found}


def verify(database: Database, principal: Principal, model_id: str) -> Verification:
    """Train a model again and compare; stored bytes that are damaged are told as others, not refused.

    Raises NotFound, and Conflict for a model that has no lineage or one that cannot be followed here.
    """
    with database.read() as session:
        kept, stored, series = _read(session, principal, model_id)
    try:
        return Verification(kept, stored, Recipe.of(kept, series).follow().lineage())
    except CoreError as error:
        raise Conflict(f"Model {model_id} cannot be trained again here: {error}") from error


def _read(session: Session, principal: Principal, model_id: str) -> tuple[Lineage, Stored, DatasetPanel]:
    model, _ = models.find(session, principal, model_id)
    version = dataset_queries.version(session, model.workspace_id, model.dataset_id, model.dataset_version)
    if model.lineage is None or version is None:
        raise Conflict(f"Model {model_id} is from before lineages were kept; train it anew to have one.")
    return Lineage.model_validate(model.lineage), _stored(session, model), panels.read(session, version)


def _stored(session: Session, model: Model) -> Stored:
    weights, backtest = (
        (key and blobs.stored_digest(session, model.workspace_id, key)) or "missing"
        for key in (model.weights_key, model.backtest_key)
    )
    return Stored(weights, backtest, methods_digest(model.methods))
