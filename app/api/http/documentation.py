"""Document in OpenAPI that every error is a problem document, and name the operations."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.schemas import media_types
from app.schemas.problem import Problem

PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {"model": Problem, "description": "What is wrong, where, and how to mend it."}
}
SCHEMA = {"$ref": f"#/components/schemas/{Problem.__name__}"}


def operation_id(route: APIRoute) -> str:
    """Return the operation id of a route: the name of its function, which is unique."""
    return route.name


def document_errors(app: FastAPI) -> None:
    """Set the media type of errors in the schema, where FastAPI puts that of the response."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            for operations in describe()["paths"].values():
                for operation in operations.values():
                    operation["responses"]["default"]["content"] = {media_types.PROBLEM: {"schema": SCHEMA}}
        return describe()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this way of extending it
