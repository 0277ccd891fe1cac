"""The monthly part of M3 as a client sends it, and addresses of its forecasts that never repeat."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

HORIZON = 18
START = np.datetime64("1980-01")  # the file counts months from the start of each series
LOWER_LEVELS = range(50, 95)
UPPER_LEVEL = 95


@dataclass(frozen=True, eq=False)
class Monthly:
    """One row an observation: `unique_id`, `ds` as text, `y`; without the part that is to be forecast."""

    rows: pd.DataFrame

    @property
    def names(self) -> list[str]:
        return list(self.rows["unique_id"].unique())

    def csv(self) -> bytes:
        content: str = self.rows.to_csv(index=False)
        return content.encode()

    def ad_hoc_body(self, dataset_id: str, count: int) -> bytes:
        """The body of a call for forecasts of the first series, under names the service does not know."""
        chosen = self.rows[self.rows["unique_id"].isin(self.names[:count])]
        observations = chosen.assign(unique_id="ad hoc " + chosen["unique_id"]).to_dict("records")
        body: dict[str, Any] = {"dataset_id": dataset_id, "horizon": HORIZON, "observations": observations}
        return json.dumps(body).encode()


def read_monthly(path: Path) -> Monthly:
    """Read the competition's Parquet file, as `benchmarks.competition` does.

    Raises SystemExit if it is not there.
    """
    if not path.exists():
        raise SystemExit(f"{path} is not there; --data names the folder that has M3.parquet.")
    rows = pd.read_parquet(path)
    rows = rows[(rows["frequency"] == "monthly") & (rows["split"] == "train")].sort_values(["unique_id", "t"])
    rows["ds"] = month(rows["t"].to_numpy())
    return Monthly(rows[["unique_id", "ds", "y"]])


def month(steps: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """The first days of months counted from the start, as text."""
    return (START + steps.astype("timedelta64[M]")).astype("datetime64[D]").astype(str)


@dataclass
class Walk:
    """Through every series, then every pair of levels, then every shorter horizon; `position` is the next."""

    dataset_id: str
    names: Sequence[str]
    horizon: int = HORIZON
    position: int = 0

    def __len__(self) -> int:
        return len(self.names) * len(LOWER_LEVELS) * self.horizon

    def write(self, file: Path, count: int) -> int:
        """Write the next paths to a file, at most `count`, and return how many; `position` stays."""
        last = min(len(self), self.position + count)
        file.write_text("".join(f"{self.path(number)}\n" for number in range(self.position, last)))
        return last - self.position

    def path(self, number: int) -> str:
        rest, series = divmod(number, len(self.names))
        shorter, level = divmod(rest, len(LOWER_LEVELS))
        return (
            f"/forecast?dataset_id={quote(self.dataset_id, safe='')}"
            f"&unique_id={quote(self.names[series], safe='')}&horizon={self.horizon - shorter}"
            f"&level={LOWER_LEVELS[level]}&level={UPPER_LEVEL}"
        )
