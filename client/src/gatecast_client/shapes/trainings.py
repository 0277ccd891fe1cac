"""The shapes of trainings: jobs, schedules and workers."""

from datetime import datetime

from gatecast_client.shapes.base import Shape


class TrainSettings(Shape):
    """The settings of a training, without the dataset."""

    horizon: int
    preset: str
    architecture: str
    start: str
    method: str
    measure: str
    on_loss: str
    promote: str
    seed: int
    season_length: list[int] | int | None
    cuts: int | None
    step_size: int | None
    level: list[int]
    priority: int


class TrainRequest(TrainSettings):
    """One training of a model on a dataset."""

    dataset_id: str


class PromotionDecision(Shape):
    """Whether a new model became the champion of its dataset, and why."""

    decision: str
    because: str
    compared_with: str | None


class Progress(Shape):
    """The progress of a training."""

    phase: str
    share_done: float
    estimated_end: datetime | None
    architecture: str | None
    member: int | None
    members: int | None
    epoch: int | None
    epochs: int | None
    loss: float | None
    validation_loss: float | None


class Job(Shape):
    """A training that is queued, running or finished."""

    id: str
    state: str
    dataset_id: str
    dataset_version: int
    request: TrainRequest
    attempt: int
    worker_id: str | None
    progress: Progress
    error: str | None
    failures: list[str]
    model_id: str | None
    promotion: PromotionDecision | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class LastTime(Shape):
    """The outcome of a schedule when it was due last."""

    at: datetime
    outcome: str
    detail: str
    dataset_version: int
    job_id: str | None


class Schedule(Shape):
    """A schedule of trainings."""

    id: str
    dataset_id: str
    cron: str
    train: TrainSettings
    paused: bool
    next_at: datetime | None
    last: LastTime | None
    created_at: datetime


class Worker(Shape):
    """A process that trains."""

    id: str
    host: str
    pid: int
    device: str
    alive: bool
    job_id: str | None
    silent_s: float
    started_at: datetime
