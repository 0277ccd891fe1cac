"""The champion of a dataset: the model that it forecasts with, which is the one promoted last.

Promotion and deletion lock the dataset's row, so that two trainings that end at once are compared with each
other as well.
"""

from typing import NamedTuple

from app.db.engine import Session
from app.db.queries import changes
from app.db.queries import datasets as dataset_queries
from app.db.queries import models as queries
from app.db.tables import Model
from app.schemas.choices import Promotion
from app.schemas.train import PromotionDecision
from app.services.registry import comparison


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
    is_better, because = comparison.is_better(session, model, champion)
    return Comparison(champion_id, is_better, because, champion_id)


def admit(session: Session, model: Model, promotion: Promotion, compared: Comparison) -> None:
    """Store a new model with why it becomes the champion or not.

    It does if `promotion` demands it or it is the better one.
    """
    dataset_queries.lock(session, model.workspace_id, model.dataset_id)
    champion = queries.promoted_last(session, model.workspace_id, model.dataset_id)
    if compared.champion_id != (None if champion is None else champion.id):
        compared = compare(session, model, promotion)  # another model was promoted meanwhile
    model.promotion = _next_promotion(session, model) if compared.should_promote else None
    model.promotion_decision = compared.decision.model_dump()
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
