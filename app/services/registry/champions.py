"""The champion of a dataset: the model that it forecasts with, which is the one promoted last.

Promotion and deletion lock the dataset's row, so that two trainings that end at once are compared with each
other as well.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from app.db.engine import Session
from app.db.queries import changes
from app.db.queries import datasets as dataset_queries
from app.db.queries import models as queries
from app.db.tables import Model
from app.schemas.choices import Promotion
from app.services.registry import backtest_tables
from models.evaluation.evidence import FEWEST_UNITS
from models.methods.baselines import EVERY_BASELINE

SAME_ROW = ["unique_id", "cutoff", "step"]


class Comparison(NamedTuple):
    """Whether a new model is to replace the champion `champion_id`, or None if there is none."""

    champion_id: str | None
    should_promote: bool


def compare(session: Session, model: Model, promotion: Promotion) -> Comparison:
    """Decide whether a new model is to become the champion, before its row is locked and stored.

    It reads two backtests, which is slow. The result is valid while the dataset has the same champion.
    """
    champion = queries.promoted_last(session, model.workspace_id, model.dataset_id)
    champion_id = None if champion is None else champion.id
    return Comparison(champion_id, _should_promote(session, model, promotion, champion))


def admit(session: Session, model: Model, promotion: Promotion, comparison: Comparison) -> None:
    """Store a new model, and make it the champion if `promotion` demands it or it is the better one."""
    dataset_queries.lock(session, model.workspace_id, model.dataset_id)
    champion = queries.promoted_last(session, model.workspace_id, model.dataset_id)
    if comparison.champion_id != (None if champion is None else champion.id):
        comparison = compare(session, model, promotion)  # another model was promoted meanwhile
    model.promotion = _next_promotion(session, model) if comparison.should_promote else None
    queries.add(session, model)
    _set_champion(session, model)


def promote(session: Session, model: Model) -> None:
    """Make a model the champion; the caller has locked its dataset."""
    model.promotion = _next_promotion(session, model)
    session.flush()
    _set_champion(session, model)


def withdraw(session: Session, model: Model) -> None:
    """Delete a model of a locked dataset; the model promoted before it becomes champion again."""
    queries.delete(session, model)
    _set_champion(session, model)


def _next_promotion(session: Session, model: Model) -> int:
    return queries.promotions(session, model.workspace_id, model.dataset_id) + 1


def _set_champion(session: Session, model: Model) -> None:
    champion = queries.promoted_last(session, model.workspace_id, model.dataset_id)
    champion_id = None if champion is None else champion.id
    dataset_queries.set_champion(session, model.workspace_id, model.dataset_id, champion_id)
    changes.record(session, model.workspace_id, model.dataset_id)


def _should_promote(session: Session, model: Model, promotion: Promotion, champion: Model | None) -> bool:
    if promotion != "auto":
        return promotion == "always"
    return champion is None or _is_better(session, model, champion)


def _is_better(session: Session, model: Model, champion: Model) -> bool:
    """Compare two models on common backtest rows; if those are too few, by their skill over baselines.

    A champion without a backtest is replaced, since nothing is known of its errors.
    """
    if model.backtest is None or champion.backtest is None:
        return champion.backtest is None
    common = _common_rows(session, model, champion)
    if _are_enough(common, model.backtest):
        errors = common.groupby("unique_id")[["model", "champion"]].mean().mean()
        return bool(errors["model"] < errors["champion"])
    # A backtest lacks the baselines that were added after it.
    shared = [name for name in EVERY_BASELINE if name in model.backtest["measures"]]
    shared = [name for name in shared if name in champion.backtest["measures"]]
    skill = _skill(model.backtest, model.served, shared)
    return skill > _skill(champion.backtest, champion.served, shared)


def _common_rows(session: Session, model: Model, champion: Model) -> pd.DataFrame:
    """Return the scaled absolute errors of both models at the steps and cuts where both were tested.

    Values and scales are the new model's, whose version of the data has the latest corrections.
    """
    ours = backtest_tables.read_rows(session, model, [*SAME_ROW, "y", "scale", model.served])
    theirs = backtest_tables.read_rows(session, champion, [*SAME_ROW, champion.served])
    ours = ours.rename(columns={model.served: "model"})
    rows = ours.merge(theirs.rename(columns={champion.served: "champion"}), on=SAME_ROW)
    rows = rows[rows["y"].notna() & (rows["scale"] > 0)]
    # Divided before the subtraction, which could overflow for values at both ends of float64.
    scaled = rows[["y", "model", "champion"]].div(rows["scale"], axis=0)
    for name in ("model", "champion"):
        rows[name] = (scaled["y"] - scaled[name]).abs()
    return rows


def _are_enough(common: pd.DataFrame, backtest: Mapping[str, Any]) -> bool:
    """Return whether rows have as many units as a verdict needs: series, or cuts where series are few.

    With fewer, a single odd series or cut would decide.
    """
    unit = "cutoff" if backtest["series"] < FEWEST_UNITS else "unique_id"
    return bool(common[unit].nunique() >= FEWEST_UNITS)


def _skill(backtest: Mapping[str, Any], method: str, baselines: Sequence[str]) -> float:
    """Return the share by which a method's error is below that of the best of `baselines`.

    It is 1 at most, and 0 for a tie. The error is MASE, or sMAPE where no series has a scale for MASE.
    """
    measures = backtest["measures"]
    measure = "smape" if measures[method]["mase"] is None else "mase"
    ours, best = measures[method][measure], min(measures[name][measure] for name in baselines)
    if best == 0:
        return 0.0 if ours == 0 else -math.inf
    return float(1 - ours / best)
