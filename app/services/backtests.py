"""Backtests: what every method would have said of steps that are known by now."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from app import blobs
from app.db.engine import Session
from app.db.tables import Model
from models.baselines import BASELINES


def rows(session: Session, model: Model, columns: Sequence[str]) -> pd.DataFrame:
    """Return some columns of a model's backtest: a row for each series, cut and step ahead."""
    data = blobs.get(session, model.workspace_id, model.backtest_key)
    frame: pd.DataFrame = pq.read_table(io.BytesIO(data), columns=list(columns)).to_pandas()
    return frame


def skill(backtest: Mapping[str, Any], method: str) -> float:
    """Return by which share a method's error is below that of the best baseline: 1 at most, 0 if they tie.

    By MASE, or by sMAPE where no series has a scale for MASE.
    """
    measures = backtest["measures"]
    measure = "smape" if measures[method]["mase"] is None else "mase"
    ours, best = measures[method][measure], min(measures[name][measure] for name in BASELINES)
    if best == 0:
        return 0.0 if ours == 0 else float("-inf")
    return float(1 - ours / best)
