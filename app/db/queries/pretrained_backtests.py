"""Stored backtests of the pretrained network: one for each version and horizon."""

from app.db.engine import Session
from app.db.queries.scope import of, visible
from app.db.tables import DatasetVersion, PretrainedBacktest


def find(session: Session, version: DatasetVersion, horizon: int) -> PretrainedBacktest | None:
    """Return the backtest on a version for a horizon, or None."""
    query = visible(PretrainedBacktest, version.workspace_id).where(
        *of(version, PretrainedBacktest),
        PretrainedBacktest.version == version.version,
        PretrainedBacktest.horizon == horizon,
    )
    return session.scalars(query).one_or_none()


def put(session: Session, backtest: PretrainedBacktest) -> None:
    """Store a backtest in place of the one for the same version and horizon."""
    session.merge(backtest)
    session.flush()
