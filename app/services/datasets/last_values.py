"""The last values of series, as their index rows hold them."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from app.auth import Principal
from app.db.engine import Session
from app.db.queries import datasets as queries
from app.services.datasets import catalog, series_store

LastValues = dict[str, NDArray[np.float64]]


def read(session: Session, principal: Principal, dataset_id: str, unique_ids: Collection[str]) -> LastValues:
    """Return the last values of the named series, by name, without those that do not exist; NaN for gaps.

    Raises NotFound if the caller has no such dataset.
    """
    _, version = catalog.find(session, principal, dataset_id)
    rows = queries.last_windows(session, version, unique_ids)
    return {row.unique_id: series_store.tail(row) for row in rows}
