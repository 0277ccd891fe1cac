"""Declare the identifiers in paths and query parameters, with their limits."""

from typing import Annotated, Any

from fastapi import Path, Query

from app.schemas.fields import MAX_ID_LENGTH

NO_NUL = r"^[^\x00]*$"  # Postgres stores no NUL in a text


def _in_path(description: str) -> Any:
    return Path(max_length=MAX_ID_LENGTH, pattern=NO_NUL, description=description)


DatasetId = Annotated[str, _in_path("Identifier of a dataset, as `POST /datasets` answered it.")]
JobId = Annotated[str, _in_path("Identifier of a job, as `POST /train` answered it.")]
ScheduleId = Annotated[str, _in_path("Identifier of a schedule, as `POST /schedules` answered it.")]
ModelId = Annotated[str, _in_path("Identifier of a model, as its job or `GET /models` names it.")]


def of_dataset(items: str) -> Any:
    """Return the query parameter that limits a list of items to one dataset."""
    return Query(max_length=MAX_ID_LENGTH, pattern=NO_NUL, description=f"Only the {items} of this dataset.")
