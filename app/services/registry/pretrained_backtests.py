"""Keep what the pretrained network's backtests found, so that all processes serve the same."""

from typing import cast

from app.db.engine import Session
from app.db.queries import changes
from app.db.queries import datasets as dataset_queries
from app.db.queries import pretrained_backtests as queries
from app.db.tables import DatasetVersion, Model, PretrainedBacktest
from app.schemas.choices import Outcome
from app.services.registry.served_method import ServedMethod
from app.version import release
from models.methods.combination import Method


def find(session: Session, version: DatasetVersion, model: Model) -> ServedMethod | None:
    """Return the method that a backtest on a version found; None if none was stored with these weights."""
    stored = queries.find(session, version, model.horizon)
    if stored is None or stored.basis != _basis(model):
        return None
    verdict = cast("Outcome | None", stored.verdict)
    return ServedMethod(stored.served, Method.from_dict(stored.method), verdict, stored.warning)


def store(session: Session, version: DatasetVersion, model: Model, found: ServedMethod) -> None:
    """Store the method that a backtest found, and record a change, which ends all preliminary answers.

    Nothing is stored if the version was removed since, or replaced by another of its number.
    """
    ref = version.workspace_id, version.dataset_id
    dataset_queries.lock(session, *ref)
    current = dataset_queries.version(session, *ref, version.version)
    if current is None or current.source_sha256 != version.source_sha256:
        return
    queries.put(
        session,
        PretrainedBacktest(
            workspace_id=version.workspace_id,
            dataset_id=version.dataset_id,
            version=version.version,
            horizon=model.horizon,
            basis=_basis(model),
            served=found.name,
            method=found.method.to_dict(),
            verdict=found.verdict,
            warning=found.warning,
        ),
    )
    changes.record(session, *ref)


def _basis(model: Model) -> str:
    """Name all that a backtest depends on beside the series and the horizon."""
    return f"{release()} {model.weights_key} {model.weights_sha256}"
