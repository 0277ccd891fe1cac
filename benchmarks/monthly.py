"""The monthly part of M3 as a client sends it, and the addresses of its forecasts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

HORIZON = 18
START = np.datetime64("1980-01")  # the file counts months from the start of each series


@dataclass(frozen=True, eq=False)
class Monthly:
    """One row an observation: `unique_id`, `ds` as text, `y`; without the part that is to be forecast."""

    rows: pd.DataFrame

    @property
    def names(self) -> list[str]:
        return list(self.rows["unique_id"].unique())

    def times(self, count: int) -> "Monthly":
        """The same series so many times, each time under other names."""
        every = [
            self.rows,
            *(self.rows.assign(unique_id=self.rows["unique_id"] + f" {i}") for i in range(1, count)),
        ]
        return Monthly(pd.concat(every))

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


def path(dataset_id: str, name: str) -> str:
    """The address of the forecast of one series, as far as the model goes, at two levels."""
    chosen = f"dataset_id={quote(dataset_id, safe='')}&unique_id={quote(name, safe='')}"
    return f"/forecast?{chosen}&horizon={HORIZON}&level=80&level=95"
