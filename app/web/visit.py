"""What every page takes and answers: the reader's language and address, a whole page or a part of one.

Each page depends on the caller as the API's routes do, so a sign-in stands in `app.api.deps` alone. Pages
change nothing: what changes something is a call of the API, which refuses pages of other origins.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from app.api.deps import CurrentPrincipal, Resources, TheResources
from app.api.http.errors import app_error, bad_fields
from app.auth import Principal
from app.db.engine import Session
from app.errors import AppError
from app.web import languages
from app.web.rendering import render

LANGUAGE_COOKIE, YEAR_S = "gatecast_language", 31_536_000
Params = ParamSpec("Params")
Found = TypeVar("Found")
PART = "gatecast-part"
"""The header by which a module of the page asks for a part of it."""


@dataclass(frozen=True)
class View:
    """A reader's request: language, address, and whether the language was just chosen."""

    language: str
    path: str
    query: tuple[tuple[str, str], ...]
    has_chosen: bool
    is_part: bool

    def page(self, template: str, status: int = 200, **facts: Any) -> HTMLResponse:
        """Return a template as a response; `facts` are its variables."""
        response = HTMLResponse(render(template, self.language, view=self, **facts), status)
        response.headers["cache-control"] = "no-cache"
        if self.has_chosen:
            response.set_cookie(LANGUAGE_COOKIE, self.language, YEAR_S, httponly=True, samesite="strict")
        return response

    def address(self, **changes: Any) -> str:
        """Return the address of this page with other parameters; None removes one, a list repeats it."""
        kept = [(name, text) for name, text in self.query if name not in changes]
        given = {name: value for name, value in changes.items() if value is not None}
        query = urlencode([*kept, *_pairs(given)])
        return f"{self.path}?{query}" if query else self.path


@dataclass(frozen=True)
class Visit(View):
    """A view with its reader, and what may be read for one."""

    principal: Principal
    resources: Resources

    async def read(
        self,
        query: Callable[Concatenate[Session, Principal, Params], Found],
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Found:
        """Return what a service's query finds for this reader."""
        return await self.resources.read(query, self.principal, *args, **kwargs)


async def get_visit(
    request: Request,
    principal: CurrentPrincipal,
    resources: TheResources,
    lang: Annotated[str | None, Query(max_length=8)] = None,
) -> Visit:
    """Return the visit that a request is."""
    return Visit(**vars(_view(request, lang)), principal=principal, resources=resources)


TheVisit = Annotated[Visit, Depends(get_visit)]


class PageRoute(APIRoute):
    """A route whose errors are pages, or parts of one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with its errors rendered."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return await _error_page(request, bad_fields(error.errors()))
            except AppError as error:
                return await _error_page(request, error)

        return handled


async def _error_page(request: Request, error: AppError) -> Response:
    problem = await app_error(request, error)  # which logs it
    view = _view(request, request.query_params.get("lang"))
    template = "parts/problem.html" if view.is_part else "error.html"
    page = view.page(template, error.status, error=error)
    if (wait := problem.headers.get("retry-after")) is not None:
        page.headers["retry-after"] = wait
    return page


def _view(request: Request, lang: str | None) -> View:
    wanted = lang or request.cookies.get(LANGUAGE_COOKIE)
    language = languages.chosen(wanted, request.headers.get("accept-language", ""))
    query = tuple((name, text) for name, text in request.query_params.multi_items() if name != "lang")
    has_chosen = lang is not None and lang == language
    return View(language, request.url.path, query, has_chosen, PART in request.headers)


def _pairs(given: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, str(each))
        for name, value in given.items()
        for each in (value if isinstance(value, list | tuple) else [value])
    ]
