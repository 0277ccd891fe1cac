"""What a caller sends, as a file or as rows; pandas is looked at only where it was imported already."""

import sys
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast

if TYPE_CHECKING:
    import pandas as pd

    Frame = pd.DataFrame | pd.Series[Any]
else:
    Frame = object

Rows = Sequence[Mapping[str, Any]]
"""Rows with `ds`, `y`, and `unique_id` where there are several series; other keys are columns beside them."""

Table = Frame | str | PathLike[str] | bytes
"""A DataFrame, a Series by time, the path of a file, or its bytes."""

UNNAMED = "series"


def is_frame(data: object) -> TypeGuard[Frame]:
    """Return whether data are a DataFrame or a Series of pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame | pandas.Series)


def file_of(data: Table, name: str | None = None) -> tuple[str, bytes]:
    """Return the name and the bytes of a table as a file."""
    if is_frame(data):
        return f"{name or UNNAMED}.csv", columns_of(data).to_csv(index=False).encode()
    if isinstance(data, bytes):
        return name or UNNAMED, data
    path = Path(cast("str | PathLike[str]", data))
    return path.name, path.read_bytes()


def columns_of(data: Any) -> Any:
    """Return a DataFrame whose index, if it has a name or holds times, is a column like the others."""
    import pandas as pd  # noqa: PLC0415  # loaded by the caller, who has a frame

    if hasattr(data, "to_frame"):  # a Series
        data = data.rename("y").to_frame()
    if isinstance(data.index, pd.DatetimeIndex | pd.PeriodIndex) and data.index.name is None:
        data = data.rename_axis(index="ds")
    return data.reset_index(drop=all(name is None for name in data.index.names))


def rows_of(data: Frame | Rows) -> list[dict[str, Any]]:
    """Return rows as JSON takes them: times as texts, and null for what is missing."""
    if not is_frame(data):
        rows = cast("Rows", data)
        return [{name: _plain(value) for name, value in row.items()} for row in rows]
    frame = columns_of(data)
    names = list(map(str, frame.columns))
    cells = frame.astype(object).where(frame.notna(), None)
    records = cells.itertuples(index=False, name=None)
    return [dict(zip(names, map(_plain, record), strict=True)) for record in records]


def _plain(value: Any) -> Any:
    """Return a number, a text or None as it is; a time in ISO 8601, a period by its name."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if value == value else None  # noqa: PLR0124  # NaN alone is no equal of itself
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else str(value)
