"""The identifiers in paths, explained once."""

from typing import Annotated

from fastapi import Path

DatasetId = Annotated[
    str, Path(max_length=200, description="Identifier of a dataset, as `POST /datasets` answered it.")
]
JobId = Annotated[str, Path(max_length=200, description="Identifier of a job, as `POST /train` answered it.")]
ScheduleId = Annotated[
    str, Path(max_length=200, description="Identifier of a schedule, as `POST /schedules` answered it.")
]
ModelId = Annotated[
    str, Path(max_length=200, description="Identifier of a model, as its job or `GET /models` names it.")
]
