"""Which model a dataset forecasts with: the champion, the one that was promoted last.

Whoever promotes or deletes holds the lock on the dataset's row, so that two trainings that end at once are
compared with each other as well.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from app.db.engine import Session
from app.db.queries import changes
from app.db.queries import datasets as dataset_queries
from app.db.queries import models as queries
from app.db.tables import Model
from app.schemas.choices import Promotion
from app.services.registry import backtest_tables
from models.evaluation.verdict import FEWEST_UNITS
from models.methods.baselines import BASELINES

SAME_ROW = ["unique_id", "cutoff", "step"]


class Compared(NamedTuple):
    """Whether a new model is to be the champion in place of another one, or of none."""

    champion_id: str | None
    is_wanted: bool


def compare(session: Session, model: Model, promotion: Promotion) -> Compared:
    """Find out beforehand whether a new model is to be the champion, since reading two backtests takes long.

    It holds as long as the dataset has the same champion.
    """
    champion = queries.promoted_last(session, model.workspace_id, model.dataset_id)
    champion_id = None if champion is None else champion.id
    return Compared(champion_id, _is_wanted(session, model, promotion, champion))


def admit(session: Session, model: Model, promotion: Promotion, compared: Compared) -> None:
    """Store a new model, and make it the champion if that is wished for or if it is the better one."""
    dataset_queries.lock(session, model.workspace_id, model.dataset_id)
    champion = queries.promoted_last(session, model.workspace_id, model.dataset_id)
    if compared.champion_id != (None if champion is None else champion.id):
        compared = compare(session, model, promotion)  # somebody else was promoted meanwhile
    wanted = compared.is_wanted
    model.promotion = _next_promotion(session, model) if wanted else None
    queries.add(session, model)
    _point_to_last(session, model)


def promote(session: Session, model: Model) -> None:
    """Make a model the champion; the caller has locked its dataset."""
    model.promotion = _next_promotion(session, model)
    session.flush()
    _point_to_last(session, model)


def withdraw(session: Session, model: Model) -> None:
    """Delete a model; if it was the champion, the one promoted before it is again. The dataset is locked."""
    queries.delete(session, model)
    _point_to_last(session, model)


def _next_promotion(session: Session, model: Model) -> int:
    return queries.promotions(session, model.workspace_id, model.dataset_id) + 1


def _point_to_last(session: Session, model: Model) -> None:
    champion = queries.promoted_last(session, model.workspace_id, model.dataset_id)
    champion_id = None if champion is None else champion.id
    dataset_queries.set_champion(session, model.workspace_id, model.dataset_id, champion_id)
    changes.record(session, model.workspace_id, model.dataset_id)


def _is_wanted(session: Session, model: Model, promotion: Promotion, champion: Model | None) -> bool:
    if promotion != "auto":
        return promotion == "always"
    return champion is None or _is_better(session, model, champion)


def _is_better(session: Session, model: Model, champion: Model) -> bool:
    """Compare two models on what both were tested on; if that is too little, by their own baselines.

    A champion that was never tested gives way: nothing speaks for it but its age.
    """
    if model.backtest is None or champion.backtest is None:
        return champion.backtest is None
    common = _common_rows(session, model, champion)
    if _are_enough(common, model.backtest):
        errors = common.groupby("unique_id")[["model", "champion"]].mean().mean()
        return bool(errors["model"] < errors["champion"])
    return _skill(model.backtest, model.served) > _skill(champion.backtest, champion.served)


def _common_rows(session: Session, model: Model, champion: Model) -> pd.DataFrame:
    """Return the scaled absolute errors of both, in the steps and cuts where both were tested.

    The truth and its scale are the new model's: its version of the data has the corrections.
    """
    ours = backtest_tables.read_rows(session, model, [*SAME_ROW, "y", "scale", model.served])
    theirs = backtest_tables.read_rows(session, champion, [*SAME_ROW, champion.served])
    ours = ours.rename(columns={model.served: "model"})
    rows = ours.merge(theirs.rename(columns={champion.served: "champion"}), on=SAME_ROW)
    rows = rows[rows["y"].notna() & (rows["scale"] > 0)]
    # Divided first: values at both ends of float64 are further apart than it reaches.
    scaled = rows[["y", "model", "champion"]].div(rows["scale"], axis=0)
    for name in ("model", "champion"):
        rows[name] = (scaled["y"] - scaled[name]).abs()
    return rows


def _are_enough(common: pd.DataFrame, backtest: Mapping[str, Any]) -> bool:
    """Tell whether rows hold as many units as a verdict takes: series, or of few series the cuts.

    Of less, one odd series or one odd cut would choose the champion.
    """
    unit = "cutoff" if backtest["series"] < FEWEST_UNITS else "unique_id"
    return bool(common[unit].nunique() >= FEWEST_UNITS)


def _skill(backtest: Mapping[str, Any], method: str) -> float:
    """Return by which share a method's error is below that of the best baseline: 1 at most, 0 if they tie.

    By MASE, or by sMAPE where no series has a scale for MASE.
    """
    measures = backtest["measures"]
    measure = "smape" if measures[method]["mase"] is None else "mase"
    ours, best = measures[method][measure], min(measures[name][measure] for name in BASELINES)
    if best == 0:
        return 0.0 if ours == 0 else -math.inf
    return float(1 - ours / best)
