"""What the documentation says beyond FastAPI's own words: every error is a problem document."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.api.http.errors import MEDIA_TYPE
from app.schemas.problem import Problem

PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {"model": Problem, "description": "What is wrong, where, and how to mend it."}
}
SCHEMA = {"$ref": f"#/components/schemas/{Problem.__name__}"}


def operation_id(route: APIRoute) -> str:
    """Return the name of a call for programs: that of its function, which no other has."""
    return route.name


def document(app: FastAPI) -> None:
    """Let the schema say in which media type errors are sent: FastAPI takes that of the answer itself."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            for operations in describe()["paths"].values():
                for operation in operations.values():
                    operation["responses"]["default"]["content"] = {MEDIA_TYPE: {"schema": SCHEMA}}
        return describe()

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI says to extend it
