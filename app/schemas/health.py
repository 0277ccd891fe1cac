"""How the service is."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples


class Health(BaseModel):
    """A process that runs."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "alive"}})

    status: Annotated[Literal["alive"], Field(description="`alive`: the process runs.")]


class Readiness(BaseModel):
    """A process that answers calls."""

    model_config = ConfigDict(json_schema_extra={"example": examples.READINESS})

    status: Annotated[
        Literal["ready", "degraded"],
        Field(description="`degraded`: calls are answered, and `detail` says what is not done meanwhile."),
    ]
    detail: Annotated[str | None, Field(description="What is amiss; null where nothing is.")]
    worker_alive: Annotated[
        bool, Field(description="Whether this process has seen the heartbeat of a worker that can train.")
    ]
    changes_seen_s: Annotated[
        float,
        Field(
            description="Seconds since it last looked for what other processes have changed, which it does "
            "four times a second. After one second nothing is answered from memory, after five it is unready."
        ),
    ]
