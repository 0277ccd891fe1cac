"""The shapes of trained models."""

from datetime import datetime
from typing import Any

from gatecast_client.shapes.backtests import BacktestSummary, LevelCalibration, Verdict
from gatecast_client.shapes.base import Shape, Time
from gatecast_client.shapes.trainings import PromotionDecision


class Trial(Shape):
    """The errors of one architecture on held-out steps at the ends of the series."""

    architecture: str
    start: str
    smape: float
    mase: float | None
    parameters: int
    seconds: float


class ModelSummary(Shape):
    """A trained model in a list."""

    id: str
    dataset_id: str
    dataset_version: int
    job_id: str
    champion: bool
    promotion: PromotionDecision | None
    horizon: int
    preset: str
    seed: int
    architecture: str
    method: str
    verdict: Verdict | None
    name: str | None
    on_loss: str
    trials: list[Trial]
    weights_bytes: int
    weights_sha256: str
    training_seconds: float
    code_version: str
    created_at: datetime


class Lineage(Shape):
    """Everything that determines a model to the last bit, and the hashes of the result."""

    dataset_version: int
    data_sha256: str
    config: dict[str, Any]
    architectures: list[str]
    method: str
    measure: str
    cuts: int | None
    step_size: int | None
    level: list[int]
    device: str
    versions: dict[str, str]
    learned_until: Time
    backtest_learned_until: Time
    held_out_steps: int
    cutoffs: list[Time]
    weights_sha256: str
    backtest_sha256: str
    methods_sha256: str


class Model(ModelSummary):
    """A trained model with its backtest and lineage."""

    weights: dict[str, float]
    verdicts: dict[str, Verdict]
    calibration: dict[str, LevelCalibration]
    backtest: BacktestSummary | None
    lineage: Lineage | None
