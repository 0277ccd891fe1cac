"""How the service is."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Health(BaseModel):
    """A state worth a 200."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ready"}})

    status: Annotated[
        Literal["alive", "ready"], Field(description="`alive`: the process runs. `ready`: it can answer.")
    ]
