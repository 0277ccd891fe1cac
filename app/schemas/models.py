"""Request and response bodies of trained models."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemas import examples
from app.schemas.backtests import BacktestSummary, LevelCalibration, Verdict
from app.schemas.choices import (
    DEFAULT_MEASURE,
    Architecture,
    MeasureChoice,
    MemberStart,
    MethodChoice,
    OnLoss,
    Preset,
)
from app.schemas.datasets import Time
from app.schemas.fields import DatasetIdentifier, JobIdentifier, ModelIdentifier, Name
from app.schemas.train import ON_LOSS, PromotionDecision


class Trial(BaseModel):
    """The errors of one architecture on held-out steps at the ends of the series.

    A rolling origin: one to four cuts of each series, `horizon` steps apart; up to twelve of a few series.
    """

    model_config = ConfigDict(json_schema_extra={"example": examples.TRIAL})

    architecture: Annotated[Architecture, Field(description="The network that was tried.")]
    start: Annotated[
        MemberStart,
        Field(description="Where its networks start: `pretrained`, from `scratch`, or the mean of `both`."),
    ] = "scratch"
    smape: Annotated[
        float,
        Field(description="Symmetric mean absolute percentage error of its medians, from 0 to 200 percent."),
    ]
    mase: Annotated[
        float | None,
        Field(
            description="Mean absolute error of its medians, where 1 is the mean error of the seasonal naive "
            "forecast one step ahead in the history; null where that is 0 for every series."
        ),
    ]
    parameters: Annotated[int, Field(description="Number of weights, of all members together.")]
    seconds: Annotated[float, Field(description="How long its training took.")]


class ModelSummary(BaseModel):
    """A trained model in a list."""

    model_config = ConfigDict(json_schema_extra={"example": examples.MODEL_SUMMARY})

    id: Annotated[ModelIdentifier, Field(description="Identifier, for `/forecast?model_id=`.")]
    dataset_id: Annotated[DatasetIdentifier, Field(description="The dataset it was trained on.")]
    dataset_version: Annotated[int, Field(description="The version it was trained on.")]
    job_id: Annotated[JobIdentifier, Field(description="The training that made it.")]
    champion: Annotated[bool, Field(description="Whether its dataset forecasts with it.")]
    promotion: Annotated[
        PromotionDecision | None,
        Field(description="Why it became the champion or not; null for models older than this reason."),
    ]
    horizon: Annotated[int, Field(description="Longest horizon it forecasts, in steps.")]
    preset: Annotated[Preset, Field(description="The preset it was trained with.")]
    seed: Annotated[int, Field(description="The seed it was trained with.")]
    architecture: Annotated[Architecture, Field(description="Its network; of several tried, the best.")]
    method: Annotated[str, Field(description="The served method: the network by its name, or `blend`.")]
    verdict: Annotated[
        Verdict | None,
        Field(
            description="Whether the served method beats the baselines; null for models without a backtest."
        ),
    ]
    name: Annotated[str | None, Field(description="A name for people; null until one is given.")]
    on_loss: Annotated[OnLoss, Field(description=ON_LOSS)]
    trials: Annotated[
        list[Trial],
        Field(
            description="Every architecture that was tried, the best first by the requested measure: MASE by "
            "default (sMAPE where there is none); empty for models that are older than trials."
        ),
    ]
    weights_bytes: Annotated[int, Field(description="Size of its weights.")]
    weights_sha256: Annotated[
        str, Field(description="Hash of its weights, checked whenever they are loaded.")
    ]
    training_seconds: Annotated[float, Field(description="How long the training took, with all its trials.")]
    code_version: Annotated[str, Field(description="Version of Gatecast that trained it.")]
    created_at: Annotated[datetime, Field(description="When it was stored.")]


class Lineage(BaseModel):
    """Everything that determines a model to the last bit, and the hashes of the result.

    Times are those of the series that ends last.
    """

    model_config = ConfigDict(json_schema_extra={"example": examples.LINEAGE})

    dataset_version: Annotated[int, Field(description="The version of the dataset that it was trained on.")]
    data_sha256: Annotated[str, Field(description="Hash of all values, gaps and places in the season.")]
    config: Annotated[dict[str, Any], Field(description="Every setting of the training, with the seed.")]
    architectures: Annotated[list[Architecture], Field(description="The networks that were tried.")]
    method: Annotated[MethodChoice, Field(description="The requested served method.")]
    measure: Annotated[
        MeasureChoice, Field(description="The requested measure; `auto` for models that are older than it.")
    ] = DEFAULT_MEASURE
    cuts: Annotated[int | None, Field(description="The requested cuts of the backtest; null for none.")] = (
        None
    )
    step_size: Annotated[
        int | None, Field(description="The requested steps from one cut to the next; null for the horizon.")
    ] = None
    level: Annotated[list[int], Field(description="The requested levels of the backtest, in percent.")] = []
    device: Annotated[str, Field(description="What it was trained on: `cpu` or `cuda`.")]
    versions: Annotated[
        dict[str, str], Field(description="Versions of Gatecast and of the libraries that compute.")
    ]
    learned_until: Annotated[
        Time, Field(description="Last time that the served fit was trained on: the end of the data.")
    ]
    backtest_learned_until: Annotated[
        Time, Field(description="Last time that the tested fit was trained on.")
    ]
    held_out_steps: Annotated[
        int, Field(description="Steps at the end of each series that were held out from the tested fit.")
    ]
    cutoffs: Annotated[
        list[Time], Field(description="The cuts from which the tested fit forecast, earliest first.")
    ]
    weights_sha256: Annotated[str, Field(description="Hash of the weights.")]
    backtest_sha256: Annotated[str, Field(description="Hash of the rows of the backtest, as stored.")]
    methods_sha256: Annotated[
        str,
        Field(description="Hash of the weights and calibration of every method, as JSON with sorted keys."),
    ]


class ModelOut(ModelSummary):
    """A trained model with its backtest and lineage.

    The fields of a backtest are empty or null for models that are older than backtests.
    """

    model_config = ConfigDict(json_schema_extra={"example": examples.MODEL})

    weights: Annotated[
        dict[str, float],
        Field(description="The weights of the methods that its forecast is the mean of; they sum to 1."),
    ]
    verdicts: Annotated[
        dict[str, Verdict],
        Field(description="Of the network, whatever method is served, and of the blend if there is one."),
    ]
    calibration: Annotated[
        dict[str, LevelCalibration], Field(description="By level, how reliable its intervals are.")
    ]
    backtest: Annotated[BacktestSummary | None, Field(description="The errors of every method.")]
    lineage: Annotated[
        Lineage | None, Field(description="What is needed to train it again, to the last bit.")
    ]


class ModelUpdate(BaseModel):
    """Changes to a model; a field that is left out, or null, stays as it is."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"example": examples.MODEL_UPDATE, "minProperties": 1}
    )

    on_loss: Annotated[OnLoss | None, Field(description=ON_LOSS)] = None
    name: Annotated[Name | None, Field(description="A name for people; an empty one removes it.")] = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Give on_loss, name, or both")
        return self


class ModelPage(BaseModel):
    """One page of models, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"models": [examples.MODEL_SUMMARY], "next": None}}
    )

    models: list[ModelSummary]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
