"""Declare the identifiers in paths and query parameters, with their limits."""

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import Field
from starlette.convertors import StringConvertor, register_url_convertor

from app.schemas.fields import DATASET_ID, JOB_ID, MAX_ID_LENGTH, MODEL_ID, SCHEDULE_ID

NO_NUL = r"^[^\x00]*$"  # Postgres stores no NUL in a text


def _in_path(pattern: str, description: str) -> Any:
    """Return a parameter that checks what the database needs and documents the form that ids have.

    A text of another form is an id that does not exist: it is answered with a 404, as one that is gone.
    """
    documented = {"pattern": pattern}
    return Path(
        max_length=MAX_ID_LENGTH, pattern=NO_NUL, description=description, json_schema_extra=documented
    )


DatasetId = Annotated[str, _in_path(DATASET_ID, "Identifier of a dataset, as `POST /datasets` answered it.")]
JobId = Annotated[str, _in_path(JOB_ID, "Identifier of a job, as `POST /train` answered it.")]
ScheduleId = Annotated[
    str, _in_path(SCHEDULE_ID, "Identifier of a schedule, as `POST /schedules` answered it.")
]
ModelId = Annotated[str, _in_path(MODEL_ID, "Identifier of a model, as its job or `GET /models` names it.")]


class _ModelIdConvertor(StringConvertor):
    """Leaves /models/compare to its own route, which cannot be changed or deleted."""

    regex = "(?!compare$)[^/]+"


register_url_convertor("model_id", _ModelIdConvertor())
ONE_MODEL = "/{model_id:model_id}"
MOST_COMPARED = 10
ComparedModels = Annotated[
    list[
        Annotated[
            str, Field(max_length=MAX_ID_LENGTH, pattern=NO_NUL, json_schema_extra={"pattern": MODEL_ID})
        ]
    ],
    Query(
        min_length=2,
        max_length=MOST_COMPARED,
        description="The models, by the parameter repeated; the others are judged against the first.",
    ),
]
TestedDataset = Annotated[
    str,
    Query(
        max_length=MAX_ID_LENGTH,
        pattern=NO_NUL,
        description="The dataset to test on.",
        json_schema_extra={"pattern": DATASET_ID},
    ),
]


def of_dataset(items: str) -> Any:
    """Return the query parameter that limits a list of items to one dataset.

    A text that is no id is refused: it would find nothing, which reads as a dataset without items.
    """
    return Query(
        max_length=MAX_ID_LENGTH, pattern=DATASET_ID, description=f"Only the {items} of this dataset."
    )
