"""Response bodies of health and readiness."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples


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
