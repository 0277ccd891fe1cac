"""`Idempotency-Key` for the POSTs that create: the rules of `services.idempotency`, around a route."""

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
from app.api.http.body_parsing import MULTIPART, content_type
from app.api.http.errors import problem
from app.db.engine import Session
from app.digest import sha256_of_parts
from app.errors import AppError, BadInput, FieldError, Unavailable
from app.services.shared import idempotency
from app.services.shared.idempotency import Answer, Claim
from app.settings import MEBIBYTE

KEPT_HEADERS = ("content-type", "location", "retry-after")
SERVER_ERROR = 500
logger = logging.getLogger(__name__)
Done = TypeVar("Done")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Repeated(Exception):  # not an error: the way out with an answer that is already there
    """The call was made before."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered before")
        self.answer = answer


async def claim_key(
    request: Request,
    resources: TheResources,
    principal: CurrentPrincipal,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            description="Any text of your choice. The same key with the same call gives the first answer "
            "again for 24 hours, instead of doing it twice; with another call it is refused.",
        ),
    ] = None,
) -> AsyncIterator[None]:
    """Claim the key, if there is one, for this very call, and see to it that the key is settled."""
    if idempotency_key is None:
        yield
        return
    _refuse_several(request)
    fingerprint = await _fingerprint(request)
    claimed = await _in_turn(
        resources, partial(resources.claims.claim, principal, idempotency_key, fingerprint)
    )
    if isinstance(claimed, Answer):
        raise Repeated(claimed)
    request.state.claim = claimed
    try:
        yield
    except BaseException as error:  # after the call's own transaction has ended, also where its commit failed
        await _settle(resources, claimed, error, request.url.path)
        raise


OncePerKey = Depends(claim_key)


def _refuse_several(request: Request) -> None:
    if len(request.headers.getlist("idempotency-key")) > 1:
        remedy = "Send one key with a call."
        parts = [FieldError(idempotency.POINTER, remedy)]
        raise BadInput(f"The call has more than one Idempotency-Key. {remedy}", parts)


class IdempotentRoute(APIRoute):
    """A route that keeps its answer under the key that `OncePerKey` has claimed."""

    def get_route_handler(self) -> Handler:
        """Wrap the route's own handler."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await handle(request)
            except Repeated as repeated:
                return _response(repeated.answer)
            finally:
                await request.close()  # the files of a form that was read by hand
            await _keep(request, response)
            return response

        return handler


async def _fingerprint(request: Request) -> str:
    """Hash what the call says: method, path, and its body's bytes; of a form, which has other boundaries each
    time it is sent, its fields and the file's bytes.
    """
    parts = [f"{request.method} {request.url.path}?{request.url.query}\n".encode()]
    if content_type(request) == MULTIPART:
        form = await request.form()
        for name, value in sorted(form.multi_items(), key=lambda item: item[0]):
            field = await _field(value, resources_of(request).parsing_threads)
            parts.append(json.dumps([name, *field]).encode())
    else:
        parts.append(await request.body())
    return sha256_of_parts(parts)


async def _field(value: UploadFile | str, threads: CapacityLimiter) -> tuple[str | None, ...]:
    if isinstance(value, str):
        return (value,)
    return value.filename, await to_thread.run_sync(_hash_file, value.file, limiter=threads)


def _hash_file(file: BinaryIO) -> str:
    digest = sha256_of_parts(iter(lambda: file.read(MEBIBYTE), b""))
    file.seek(0)
    return digest


async def _keep(request: Request, response: Response) -> None:
    """Store the answer in the route's own transaction, which has not been committed yet."""
    claim: Claim | None = getattr(request.state, "claim", None)
    if claim is not None:
        session: Session = request.state.session
        await run_in_threadpool(idempotency.keep, session, claim, _answer(response))


async def _settle(resources: Resources, claim: Claim, error: BaseException, path: str) -> None:
    """Keep the answer that refuses the call, or give the key free where the fault is not the caller's."""
    if isinstance(error, CancelledError):  # the service stops, and nothing can be waited for
        resources.claims.abandon(claim)
        return
    try:
        if isinstance(error, AppError) and error.status < SERVER_ERROR:
            await _in_turn(resources, partial(resources.claims.refuse, claim, _answer(problem(error, path))))
            return
    except Unavailable:  # then the call was not refused as far as anyone will know
        logger.warning("The refusal of a call could not be kept; its key is free again.")
    resources.claims.abandon(claim)
    with suppress(Unavailable):  # it is tried again with the next heartbeats
        await _in_turn(resources, resources.claims.tidy)


async def _in_turn(resources: Resources, change: Callable[[], Done]) -> Done:
    """Change something when it is this call's turn: a thread must not wait for what another call holds."""
    async with resources.writers:
        return await run_in_threadpool(change)


def _answer(response: Response) -> Answer:
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return Answer(response.status_code, headers, bytes(response.body))


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, headers={**answer.headers, "idempotent-replayed": "true"})
