"""Request and response bodies of schedules."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples
from app.schemas.fields import DatasetIdentifier, JobIdentifier, ScheduleIdentifier
from app.schemas.train import OfDataset, TrainSettings

FiringOutcome = Literal["asked", "skipped", "refused"]
CRON = (
    "When, in UTC, in five fields: minute, hour, day of the month, month, day of the week. `0 6 * * 1` is "
    "every Monday at 06:00."
)


class ScheduleRequest(OfDataset):
    """A training to queue at the times of a cron expression."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": examples.SCHEDULING})

    cron: Annotated[str, Field(max_length=200, description=CRON)]
    train: Annotated[
        TrainSettings, Field(description="How to train, as in `POST /train` without the dataset.")
    ]


class ScheduleUpdate(BaseModel):
    """The changes that a schedule allows."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"paused": True}})

    paused: Annotated[bool, Field(description="`true` pauses it; `false` resumes it from now.")]


class LastTime(BaseModel):
    """The outcome of a schedule when it was due last."""

    model_config = ConfigDict(json_schema_extra={"example": examples.LAST_TIME})

    at: Annotated[datetime, Field(description="When it was due.")]
    outcome: Annotated[
        FiringOutcome,
        Field(
            description="`asked`: a training was queued. `skipped`: the dataset had no new observations. "
            "`refused`: the training cannot be queued as requested."
        ),
    ]
    detail: Annotated[str, Field(description="The same in a sentence.")]
    dataset_version: Annotated[int, Field(description="The dataset's version then.")]
    job_id: Annotated[
        JobIdentifier | None, Field(description="The training that was queued, this time or before.")
    ]


class ScheduleOut(BaseModel):
    """A schedule of trainings."""

    model_config = ConfigDict(json_schema_extra={"example": examples.SCHEDULE})

    id: Annotated[ScheduleIdentifier, Field(description="Identifier.")]
    dataset_id: Annotated[
        DatasetIdentifier, Field(description="The dataset to train on, each time in its newest version.")
    ]
    cron: Annotated[str, Field(description=CRON)]
    train: Annotated[TrainSettings, Field(description="How to train.")]
    paused: Annotated[bool, Field(description="Whether it is paused.")]
    next_at: Annotated[datetime | None, Field(description="When it is due next; null while it is paused.")]
    last: Annotated[
        LastTime | None, Field(description="The outcome of the last time; null before the first.")
    ]
    created_at: Annotated[datetime, Field(description="When it was made.")]


class SchedulePage(BaseModel):
    """One page of schedules, newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"schedules": [examples.SCHEDULE], "next": None}})

    schedules: list[ScheduleOut]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
