"""`Idempotency-Key` for the POSTs that create: the rules of `services.idempotency`, around a route."""

import hashlib
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from app.api.deps import CurrentPrincipal, TheParts, parts_of
from app.api.errors import problem
from app.auth import Principal
from app.db.engine import Session
from app.errors import AppError
from app.services import idempotency
from app.services.idempotency import Answer
from app.settings import MEBIBYTE

KEPT_HEADERS = ("content-type", "location", "retry-after")
SERVER_ERROR = 500
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True)
class Claim:
    """A key that this request holds until it is answered."""

    principal: Principal
    key: str


class Repeated(Exception):  # not an error: the way out with an answer that is already there
    """The call was made before."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered before")
        self.answer = answer


async def claim_key(
    request: Request,
    parts: TheParts,
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
) -> None:
    """Claim the key, if there is one, for this very call."""
    if idempotency_key is None:
        return
    fingerprint = await _fingerprint(request)

    def claim() -> Answer | None:
        with parts.database.write() as session:
            return idempotency.claim(session, principal, idempotency_key, fingerprint)

    async with parts.writers:
        answer = await run_in_threadpool(claim)
    if answer is not None:
        raise Repeated(answer)
    request.state.claim = Claim(principal, idempotency_key)


OncePerKey = Depends(claim_key)


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
            except BaseException as error:
                await _settle(request, error)
                raise
            finally:
                await request.close()  # the files of a form that was read by hand
            await _keep(request, response)
            return response

        return handler


async def _fingerprint(request: Request) -> str:
    """Hash what the call says: method, path, fields and files; not how a client happened to write it."""
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        form = await request.form()
        for name, value in sorted(form.multi_items(), key=lambda item: item[0]):
            digest.update(f"{name}={await _field(value)}\n".encode())
    else:
        digest.update(_canonical(await request.body()))
    return digest.hexdigest()


async def _field(value: UploadFile | str) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    content = await run_in_threadpool(_hash_file, value.file)
    return f"{value.filename}:{content}"


def _hash_file(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(MEBIBYTE):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _canonical(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except ValueError:
        return body


async def _keep(request: Request, response: Response) -> None:
    """Store the answer in the route's own transaction, which has not been committed yet."""
    claim: Claim | None = getattr(request.state, "claim", None)
    if claim is not None:
        session: Session = request.state.session
        answer = _answer(response)
        await run_in_threadpool(idempotency.keep, session, claim.principal, claim.key, answer)


async def _settle(request: Request, error: BaseException) -> None:
    """Keep the answer that refuses the call, or give the key free where the fault is not the caller's."""
    claim: Claim | None = getattr(request.state, "claim", None)
    if claim is None:
        return
    refused = isinstance(error, AppError) and error.status < SERVER_ERROR
    answer = _answer(problem(error, request.url.path)) if refused and isinstance(error, AppError) else None
    await run_in_threadpool(_store, request, claim, answer)


def _store(request: Request, claim: Claim, answer: Answer | None) -> None:
    if (session := getattr(request.state, "session", None)) is not None:
        session.rollback()  # what the call began is over, and its lock must not stand in the way
    with parts_of(request).database.write() as session:
        if answer is None:
            idempotency.release(session, claim.principal, claim.key)
        else:
            idempotency.keep(session, claim.principal, claim.key, answer)


def _answer(response: Response) -> Answer:
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return Answer(response.status_code, headers, bytes(response.body))


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, headers={**answer.headers, "idempotent-replayed": "true"})
