"""The body of every error: a problem document (RFC 9457)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples


class ProblemPart(BaseModel):
    """One mistake."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PROBLEM["errors"][0]})

    pointer: Annotated[
        str, Field(description="Where: `#/field` of a JSON body, `?parameter`, or `#row=17` of a file.")
    ]
    detail: Annotated[str, Field(description="What is wrong there, and how to mend it.")]


class Problem(BaseModel):
    """An error, for programs (`type`, `status`, `pointer`) and for people (`title`, `detail`)."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PROBLEM})

    type: Annotated[str, Field(description="Kind of error, the same for all of its kind.")]
    title: Annotated[str, Field(description="The kind of error in words.")]
    status: Annotated[int, Field(description="The HTTP status.")]
    detail: Annotated[str, Field(description="What happened this time, and how to go on.")]
    instance: Annotated[str, Field(description="The path of the request.")]
    errors: Annotated[list[ProblemPart], Field(description="The single mistakes, if there are any.")]
