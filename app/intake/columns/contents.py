"""What each column of a table holds, judged for all of them together: there may be twenty thousand."""

from typing import Literal

import numpy as np

from app.intake.cells import Cells
from app.intake.columns.numbers import GROUPS, are_numbers
from app.intake.time.dates import mostly_dates
from app.intake.time.times import are_whole_numbers

Content = Literal["empty", "date", "whole", "number", "text"]


def contents(cells: Cells) -> list[Content]:
    """What most of the different texts of each column are."""
    found = np.full(cells.columns, "text", dtype=object)
    found[cells.count() == 0] = "empty"
    left = cells.mostly(cells.texts.str.contains(r"\d").to_numpy(dtype=np.bool_))
    rest = cells.only(left)  # without digits nothing but text
    whole = rest.mostly(are_whole_numbers(rest.texts))
    number = whole.copy()
    for decimal in GROUPS:
        number |= rest.mostly(are_numbers(rest.texts, decimal))
    date = mostly_dates(rest.only(~number))
    found[number], found[whole], found[date] = "number", "whole", "date"
    return list(found)
