"""What the shapes of answers have in common."""

from pydantic import BaseModel, ConfigDict

Time = str | int
"""A time in ISO 8601, or a plain number where times are numbers."""

Cell = float | str | None
"""The value of a column beside the target."""


class Shape(BaseModel):
    """Part of an answer.

    Fields that this version does not know are passed over, and words that may become more, such as states
    and methods, are plain texts: a service that is newer than the client is understood.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)
