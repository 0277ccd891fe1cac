"""Response bodies of comparisons of models."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples
from app.schemas.backtests import Measures, StepMeasures, Verdict
from app.schemas.choices import Measure
from app.schemas.datasets import Time
from app.schemas.fields import DatasetIdentifier, ModelIdentifier


class ComparedModel(BaseModel):
    """A model on the windows that all compared models were tested on."""

    model_config = ConfigDict(json_schema_extra={"example": examples.COMPARED_MODEL})

    model_id: Annotated[ModelIdentifier, Field(description="The model.")]
    name: Annotated[str | None, Field(description="Its name for people.")]
    method: Annotated[str, Field(description="The served method, which the verdict is on.")]
    dataset_version: Annotated[int, Field(description="The version that it was trained on.")]
    horizon: Annotated[int, Field(description="Longest horizon it forecasts, in steps.")]
    windows: Annotated[
        int, Field(description="Windows of its own backtest, of which those in common were compared.")
    ]
    backtest_learned_until: Annotated[
        Time, Field(description="Last time that its tested fit was trained on: a later one is an advantage.")
    ]
    measures: Annotated[
        dict[str, Measures], Field(description="By method: its networks, and their blend if there is one.")
    ]
    by_step: Annotated[dict[str, StepMeasures], Field(description="The same for each step ahead.")]
    verdict: Annotated[
        Verdict | None,
        Field(
            description="Whether it beats the first model, which `baseline` names: of cuts that share steps, "
            "by those that share none. Null for the first itself."
        ),
    ]


class ModelComparison(BaseModel):
    """Several models of a dataset on the same windows: the series, cuts and steps that all were tested on."""

    model_config = ConfigDict(json_schema_extra={"example": examples.MODEL_COMPARISON})

    dataset_id: Annotated[DatasetIdentifier, Field(description="Their dataset.")]
    measure: Annotated[Measure, Field(description="The error that the verdicts compare: the first model's.")]
    series: Annotated[int, Field(description="Series in common.")]
    cuts: Annotated[int, Field(description="Most cuts of one series in common.")]
    windows: Annotated[int, Field(description="Windows in common: one for each series and cut.")]
    horizon: Annotated[int, Field(description="Steps ahead in common.")]
    models: Annotated[list[ComparedModel], Field(description="The models, in the order they were named.")]
    baselines: Annotated[
        dict[str, Measures],
        Field(description="The simple methods on the same windows, from the first model."),
    ]
    notes: Annotated[
        list[str],
        Field(description="How the tests of the models differ, where that bears on the comparison."),
    ]
