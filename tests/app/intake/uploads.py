"""Short ways to make an upload for a test."""

import pandas as pd

from app.intake.frame import Intake
from app.intake.reader import ReadOptions, read_csv
from app.schemas.choices import Limits


def upload(*lines: str, **columns: str | int | Limits) -> Intake:
    """Read these lines as a CSV file; the keywords are those of ReadOptions."""
    return read_csv("\n".join(lines).encode(), ReadOptions(**columns))  # type: ignore[arg-type]


def times(intake: Intake) -> list[str | int]:
    return intake.frame.axis.format(intake.frame.ds)


def made(start: str, count: int, freq: str, form: str = "%Y-%m-%d") -> list[str]:
    """Texts of `count` times as pandas' `freq` makes them."""
    return list(pd.date_range(start, periods=count, freq=freq).strftime(form))
