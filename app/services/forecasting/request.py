"""What a caller asks of the forecast service."""

from dataclasses import dataclass, replace

from app.errors import BadInput, FieldError
from app.intake.options import NOTHING_SAID, ReadOptions
from app.schemas.choices import DEFAULT_LEVELS, NO_LIMITS, Limits
from app.schemas.media_types import JSON
from app.services.shared.paging import PageRequest

PRETRAINED = "pretrained"
"""Used in place of a model's id; no id of a trained model equals it."""
FIRST_PAGE = PageRequest(100)


@dataclass(frozen=True)
class ForecastRequest:
    """Which series to forecast, how far, by which model, and in which media type.

    The dataset's champion forecasts unless `model_id` names another model. The pretrained network forecasts
    where there is no champion, or where `model_id` names it. Without `unique_ids`, `page` bounds the series.
    `until` is a period in place of `horizon`: each series is forecast up to its end. `season_lengths` replace
    those of the time step, where the pretrained network forecasts. `limits` go before the dataset's.
    """

    dataset_id: str | None = None
    model_id: str | None = None
    dataset_version: int | None = None
    unique_ids: tuple[str, ...] = ()
    horizon: int | None = None
    until: str | None = None
    levels: tuple[int, ...] = DEFAULT_LEVELS
    page: PageRequest = FIRST_PAGE
    media_type: str = JSON
    quote_formulas: bool = False  # in names, in CSV
    season_lengths: tuple[int, ...] | None = None
    limits: Limits = NO_LIMITS
    reading: ReadOptions = NOTHING_SAID  # of rows that come with the request

    def __post_init__(self) -> None:
        if self.until is not None and self.horizon is not None:
            remedy = "Give one of horizon and until."
            parts = [FieldError(f"?{name}", remedy) for name in ("horizon", "until")]
            raise BadInput(f"Both say how far to forecast. {remedy}", parts)

    @property
    def names_no_dataset(self) -> bool:
        """Whether the request names neither a dataset nor a model trained on one."""
        return self.dataset_id is None and self.model_id in (None, PRETRAINED)

    def for_dataset(self, dataset_id: str) -> "ForecastRequest":
        """Return the same request for a dataset."""
        return replace(self, dataset_id=dataset_id)
