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
from app.schemas.train import PromotionDecision
from app.services.registry import backtest_tables
from models.evaluation.evidence import FEWEST_UNITS
from models.methods.baselines import EVERY_BASELINE

SAME_ROW = ["unique_id", "cutoff", "step"]


class Comparison(NamedTuple):
    """Whether a new model is to replace the champion `champion_id`, or None if there is none, and why.

    `compared_with` is None where nothing was compared.
    """

    champion_id: str | None
    should_promote: bool
    because: str
    compared_with: str | None = None

    @property
    def decision(self) -> PromotionDecision:
        """The comparison as models and jobs show it."""
        return PromotionDecision(
            decision="promoted" if self.should_promote else "not promoted",
            because=self.because,
            compared_with=self.compared_with,
        )


BY_HAND = PromotionDecision(
    decision="promoted",
    because="It was promoted by hand, by POST /models/{id}/promote.",
    compared_with=None,
)


def compare(session: Session, model: Model, promotion: Promotion) -> Comparison:
    """Decide whether a new model is to become the champion, before its row is locked and stored.

    It reads two backtests, which is slow. The result is valid while the dataset has the same champion.
    """
    champion = queries.promoted_last(session, model.workspace_id, model.dataset_id)
    champion_id = None if champion is None else champion.id
    if promotion != "auto":
        because = f"The training asked for promote={promotion}, so nothing was compared."
        return Comparison(champion_id, promotion == "always", because)
    if champion is None:
        return Comparison(None, should_promote=True, because="There was no champion.")
    is_better, because = _is_better(session, model, champion)
    return Comparison(champion_id, is_better, because, champion_id)


def admit(session: Session, model: Model, promotion: Promotion, comparison: Comparison) -> None:
    """Store a new model with why it becomes the champion or not.

    It does if `promotion` demands it or it is the better one.
    """
    dataset_queries.lock(session, model.workspace_id, model.dataset_id)
    champion = queries.promoted_last(session, model.workspace_id, model.dataset_id)
    if comparison.champion_id != (None if champion is None else champion.id):
        comparison = compare(session, model, promotion)  # another model was promoted meanwhile
    model.promotion = _next_promotion(session, model) if comparison.should_promote else None
    model.promotion_decision = comparison.decision.model_dump()
    queries.add(session, model)
    _set_champion(session, model)


def promote(session: Session, model: Model) -> None:
    """Make a model the champion; the caller has locked its dataset."""
    model.promotion = _next_promotion(session, model)
    model.promotion_decision = BY_HAND.model_dump()
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


def _is_better(session: Session, model: Model, champion: Model) -> tuple[bool, str]:
    """Compare two models on common backtest rows; if those are too few, by their skill over baselines.

    A champion without a backtest is replaced, since nothing is known of its errors. Return the reason too.
    """
    if champion.backtest is None:
        return True, "The champion has no backtest: nothing is known of its errors."
    if model.backtest is None:
        return False, "It has no backtest, and the champion has one."
    common = _common_rows(session, model, champion)
    unit = _unit(model.backtest)
    count = common[unit].nunique()
    if count >= FEWEST_UNITS:
        return _by_common_rows(common)
    is_better, sentence = _by_skill(model, model.backtest, champion, champion.backtest)
    units = "cuts" if unit == "cutoff" else "series"
    return is_better, f"Both were tested on {count} common {units}, and it takes {FEWEST_UNITS}. {sentence}"


def _by_common_rows(common: pd.DataFrame) -> tuple[bool, str]:
    errors = common.groupby("unique_id")[["model", "champion"]].mean().mean()
    ours, theirs = float(errors["model"]), float(errors["champion"])
    where = f"Its error on the {len(common):,} steps that both were tested on"
    if ours == theirs:
        return False, f"{where} was the champion's; only a smaller one takes its place."
    gap = _gap(ours / theirs - 1 if theirs > 0 else math.inf)
    return ours < theirs, f"{where} was {gap} the champion's."


def _by_skill(
    model: Model, tested: Mapping[str, Any], champion: Model, champion_tested: Mapping[str, Any]
) -> tuple[bool, str]:
    # A backtest lacks the baselines that were added after it.
    shared = [name for name in EVERY_BASELINE if name in tested["measures"]]
    shared = [name for name in shared if name in champion_tested["measures"]]
    ours = _skill(tested, model.served, shared)
    theirs = _skill(champion_tested, champion.served, shared)
    sentence = (
        f"Each in its own backtest, its error was {_gap(-ours)} the best simple method's, and the champion's "
        f"was {_gap(-theirs)} that."
    )
    return ours > theirs, sentence


def _gap(share: float) -> str:
    """Return in words how far an error is from another, by the difference as a share of the other.

    The share is infinite where the other made no error.
    """
    if share == 0:
        return "as large as"
    side = "below" if share < 0 else "above"
    if not math.isfinite(share):
        return f"far {side}"
    percent = f"{100 * abs(share):.1f}".removesuffix(".0")
    return f"{'under 0.1' if percent == '0' else percent} % {side}"


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


def _unit(backtest: Mapping[str, Any]) -> str:
    """Return the column that counts the units of a comparison: series, or cuts where series are few.

    It takes as many as a verdict needs; with fewer, a single odd series or cut would decide.
    """
    return "cutoff" if backtest["series"] < FEWEST_UNITS else "unique_id"


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
