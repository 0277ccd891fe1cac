"""Apply `Idempotency-Key` to routes that create, by the rules of `app.services.shared.idempotency`."""

import json
import logging
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, BinaryIO, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from app.api.deps import CurrentPrincipal, Resources, TheResources, resources_of
from app.api.http.body_parsing import content_type
from app.api.http.errors import problem
from app.db.engine import Session
from app.digest import sha256_of_parts
from app.errors import AppError, BadInput, FieldError, Unavailable
from app.schemas.media_types import MULTIPART
from app.services.shared import idempotency
from app.services.shared.idempotency import Claim, StoredResponse
from app.settings import MEBIBYTE

STORED_HEADERS = ("content-type", "location", "retry-after")
SERVER_ERROR = 500
logger = logging.getLogger(__name__)
Result = TypeVar("Result")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="Any text of your choice. For 24 hours, the same key with the same request returns the "
        "first response, and nothing is done twice; with another request it is refused.",
    ),
]


class Replayed(Exception):  # not an error: it leaves the route with the stored response
    """The key has a stored response."""

    def __init__(self, stored: StoredResponse) -> None:
        super().__init__("replayed")
        self.stored = stored


async def claim_key(
    request: Request,
    resources: TheResources,
    principal: CurrentPrincipal,
    idempotency_key: IdempotencyKey = None,
) -> AsyncIterator[None]:
    """Claim the key of a request, if it has one; settle the claim if the request fails."""
    if idempotency_key is None:
        yield
        return
    _refuse_several(request)
    fingerprint = await _fingerprint(request)
    claimed = await _in_turn(
        resources, partial(resources.claims.claim, principal, idempotency_key, fingerprint)
    )
    if isinstance(claimed, StoredResponse):
        raise Replayed(claimed)
    request.state.claim = claimed
    try:
        yield
    except BaseException as error:  # the request's own transaction has ended, maybe in a failed commit
        await _settle(resources, claimed, error, request.url.path)
        raise


ClaimKey = Depends(claim_key)


def _refuse_several(request: Request) -> None:
    if len(request.headers.getlist("idempotency-key")) > 1:
        remedy = "Send one key with a call."
        parts = [FieldError(idempotency.POINTER, remedy)]
        raise BadInput(f"The call has more than one Idempotency-Key. {remedy}", parts)


class IdempotentRoute(APIRoute):
    """A route that stores its response under the key that `ClaimKey` has claimed."""

    def get_route_handler(self) -> Handler:
        """Wrap the route's own handler."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await handle(request)
            except Replayed as replayed:
                return _response(replayed.stored)
            finally:
                await request.close()  # the files of a form that we parsed ourselves
            await _store(request, response)
            return response

        return handler


async def _fingerprint(request: Request) -> str:
    """Hash a request: method, path, and the bytes of the body.

    Of a form, whose boundaries differ each time it is sent, hash the fields and the bytes of the file.
    """
    parts = [f"{request.method} {request.url.path}?{request.url.query}\n".encode()]
    if content_type(request) == MULTIPART:
        form = await request.form()
        for name, value in sorted(form.multi_items(), key=lambda item: item[0]):
            field = await _field_content(value, resources_of(request).parsing_threads)
            parts.append(json.dumps([name, *field]).encode())
    else:
        parts.append(await request.body())
    return sha256_of_parts(parts)


async def _field_content(value: UploadFile | str, threads: CapacityLimiter) -> tuple[str | None, ...]:
    if isinstance(value, str):
        return (value,)
    return value.filename, await to_thread.run_sync(_hash_file, value.file, limiter=threads)


def _hash_file(file: BinaryIO) -> str:
    digest = sha256_of_parts(iter(lambda: file.read(MEBIBYTE), b""))
    file.seek(0)
    return digest


def has_claim(request: Request) -> bool:
    """Return whether the response will be stored under a key."""
    return getattr(request.state, "claim", None) is not None


async def _store(request: Request, response: Response) -> None:
    """Store the response in the request's own transaction, which is not committed yet."""
    claim: Claim | None = getattr(request.state, "claim", None)
    if claim is not None:
        session: Session = request.state.session
        await run_in_threadpool(idempotency.keep, session, claim, _stored(response))


async def _settle(resources: Resources, claim: Claim, error: BaseException, path: str) -> None:
    """Store the response to a refused request; release the key if the service is at fault."""
    if isinstance(error, CancelledError):  # the service is stopping, and nothing can be awaited
        resources.claims.abandon(claim)
        return
    try:
        if isinstance(error, AppError) and error.status < SERVER_ERROR:
            await _in_turn(resources, partial(resources.claims.refuse, claim, _stored(problem(error, path))))
            return
    except Unavailable:  # the refusal is lost, so the key is released
        logger.warning("The response to a refused request could not be stored; its key is released.")
    resources.claims.abandon(claim)
    with suppress(Unavailable):  # the next heartbeats try again
        await _in_turn(resources, resources.claims.tidy)


async def _in_turn(resources: Resources, write: Callable[[], Result]) -> Result:
    """Run a write when it is this request's turn, so that no thread waits for another request."""
    async with resources.writers:
        return await run_in_threadpool(write)


def _stored(response: Response) -> StoredResponse:
    headers = {name: response.headers[name] for name in STORED_HEADERS if name in response.headers}
    return StoredResponse(response.status_code, headers, bytes(response.body))


def _response(stored: StoredResponse) -> Response:
    return Response(stored.body, stored.status, headers={**stored.headers, "idempotent-replayed": "true"})
