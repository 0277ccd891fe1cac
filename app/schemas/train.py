"""The request body of a training."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemas import examples
from app.schemas.choices import (
    DEFAULT_ARCHITECTURE,
    DEFAULT_MEASURE,
    DEFAULT_METHOD,
    DEFAULT_ON_LOSS,
    DEFAULT_PRESET,
    DEFAULT_PROMOTION,
    DEFAULT_START,
    MAX_CUTS,
    MAX_HORIZON,
    MAX_PRETRAINED_HORIZON,
    ArchitectureChoice,
    MeasureChoice,
    MethodChoice,
    OnLoss,
    Preset,
    Promotion,
    StartChoice,
    fits_pretrained,
)
from app.schemas.fields import (
    MAX_LEVELS,
    SEASON_LENGTH,
    DatasetIdentifier,
    Level,
    ModelIdentifier,
    SeasonLength,
)

ON_LOSS = (
    "If a simple method is better on the backtest, or twice as good where several pairs decide nothing: "
    "`fallback`: that simple method is served instead; ETS takes about a tenth of a second a series. "
    "`warn`: forecasts carry a warning. `refuse`: no forecast, but a 409 with the reason."
)

CUTS = (
    "At how many cuts the backtest divides each series, to cross-validate: by default as many as a fifth of "
    "the history holds. Every window is then compared, up to 5,000 (20 million values before them), not a "
    "sample of hundreds. The networks are fitted once, before the first cut."
)
STEP_SIZE = (
    "Steps from one cut to the next, by default the horizon. With fewer, windows share steps: all are in the "
    "backtest, and verdict and calibration come from those that share none."
)
BACKTEST_LEVEL = "Intervals in percent that the backtest has beside those of 80 and 95, which errors are of."


class OfDataset(BaseModel):
    """A request that names one dataset."""

    dataset_id: Annotated[
        DatasetIdentifier, Field(description="The dataset to train on, in its newest version.")
    ]


class TrainSettings(BaseModel):
    """The settings of a training, without the dataset."""

    model_config = ConfigDict(extra="forbid", strict=True)

    horizon: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_HORIZON,
            description="How many steps ahead the model forecasts; the longest series must have twice as "
            "many, and two more.",
        ),
    ]
    preset: Annotated[
        Preset,
        Field(description="`quick`: seconds. `balanced`: minutes, the usual choice. `accurate`: patient."),
    ] = DEFAULT_PRESET
    architecture: Annotated[
        ArchitectureChoice,
        Field(
            description="The network that reads a series. `all`: each of the four is tried on steps held "
            "out, and the best is trained once more, on everything, and kept."
        ),
    ] = DEFAULT_ARCHITECTURE
    start: Annotated[
        StartChoice,
        Field(
            description="How its networks start. `scratch`: trained on your series alone. `pretrained`: "
            "networks that were trained on synthetic series, unchanged, calibrated and backtested on yours, "
            f"in seconds; only for an `lstm` and horizons up to {MAX_PRETRAINED_HORIZON}. `auto`: whichever "
            "is better on held-out steps, or the mean of both."
        ),
    ] = DEFAULT_START
    method: Annotated[
        MethodChoice,
        Field(
            description="The served method. `network`: the network alone. `blend`: the weighted mean of the "
            "network and a simple method. `auto`: the blend where it did better on the backtest."
        ),
    ] = DEFAULT_METHOD
    measure: Annotated[
        MeasureChoice,
        Field(
            description="The error that decides what is kept, and that the verdict compares. `mase`: "
            "absolute errors, which the median has the least of. `rmsse`: squared ones, where large "
            "misses cost most. `wql`: those of median and bounds together, by the size of the values. "
            "`auto`: MASE; by the pinball loss where half of the series have intermittent demand."
        ),
    ] = DEFAULT_MEASURE
    on_loss: Annotated[OnLoss, Field(description=f"{ON_LOSS} Can be changed later.")] = DEFAULT_ON_LOSS
    promote: Annotated[
        Promotion,
        Field(
            description="Whether the dataset then forecasts with this model. `auto`: if it is the first, or "
            "better than the present one on the steps that both were tested on; where those are of fewer "
            "than six series (or cuts, of a dataset with few series), if it is further ahead of the best "
            "simple method on its own test. `never`: only by hand."
        ),
    ] = DEFAULT_PROMOTION
    seed: Annotated[
        int,
        Field(ge=0, lt=2**31, description="Same seed, data and machine: the same model to the last bit."),
    ] = 0
    season_length: Annotated[
        SeasonLength | None, Field(description=f"{SEASON_LENGTH}By default the dataset's.")
    ] = None
    cuts: Annotated[int | None, Field(ge=1, le=MAX_CUTS, description=CUTS)] = None
    step_size: Annotated[int | None, Field(ge=1, le=MAX_HORIZON, description=STEP_SIZE)] = None
    level: Annotated[list[Level], Field(max_length=MAX_LEVELS, description=BACKTEST_LEVEL)] = []
    priority: Annotated[
        int,
        Field(
            ge=-100,
            le=100,
            description="Queued trainings run by the highest priority first, and of equal ones the oldest "
            "first.",
        ),
    ] = 0

    @model_validator(mode="after")
    def _check_start(self) -> Self:
        if self.start == "pretrained" and not fits_pretrained(self.architecture, self.horizon):
            raise ValueError(
                f"the pretrained networks are LSTMs for horizons up to {MAX_PRETRAINED_HORIZON}: ask for "
                "start auto or scratch, or for an lstm and fewer steps"
            )
        return self


class TrainRequest(TrainSettings, OfDataset):
    """One training of a model on a dataset."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": examples.TRAINING})


class PromotionDecision(BaseModel):
    """Whether a new model became the champion of its dataset, and why."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PROMOTION})

    decision: Annotated[
        Literal["promoted", "not promoted"],
        Field(description="`promoted`: it became the champion. `not promoted`: nothing changed."),
    ]
    because: Annotated[str, Field(description="Why, in a sentence with the figures that decided.")]
    compared_with: Annotated[
        ModelIdentifier | None,
        Field(
            description="The champion that it was compared with; null where there was none, or "
            "where it was promoted, or not, without a comparison."
        ),
    ]
