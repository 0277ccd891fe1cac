"""Response bodies of health and readiness, and of the workers that they depend on."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples
from app.schemas.fields import JobIdentifier, WorkerIdentifier


class Health(BaseModel):
    """The state of a process that runs."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "alive"}})

    status: Annotated[Literal["alive"], Field(description="`alive`: the process runs.")]


class Readiness(BaseModel):
    """The state of a process that answers requests."""

    model_config = ConfigDict(json_schema_extra={"example": examples.READINESS})

    status: Annotated[
        Literal["ready", "degraded"],
        Field(description="`degraded`: requests are answered, and `detail` says what is not done."),
    ]
    detail: Annotated[str | None, Field(description="What is wrong; null if nothing is.")]
    worker_alive: Annotated[
        bool, Field(description="Whether this process has seen the heartbeat of a worker that can train.")
    ]
    changes_seen_s: Annotated[
        float,
        Field(
            description="Seconds since it last read the changes of other processes, which it does four times "
            "a second. After one second it uses no cache, after five it is not ready."
        ),
    ]


class WorkerOut(BaseModel):
    """A process that trains."""

    model_config = ConfigDict(json_schema_extra={"example": examples.WORKER})

    id: Annotated[
        WorkerIdentifier, Field(description="Identifier; a worker that is started again has a new one.")
    ]
    host: Annotated[str, Field(description="The host name of its machine.")]
    pid: Annotated[int, Field(description="Its process id there.")]
    device: Annotated[str, Field(description="What it trains on: `cpu` or `cuda:N`.")]
    alive: Annotated[
        bool,
        Field(
            description="False once its process is gone, or its heartbeat has stopped for the deadline "
            "(`GATECAST_WORKER_DEADLINE_S`); another worker then takes over its job."
        ),
    ]
    job_id: Annotated[JobIdentifier | None, Field(description="The job of yours that it runs; null if none.")]
    silent_s: Annotated[
        float,
        Field(
            description="Seconds since its last heartbeat by the database's clock; one comes every second."
        ),
    ]
    started_at: Annotated[datetime, Field(description="When it started.")]


class WorkerPage(BaseModel):
    """One page of workers, newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"workers": [examples.WORKER], "next": None}})

    workers: list[WorkerOut]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
