"""A forecasting competition's file, one part for each frequency: the histories given and what came after."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.panel import Floats, Panel


@dataclass(frozen=True, eq=False)
class Part:
    """All series of one frequency: `history`, and `target` (series, horizon), which no method may see."""

    collection: str
    frequency: str
    horizon: int
    season_length: int
    history: Panel
    target: Floats


def read_parts(path: Path) -> list[Part]:
    """The parts of a Parquet file, the one with most values first: it takes longest.

    One row an observation: `unique_id`, `frequency`, `season_length`, `horizon`, `t` (index from 0), `y`,
    `split` (`train` or `test`).
    """
    rows = pd.read_parquet(path).sort_values(["unique_id", "t"])
    parts = [_part(path.stem, str(name), group) for name, group in rows.groupby("frequency")]
    return sorted(parts, key=lambda part: -len(part.history.values))


def _part(collection: str, frequency: str, rows: pd.DataFrame) -> Part:
    horizon = int(rows["horizon"].iloc[0])
    target = _series(rows[rows["split"] == "test"])
    return Part(
        collection=collection,
        frequency=frequency,
        horizon=horizon,
        season_length=int(rows["season_length"].iloc[0]),
        history=Panel.of(_series(rows[rows["split"] == "train"])),
        target=np.stack(target),
    )


def _series(rows: pd.DataFrame) -> list[Floats]:
    return [group["y"].to_numpy(dtype=np.float64) for _, group in rows.groupby("unique_id")]
