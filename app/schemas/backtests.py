"""Response bodies of backtests: verdicts, measures, calibration and rows."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples
from app.schemas.choices import Measure, Outcome, Unit, Untested
from app.schemas.datasets import Time
from app.schemas.fields import DatasetIdentifier, ModelIdentifier

Share = Annotated[float | None, Field(ge=0, le=1)]
Range = tuple[float, float] | None
BY_LEVEL = "by level: `80` should contain the true value 80 times in 100."

CALIBRATED = (
    "Whether there were enough windows, at least 20, to make the intervals as wide as their level asks; "
    "otherwise they are the method's own. Without a training the windows are of the past of the series."
)
COVERAGE = (
    "Share of true values that they can be expected to hold: what they held at cuts that they were not "
    "calibrated on, drawn by few cuts to what intervals of the level held of series in general. Between two "
    "tested levels, such as 80 and 95, it is interpolated, as the bounds are. Null where `untested` says why."
)
COVERAGE_RANGE = (
    "Where the share that they hold of the next horizon lies 90 times in 100, by what such intervals held of "
    "series in general: wide for one series, since one horizon is one period. Null where `coverage` is, and "
    "for models trained before this was kept."
)
PERIODS = "Cuts, a horizon apart, that `coverage` comes from; null for none, and where that was not kept."
UNTESTED = (
    "Why there is no `coverage`: `one period` where there is one cut alone, which they are calibrated on; "
    "`not tested` for series without a test, and for levels that are neither tested nor between two that are."
)


class Verdict(BaseModel):
    """Whether a method beats the best baseline, and how certain that is."""

    model_config = ConfigDict(json_schema_extra={"example": examples.VERDICT})

    outcome: Annotated[
        Outcome,
        Field(
            description="`beats` or `loses` where chance makes a gap as wide in fewer than 1 of 20 cases; "
            "`ties` where the 90 % interval shows that the gap is at most 10 %; else `undecided`."
        ),
    ]
    baseline: Annotated[str, Field(description="The baseline with the smallest error.")]
    n: Annotated[int, Field(description="How many pairs were compared.")]
    unit: Annotated[
        Unit,
        Field(description="What is compared: series, or where there are fewer than six, cuts of them."),
    ]
    measure: Annotated[
        Measure,
        Field(
            description="The error compared: the requested one, by default MASE; sMAPE where no series has "
            "it; by default the pinball loss where half of the series have intermittent demand, for which "
            "zero has the least MASE."
        ),
    ]
    effect: Annotated[
        float | None,
        Field(
            description="The error less the baseline's, as a share of the baseline's: -0.2 is a fifth less. "
            "Null where the baseline made no error and the method did."
        ),
    ]
    effect_interval: Annotated[
        tuple[float, float] | None,
        Field(
            description="It holds the true effect 90 times in 100, and leaves out 0 where the outcome is "
            "`beats` or `loses`, and only there; null where too little was tested."
        ),
    ]
    median_effect: Annotated[
        float | None,
        Field(description="The effect on the median series (or cut): few wild ones weigh nothing in it."),
    ]
    effective_units: Annotated[
        float | None,
        Field(description="How many independent series (or cuts) those tested are worth; six can decide."),
    ]
    periods: Annotated[
        int | None, Field(description="At how many cuts, a horizon apart, they were tested at most.")
    ]
    p_value: Annotated[
        float,
        Field(
            description="How likely chance alone makes a gap as wide, where series move together as these do."
        ),
    ]
    sentence: Annotated[str, Field(description="The verdict in words.")]


class Measures(BaseModel):
    """Errors of one method, averaged within each series and then over the series."""

    model_config = ConfigDict(json_schema_extra={"example": examples.MEASURES})

    smape: Annotated[
        float | None, Field(description="Symmetric mean absolute percentage error, from 0 to 200 percent.")
    ]
    mase: Annotated[
        float | None,
        Field(
            description="Mean absolute error, where 1 is that of the seasonal naive forecast one step ahead "
            "before the first cut; null where that is 0 for every series."
        ),
    ]
    rmsse: Annotated[
        float | None, Field(description="Root mean squared error, scaled likewise; null as for `mase`.")
    ]
    pinball: Annotated[
        float | None,
        Field(description="Mean pinball loss of the median and the bounds, in units of the MASE scale."),
    ]
    interval_score: Annotated[
        float | None,
        Field(description="Mean interval score of the levels (width, and a fine for each miss), scaled."),
    ]
    coverage: Annotated[
        dict[str, Share],
        Field(
            description=f"Share of true values inside the intervals, {BY_LEVEL} Null where there is one cut "
            "alone: its windows share the period that the intervals are calibrated on."
        ),
    ]


class StepMeasures(BaseModel):
    """The same measures for each step ahead, one value for each step."""

    model_config = ConfigDict(json_schema_extra={"example": examples.STEP_MEASURES})

    smape: Annotated[list[float | None], Field(description="sMAPE of each step.")]
    mase: Annotated[list[float | None], Field(description="MASE of each step.")]
    rmsse: Annotated[list[float | None], Field(description="RMSSE of each step.")]
    pinball: Annotated[list[float | None], Field(description="Pinball loss of each step.")]
    interval_score: Annotated[list[float | None], Field(description="Interval score of each step.")]
    coverage: Annotated[
        dict[str, list[Share]],
        Field(description=f"Share of true values inside the intervals at each step, {BY_LEVEL}"),
    ]


class BacktestSummary(BaseModel):
    """The errors of every method on the same held-out steps at the ends of the series."""

    model_config = ConfigDict(json_schema_extra={"example": examples.BACKTEST})

    series: Annotated[int, Field(description="Series that were tested; a sample where there are many.")]
    cuts: Annotated[int, Field(description="Most cuts of one series.")]
    step_size: Annotated[
        int | None,
        Field(description="Steps from one cut to the next; null, in older models, for the horizon."),
    ] = None
    windows: Annotated[int, Field(description="Forecasts compared: one for each series and cut.")]
    steps: Annotated[int, Field(description="Steps at the end of each series that were held out.")]
    measures: Annotated[
        dict[str, Measures],
        Field(description="By method: each network tried, the blend, and every baseline."),
    ]
    by_step: Annotated[dict[str, StepMeasures], Field(description="The same for each step ahead.")]


class LevelCalibration(BaseModel):
    """How reliable the intervals of one level are."""

    model_config = ConfigDict(json_schema_extra={"example": examples.CALIBRATION["80"]})

    calibrated: Annotated[bool, Field(description=CALIBRATED)]
    coverage: Annotated[Share, Field(description=COVERAGE)]
    coverage_range: Annotated[Range, Field(description=COVERAGE_RANGE)]
    periods: Annotated[int | None, Field(description=PERIODS)]
    untested: Annotated[Untested | None, Field(description=UNTESTED)]


class PretrainedBacktestOut(BaseModel):
    """What the pretrained network's backtest on a dataset found."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PRETRAINED_BACKTEST})

    dataset_id: Annotated[DatasetIdentifier, Field(description="The dataset.")]
    dataset_version: Annotated[int, Field(description="The version that it was tested on: the newest.")]
    horizon: Annotated[int, Field(description="How many steps ahead it was tested.")]
    method: Annotated[
        str, Field(description="What answers: `pretrained`, or the simple method that it gives way to.")
    ]
    verdict: Annotated[Verdict, Field(description="Whether the network beats the baselines.")]
    warning: Annotated[str | None, Field(description="The sentence that goes with its forecasts, if any.")]
    calibration: Annotated[
        dict[str, LevelCalibration],
        Field(description="By level, how reliable the intervals are of what answers."),
    ]
    backtest: Annotated[
        BacktestSummary, Field(description="The errors of every method; the network is `pretrained`.")
    ]


class Bounds(BaseModel):
    """The two ends of one interval."""

    model_config = ConfigDict(json_schema_extra={"example": examples.BOUNDS})

    lo: Annotated[float, Field(description="Lower bound.")]
    hi: Annotated[float, Field(description="Upper bound.")]


class StepForecast(BaseModel):
    """The forecast of one method for one step."""

    model_config = ConfigDict(json_schema_extra={"example": examples.STEP_FORECAST})

    forecast: Annotated[float, Field(description="Its median.")]
    intervals: Annotated[dict[str, Bounds], Field(description=f"Its bounds {BY_LEVEL}")]


class BacktestRow(BaseModel):
    """One step after one cut of one series: the true value, and each method's forecast."""

    model_config = ConfigDict(json_schema_extra={"example": examples.BACKTEST_ROW})

    unique_id: Annotated[str, Field(description="Name of the series.")]
    cutoff: Annotated[Time, Field(description="The last time that the methods had seen.")]
    ds: Annotated[Time, Field(description="The time forecast.")]
    step: Annotated[int, Field(description="How many steps after the cutoff, from 1.")]
    y: Annotated[float | None, Field(description="The true value; null for a gap, which no measure counts.")]
    scale: Annotated[
        float | None,
        Field(
            description="What MASE divides by: the seasonal naive error of the series before its first cut."
        ),
    ]
    root_scale: Annotated[
        float | None,
        Field(description="What RMSSE divides by, likewise; null for models from before it was kept."),
    ]
    methods: Annotated[dict[str, StepForecast], Field(description="The forecast of each method.")]


class BacktestPage(BaseModel):
    """One page of the rows of a backtest, by series, cutoff and step."""

    model_config = ConfigDict(json_schema_extra={"example": examples.BACKTEST_PAGE})

    model_id: Annotated[ModelIdentifier, Field(description="The model that was tested.")]
    rows: list[BacktestRow]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]


class SeriesMeasures(BaseModel):
    """The errors of every method on one series."""

    model_config = ConfigDict(json_schema_extra={"example": examples.SERIES_MEASURES})

    unique_id: Annotated[str, Field(description="Name of the series.")]
    measures: Annotated[dict[str, Measures], Field(description="By method, over all cuts and steps.")]


class SeriesMeasuresPage(BaseModel):
    """One page of the series of a backtest, by name."""

    model_config = ConfigDict(json_schema_extra={"example": examples.SERIES_MEASURES_PAGE})

    model_id: Annotated[ModelIdentifier, Field(description="The model that was tested.")]
    series: list[SeriesMeasures]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
