"""What a job looks like from outside."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples
from app.schemas.train import Architecture, TrainRequest

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Phase = Literal["backtesting", "training"]


class Progress(BaseModel):
    """How far a running training is."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PROGRESS})

    phase: Annotated[
        Phase,
        Field(
            description="`backtesting`: a candidate learns without the last steps, to be judged on them. "
            "`training`: the best one learns from everything; that is the model kept."
        ),
    ]
    architecture: Annotated[Architecture, Field(description="The network that learns.")]
    member: Annotated[int, Field(description="The member of its ensemble that these figures are of, from 1.")]
    members: Annotated[int, Field(description="How many members it has; several may learn at a time.")]
    epoch: Annotated[int, Field(description="Epochs of this member so far.")]
    epochs: Annotated[int, Field(description="How many each member will have.")]
    loss: Annotated[float, Field(description="Pinball loss on the training windows, scaled.")]
    validation_loss: Annotated[
        float | None,
        Field(
            description="Pinball loss on the held-out windows, scaled; null while the model that is kept "
            "learns from everything."
        ),
    ]
    share_done: Annotated[
        float, Field(ge=0, le=1, description="Share of the whole training, all its phases, that is done.")
    ]


class JobOut(BaseModel):
    """A training in the queue, at work, or done."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": examples.JOB})

    id: Annotated[str, Field(description="Identifier; ask `/jobs/{id}` until the state is final.")]
    state: Annotated[
        State,
        Field(description="`queued` and `running` will change, `succeeded`, `failed`, `cancelled` not."),
    ]
    dataset_id: Annotated[str, Field(description="The dataset learnt from.")]
    dataset_version: Annotated[int, Field(description="Its version when the training was asked for.")]
    request: Annotated[TrainRequest, Field(description="What was asked for, defaults filled in.")]
    attempt: Annotated[int, Field(description="How often it was started.")]
    progress: Annotated[Progress | None, Field(description="How far it is; null before the first figures.")]
    error: Annotated[str | None, Field(description="Why it failed or was cancelled, and what to do.")]
    failures: Annotated[list[str], Field(description="What ended each attempt that died, oldest first.")]
    model_id: Annotated[str | None, Field(description="The model it left, once succeeded.")]
    created_at: Annotated[datetime, Field(description="When it was asked for.")]
    started_at: Annotated[datetime | None, Field(description="When the newest attempt began.")]
    finished_at: Annotated[datetime | None, Field(description="When it ended.")]


class JobPage(BaseModel):
    """One page of jobs, newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"jobs": [examples.JOB], "next": None}})

    jobs: list[JobOut]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
