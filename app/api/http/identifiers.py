"""The identifiers in paths and parameters, explained once."""

from typing import Annotated, Any

from fastapi import Path, Query

LONGEST_ID = 200  # characters
NO_NUL = r"^[^\x00]*$"  # which Postgres stores in no text


def _named(what: str) -> Any:
    return Path(max_length=LONGEST_ID, pattern=NO_NUL, description=what)


DatasetId = Annotated[str, _named("Identifier of a dataset, as `POST /datasets` answered it.")]
JobId = Annotated[str, _named("Identifier of a job, as `POST /train` answered it.")]
ScheduleId = Annotated[
    str,
    Path(
        max_length=LONGEST_ID,
        pattern=NO_NUL,
        description="Identifier of a schedule, as `POST /schedules` answered it.",
    ),
]
ModelId = Annotated[
    str,
    Path(
        max_length=LONGEST_ID,
        pattern=NO_NUL,
        description="Identifier of a model, as its job or `GET /models` names it.",
    ),
]


def of_dataset(listed: str) -> Any:
    """Return the parameter that limits a list to one dataset."""
    return Query(max_length=LONGEST_ID, pattern=NO_NUL, description=f"Only the {listed} of this dataset.")
