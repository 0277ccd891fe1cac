"""Find the HTTP methods that a path answers, for the `Allow` header and for 405."""

from fastapi import Request
from starlette.routing import Match

ROUTED_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed_methods(request: Request) -> list[str]:
    """Return the methods that the path of a request answers, sorted; empty if there is no such path."""
    routes = request.app.routes
    found = [
        method
        for method in ROUTED_METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    if not found:
        return []
    return sorted([*found, "OPTIONS", *(["HEAD"] if "GET" in found else [])])


def path_exists(request: Request, path: str) -> bool:
    """Return whether a path answers any method."""
    scope = {**request.scope, "path": path}
    return any(route.matches(scope)[0] is not Match.NONE for route in request.app.routes)
