"""Places in the seasons of calendars, with pandas as the reference."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from models.choices import Calendar
from models.inputs.calendar import EPOCH, WEEKS_A_CYCLE, places


@pytest.mark.parametrize("calendar", get_args(Calendar))
def test_regular_season_is_counted_by_steps(calendar: Calendar) -> None:
    assert places(calendar, 7).tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_day_of_the_year_leaves_29_february_out() -> None:
    dates = pd.date_range(str(EPOCH), periods=4 * 366, freq="D")
    shared = dates.is_leap_year & (dates.dayofyear >= 60)
    assert places("days", 365)[: len(dates)].tolist() == (dates.dayofyear - 1 - shared).tolist()


def test_week_is_that_of_iso_8601() -> None:
    mondays = pd.date_range(str(EPOCH), periods=3000, freq="W-MON")
    weeks = mondays.isocalendar().week.to_numpy(dtype=np.int64) - 1
    assert places("weeks", 52)[:3000].tolist() == weeks.tolist()
    assert weeks.max() == 52


def test_business_days_fill_261_places_of_each_year() -> None:
    dates = pd.bdate_range(str(EPOCH), periods=2000)
    place = places("business_days", 261)[:2000]
    assert place[dates == "1973-01-01"] == 0
    assert place[dates == "1973-12-31"] == 260
    assert (np.diff(place)[dates.year[1:] == dates.year[:-1]] >= 0).all()


@pytest.mark.parametrize(
    ("calendar", "length", "steps", "last"),
    [("days", 365, 7, 364), ("weeks", 52, 1, 52), ("business_days", 261, 5, 260)],
)
def test_table_holds_400_years(calendar: Calendar, length: int, steps: int, last: int) -> None:
    table = places(calendar, length)
    assert len(table) == WEEKS_A_CYCLE * steps
    assert (table.min(), table.max()) == (0, last)


def test_table_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        places("weeks", 52)[0] = 7
