"""The shapes of backtests: verdicts, measures, calibration and rows."""

from gatecast_client.shapes.base import Shape, Time


class Verdict(Shape):
    """Whether a method beats the best baseline, and how certain that is."""

    outcome: str
    baseline: str
    n: int
    unit: str
    measure: str
    effect: float | None
    effect_interval: tuple[float, float] | None
    median_effect: float | None
    effective_units: float | None
    periods: int | None
    p_value: float
    sentence: str


class Measures(Shape):
    """Errors of one method, averaged within each series and then over the series."""

    smape: float | None
    mase: float | None
    rmsse: float | None
    pinball: float | None
    interval_score: float | None
    coverage: dict[str, float | None]


class StepMeasures(Shape):
    """The same measures for each step ahead, one value for each step."""

    smape: list[float | None]
    mase: list[float | None]
    rmsse: list[float | None]
    pinball: list[float | None]
    interval_score: list[float | None]
    coverage: dict[str, list[float | None]]


class BacktestSummary(Shape):
    """The errors of every method on the same held-out steps at the ends of the series."""

    series: int
    cuts: int
    step_size: int | None
    windows: int
    steps: int
    measures: dict[str, Measures]
    by_step: dict[str, StepMeasures]


class LevelCalibration(Shape):
    """How reliable the intervals of one level are."""

    calibrated: bool
    coverage: float | None
    untested: str | None
    coverage_range: tuple[float, float] | None = None
    periods: int | None = None


class PretrainedBacktest(Shape):
    """What the pretrained network's backtest on a dataset found."""

    dataset_id: str
    dataset_version: int
    horizon: int
    method: str
    verdict: Verdict
    warning: str | None
    calibration: dict[str, LevelCalibration]
    backtest: BacktestSummary


class Bounds(Shape):
    """The two ends of one interval."""

    lo: float
    hi: float


class StepForecast(Shape):
    """The forecast of one method for one step."""

    forecast: float
    intervals: dict[str, Bounds]


class BacktestRow(Shape):
    """One step after one cut of one series: the true value, and each method's forecast."""

    unique_id: str
    cutoff: Time
    ds: Time
    step: int
    y: float | None
    scale: float | None
    root_scale: float | None
    methods: dict[str, StepForecast]


class SeriesMeasures(Shape):
    """The errors of every method on one series."""

    unique_id: str
    measures: dict[str, Measures]


class ComparedModel(Shape):
    """A model on the windows that all compared models were tested on."""

    model_id: str
    name: str | None
    method: str
    dataset_version: int
    horizon: int
    windows: int
    backtest_learned_until: Time
    measures: dict[str, Measures]
    by_step: dict[str, StepMeasures]
    verdict: Verdict | None


class ModelComparison(Shape):
    """Several models of a dataset on the same windows."""

    dataset_id: str
    measure: str
    series: int
    cuts: int
    windows: int
    horizon: int
    models: list[ComparedModel]
    baselines: dict[str, Measures]
    notes: list[str]
