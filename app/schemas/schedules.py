"""What a schedule looks like from outside: a training asked for again and again."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples
from app.schemas.train import OfDataset, TrainSettings

Outcome = Literal["asked", "skipped", "refused"]
CRON = (
    "When, in UTC, in five fields: minute, hour, day of the month, month, day of the week. `0 6 * * 1` is "
    "every Monday at 06:00."
)


class ScheduleRequest(OfDataset):
    """A training to be asked for again and again."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": examples.SCHEDULING})

    cron: Annotated[str, Field(max_length=200, description=CRON)]
    train: Annotated[
        TrainSettings, Field(description="How to train, as in `POST /train` without the dataset.")
    ]


class ScheduleUpdate(BaseModel):
    """What can be changed of a schedule."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"paused": True}})

    paused: Annotated[bool, Field(description="`true` lets it rest; `false` lets it go on from now.")]


class LastTime(BaseModel):
    """What came of a schedule when it was due last."""

    model_config = ConfigDict(json_schema_extra={"example": examples.LAST_TIME})

    at: Annotated[datetime, Field(description="When that was.")]
    outcome: Annotated[
        Outcome,
        Field(
            description="`asked`: a training was queued. `skipped`: the dataset had no new observations. "
            "`refused`: the training cannot be done as it is asked for."
        ),
    ]
    detail: Annotated[str, Field(description="The same in a sentence.")]
    dataset_version: Annotated[int, Field(description="The dataset's version then.")]
    job_id: Annotated[str | None, Field(description="The training that was asked for, this time or before.")]


class ScheduleOut(BaseModel):
    """A training that is asked for again and again."""

    model_config = ConfigDict(json_schema_extra={"example": examples.SCHEDULE})

    id: Annotated[str, Field(description="Identifier.")]
    dataset_id: Annotated[
        str, Field(description="The dataset to learn from, each time in its newest version.")
    ]
    cron: Annotated[str, Field(description=CRON)]
    train: Annotated[TrainSettings, Field(description="How to train.")]
    paused: Annotated[bool, Field(description="Whether it rests.")]
    next_at: Annotated[datetime | None, Field(description="When it is due next; null while it rests.")]
    last: Annotated[LastTime | None, Field(description="What came of the last time; null before the first.")]
    created_at: Annotated[datetime, Field(description="When it was made.")]


class SchedulePage(BaseModel):
    """One page of schedules, newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"schedules": [examples.SCHEDULE], "next": None}})

    schedules: list[ScheduleOut]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
