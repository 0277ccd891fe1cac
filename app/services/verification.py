"""Verification: a model is trained again from its lineage, and what comes of it compared bit by bit."""

from dataclasses import dataclass

from app.auth import Principal
from app.db.engine import Database, Session
from app.db.queries import datasets as dataset_queries
from app.errors import Conflict
from app.schemas.lineage import Lineage
from app.services import histories, models
from app.services.histories import Histories
from app.services.recipes import Recipe
from models.errors import CoreError


@dataclass(frozen=True)
class Verification:
    """Two lineages of one model: the one that is kept, and that of the training just done."""

    kept: Lineage
    found: Lineage

    @property
    def hashes(self) -> dict[str, tuple[str, str]]:
        """What was compared, each time as kept and as found."""
        return {
            "data": (self.kept.data_sha256, self.found.data_sha256),
            "weights": (self.kept.weights_sha256, self.found.weights_sha256),
            "backtest": (self.kept.backtest_sha256, self.found.backtest_sha256),
        }

    @property
    def is_same(self) -> bool:
        """Whether every bit is the same."""
        return all(kept == found for kept, found in self.hashes.values())

    @property
    def other_versions(self) -> dict[str, tuple[str, str]]:
        """What has another version by now, each time as kept and as found; bits may differ for that."""
        names = {**self.kept.versions, **self.found.versions}
        pairs = {n: (self.kept.versions.get(n, "none"), self.found.versions.get(n, "none")) for n in names}
        return {name: (kept, found) for name, (kept, found) in pairs.items() if kept != found}


def verify(database: Database, principal: Principal, model_id: str) -> Verification:
    """Train a model again and compare.

    Raises NotFound, and Conflict for a model that has no lineage or one that cannot be followed here.
    """
    with database.read() as session:
        kept, series = _read(session, principal, model_id)
    try:
        return Verification(kept, Recipe.of(kept, series).follow().lineage())
    except CoreError as error:
        raise Conflict(f"Model {model_id} cannot be trained again here: {error}") from error


def _read(session: Session, principal: Principal, model_id: str) -> tuple[Lineage, Histories]:
    model, _ = models.find(session, principal, model_id)
    version = dataset_queries.version(session, model.workspace_id, model.dataset_id, model.dataset_version)
    if model.lineage is None or version is None:
        raise Conflict(f"Model {model_id} is from before lineages were kept; train it anew to have one.")
    return Lineage.model_validate(model.lineage), histories.read(session, version)
