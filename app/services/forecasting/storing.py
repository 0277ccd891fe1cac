"""Store again what champions forecast for series that have changed, and for models that have nothing stored.

A worker does so in a process of its own, in portions; requests for such series are computed meanwhile.
"""

import logging
from collections.abc import Collection
from typing import NamedTuple

from app.auth import Principal
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import changes
from app.db.queries import forecasts as queries
from app.errors import AppError, Unavailable
from app.services.forecasting.compute import read_named
from app.services.forecasting.model_loading import load_stored
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import Plan, find_plan
from app.services.registry import stored_forecasts
from app.services.registry.quantile_forecasts import compute
from models.errors import CoreError

logger = logging.getLogger(__name__)


class Due(NamedTuple):
    """The datasets whose champions have something to store, as of a number of the change sequence."""

    number: int
    datasets: list[DatasetRef]


def due(database: Database, since: int | None) -> Due:
    """Find what is to be stored, among datasets that changed after a number, or among all."""
    with database.read() as session:
        newest = changes.newest(session)
        if newest == since:
            return Due(newest, [])
        some = queries.with_champion(session) if since is None else changes.since(session, since)
        return Due(newest, [ref for ref in some if _is_due(session, ref)])


def _is_due(session: Session, ref: DatasetRef) -> bool:
    plan = _plan(session, ref)
    return plan is not None and _stored_version(session, plan) < plan.version.version


def _plan(session: Session, ref: DatasetRef) -> Plan | None:
    """Return how a dataset's champion forecasts; None where it has none, or one that refuses to."""
    try:
        plan = find_plan(session, Principal(ref.workspace_id), ForecastRequest(dataset_id=ref.dataset_id))
    except AppError:
        return None
    return None if plan.is_pretrained else plan


def _stored_version(session: Session, plan: Plan) -> int:
    found = stored_forecasts.find(session, plan.model, plan.served_method, plan.axis)
    return 0 if found is None else found.version


def store_changed(database: Database, ref: DatasetRef, holder_id: str) -> bool:
    """Store what a dataset's champion forecasts for each series that has changed since it was stored.

    `holder_id` is the worker's. Returns False if another worker is at it. Raises as `load_stored` does, and
    VersionGone if the newest version was dropped meanwhile.
    """
    with database.read() as session:
        plan = _plan(session, ref)
        if plan is None:
            return True
        before = _stored_version(session, plan)
        names = queries.changed_series(session, plan.version, before)
    with database.write() as session:
        stored_id = stored_forecasts.begin_again(session, plan.model, plan.served_method, plan.axis)
        if not queries.hold(session, ref.workspace_id, stored_id, holder_id):
            return False
    if names and not _store(database, plan, stored_id, holder_id, names):
        return False
    with database.write() as session:
        stored_forecasts.complete(session, plan.model, stored_id, plan.version.version)
        if before == 0:  # plans of requests do not know yet that anything is stored
            changes.record(session, *ref)
    return True


def _store(database: Database, plan: Plan, stored_id: str, holder_id: str, names: list[str]) -> bool:
    """Compute and store named series, in portions, but those that are stored; False if the hold was lost."""
    with database.read() as session:
        model = load_stored(session, plan.model, stored_forecasts.DEVICE)
    portion = stored_forecasts.portion_of(plan.served_method)
    for first in range(0, len(names), portion):
        some = names[first : first + portion]
        with database.read() as session:
            found = stored_forecasts.read_named(session, plan.version, stored_id, some)
            rows = read_named(session, plan, found.missing) if found.missing else []
        series = compute(plan.served_method.method, plan.axis, model, rows)
        with database.write() as session:
            if not queries.hold(session, plan.version.workspace_id, stored_id, holder_id):
                return False
            stored_forecasts.write(session, plan.version.workspace_id, stored_id, series)
    return True


def store_all(database: Database, datasets: Collection[DatasetRef], holder_id: str) -> bool:
    """Store what is due of datasets, one after the other; return False if some of it has to wait.

    A dataset that cannot be forecast, or whose stored data are damaged, is left out. Raises Unavailable.
    """
    is_done = True
    for ref in datasets:
        try:
            is_done &= store_changed(database, ref, holder_id)
        except Unavailable:
            raise
        except (AppError, CoreError) as error:
            logger.warning("The forecasts of dataset %s are not stored: %s", ref.dataset_id, error)
    return is_done
