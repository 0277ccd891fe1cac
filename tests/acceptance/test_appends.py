"""Rows that are appended one by one: a dataset grows by the rows, not by its versions."""

import pytest

from app.db.engine import Database
from benchmarks.appends import BOUND_MB, ROWS, measure

pytestmark = pytest.mark.long
APPENDS = 200


def test_appends_of_one_row_stay_within_their_time(database: Database) -> None:
    found = measure(database, series=1, rows=APPENDS)
    share_mb = BOUND_MB * APPENDS / ROWS
    assert found["beside_mb"] < share_mb
    assert found["peak_mb"] < share_mb
