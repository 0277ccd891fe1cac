"""Response bodies of jobs."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples
from app.schemas.choices import Architecture
from app.schemas.fields import DatasetIdentifier, JobIdentifier, ModelIdentifier, WorkerIdentifier
from app.schemas.train import PromotionDecision, TrainRequest

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Phase = Literal["queued", "preparing", "backtesting", "training", "publishing"]


class Progress(BaseModel):
    """The progress of a training."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": examples.PROGRESS})

    phase: Annotated[
        Phase,
        Field(
            description="`queued`: it waits for a worker. `preparing`: the series are read. `backtesting`: a "
            "candidate is trained without the last steps and compared with the baselines on them. "
            "`training`: the best one is trained on everything; that is the model kept. `publishing`: it is "
            "stored. A job that has ended shows the phase in which it did."
        ),
    ]
    share_done: Annotated[
        float, Field(ge=0, le=1, description="Share of the whole training, all its phases, that is done.")
    ] = 0.0
    estimated_end: Annotated[
        datetime | None,
        Field(description="When it will end at its present speed; null while that is unknown."),
    ] = None
    architecture: Annotated[
        Architecture | None, Field(description="The network being trained; null while none is, as below.")
    ] = None
    member: Annotated[
        int | None, Field(description="The member of its ensemble that the figures below are of, from 1.")
    ] = None
    members: Annotated[
        int | None, Field(description="How many members it has; several may be trained at a time.")
    ] = None
    epoch: Annotated[int | None, Field(description="Epochs of this member so far.")] = None
    epochs: Annotated[int | None, Field(description="How many each member will have.")] = None
    loss: Annotated[float | None, Field(description="Pinball loss on the training windows, scaled.")] = None
    validation_loss: Annotated[
        float | None,
        Field(
            description="Pinball loss on the held-out windows, scaled; null also while the final model is "
            "trained on everything."
        ),
    ] = None


class JobOut(BaseModel):
    """A training that is queued, running or finished."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": examples.JOB})

    id: Annotated[JobIdentifier, Field(description="Identifier; ask `/jobs/{id}` until the state is final.")]
    state: Annotated[
        State,
        Field(description="`queued` and `running` will change, `succeeded`, `failed`, `cancelled` not."),
    ]
    dataset_id: Annotated[DatasetIdentifier, Field(description="The dataset it is trained on.")]
    dataset_version: Annotated[int, Field(description="The dataset's version when the training was queued.")]
    request: Annotated[TrainRequest, Field(description="The request, with its defaults filled in.")]
    attempt: Annotated[int, Field(description="Number of the newest attempt.")]
    worker_id: Annotated[
        WorkerIdentifier | None, Field(description="The worker of the newest attempt; null before the first.")
    ]
    progress: Annotated[Progress, Field(description="Its progress.")]
    error: Annotated[str | None, Field(description="Why it failed or was cancelled, and what to do.")]
    failures: Annotated[list[str], Field(description="The cause of each attempt that died, oldest first.")]
    model_id: Annotated[ModelIdentifier | None, Field(description="The model it made, once succeeded.")]
    promotion: Annotated[
        PromotionDecision | None,
        Field(description="Why that model became the champion or not, once succeeded; null for older jobs."),
    ]
    created_at: Annotated[datetime, Field(description="When it was queued.")]
    started_at: Annotated[datetime | None, Field(description="When the newest attempt began.")]
    finished_at: Annotated[datetime | None, Field(description="When it ended.")]


class JobPage(BaseModel):
    """One page of jobs, newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"jobs": [examples.JOB], "next": None}})

    jobs: list[JobOut]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
