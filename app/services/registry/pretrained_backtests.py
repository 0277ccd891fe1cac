"""Keep what the pretrained network's backtests found, so that all processes serve the same."""

from typing import Any

from app.db.engine import Session
from app.db.queries import changes
from app.db.queries import datasets as dataset_queries
from app.db.queries import forecasts as queries
from app.db.tables import DatasetVersion, Model, PretrainedBacktest
from app.errors import Conflict
from app.schemas.backtests import PretrainedBacktestOut, Verdict
from app.services.registry import backtests, served_method
from app.services.registry.served_method import ServedMethod
from app.version import release
from models.methods.combination import Method


def find(session: Session, version: DatasetVersion, model: Model) -> ServedMethod | None:
    """Return the method that a backtest on a version found; None if none was stored with these weights."""
    stored = _stored(session, version, model)
    if stored is None:
        return None
    outcome = None if stored.verdict is None else Verdict.model_validate(stored.verdict).outcome
    return ServedMethod(stored.served, Method.from_dict(stored.method), outcome, stored.warning)


def read(session: Session, version: DatasetVersion, model: Model) -> PretrainedBacktestOut | None:
    """Return all that a backtest on a version found; None if none was stored with these weights.

    Raises Conflict if the series are too short for a backtest.
    """
    stored = _stored(session, version, model)
    if stored is None:
        return None
    if stored.verdict is None:
        raise Conflict(
            f"The series of dataset {version.dataset_id} are too short to hold out {model.horizon} steps and "
            "test on them. Ask for a shorter horizon, or append observations."
        )
    return PretrainedBacktestOut.model_validate(
        {
            "dataset_id": version.dataset_id,
            "dataset_version": version.version,
            "horizon": model.horizon,
            "method": stored.served,
            "verdict": stored.verdict,
            "warning": stored.warning,
            "calibration": served_method.reliabilities(Method.from_dict(stored.method)),
            "backtest": stored.backtest,
        }
    )


def store(session: Session, version: DatasetVersion, model: Model, found: ServedMethod) -> None:
    """Store the method that a backtest found, and record a change, which ends all preliminary answers.

    Nothing is stored if the version was removed since, or replaced by another of its number.
    """
    verdict, backtest = _summary(found)
    ref = version.workspace_id, version.dataset_id
    dataset_queries.lock(session, *ref)
    current = dataset_queries.version(session, *ref, version.version)
    if current is None or current.source_sha256 != version.source_sha256:
        return
    queries.put_backtest(
        session,
        PretrainedBacktest(
            workspace_id=version.workspace_id,
            dataset_id=version.dataset_id,
            version=version.version,
            horizon=model.horizon,
            basis=_basis(model),
            served=found.name,
            method=found.method.to_dict(),
            verdict=verdict,
            warning=found.warning,
            backtest=backtest,
        ),
    )
    changes.record(session, *ref)


def _stored(session: Session, version: DatasetVersion, model: Model) -> PretrainedBacktest | None:
    stored = queries.find_backtest(session, version, model.horizon)
    return None if stored is None or stored.basis != _basis(model) else stored


def _summary(found: ServedMethod) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return the verdict and the measures as they are stored; None for series too short for a backtest."""
    from models.network.pretrained import VIEW  # noqa: PLC0415  # torch takes seconds

    if found.assessment is None:
        return None, None
    verdict = backtests.verdict_out(found.assessment.verdicts[VIEW])
    return verdict.model_dump(), backtests.summary(found.assessment.backtest).model_dump()


def _basis(model: Model) -> str:
    """Name all that a backtest depends on beside the series and the horizon."""
    return f"{release()} {model.weights_key} {model.weights_sha256}"
