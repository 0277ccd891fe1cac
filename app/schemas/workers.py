"""What a worker looks like from outside."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples


class WorkerOut(BaseModel):
    """A process that trains."""

    model_config = ConfigDict(json_schema_extra={"example": examples.WORKER})

    id: Annotated[str, Field(description="Identifier; a worker that is started again has a new one.")]
    host: Annotated[str, Field(description="The machine it runs on, by the name the machine gives itself.")]
    pid: Annotated[int, Field(description="Its process there.")]
    device: Annotated[str, Field(description="What it trains on: `cpu` or `cuda:N`.")]
    alive: Annotated[
        bool,
        Field(
            description="Whether it is there: false once its process has gone, or its heart was seen to "
            "stand still for the deadline (`GATECAST_WORKER_DEADLINE_S`); another then takes its job over."
        ),
    ]
    job_id: Annotated[str | None, Field(description="The job of yours that it works on; null if none.")]
    silent_s: Annotated[
        float,
        Field(
            description="Seconds since its last heartbeat by the database's clock; one comes every second."
        ),
    ]
    started_at: Annotated[datetime, Field(description="When it began to work.")]


class WorkerPage(BaseModel):
    """One page of workers, newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"workers": [examples.WORKER], "next": None}})

    workers: list[WorkerOut]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
