"""What all calls share: sending with retries, parsing, following pages, and their two ways of running."""

import inspect
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import wraps
from time import time
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload
from urllib.parse import quote

import httpx2
from pydantic import TypeAdapter

from gatecast_client._version import __version__
from gatecast_client.errors import NoAnswer, refusal
from gatecast_client.flow import Effect, Flow, Pause, Request, Send, Source
from gatecast_client.shapes import Shape

PAGE = 1000  # the most that a page may hold
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
BAD_REQUEST, CONFLICT, TOO_MANY, UNAVAILABLE = 400, 409, 429, 503
KEY, RETRY_AFTER = "Idempotency-Key", "Retry-After"
UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout)
BROKEN = (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError)

Calling = ParamSpec("Calling")
Result = TypeVar("Result")
Found = TypeVar("Found", bound=Shape)


class HasId(Protocol):
    """A dataset, job, model or schedule that a call returned."""

    @property
    def id(self) -> str:
        """Its identifier."""
        ...


Ref = str | HasId
"""An identifier, or what a call returned that has one."""


def id_of(ref: Ref) -> str:
    """Return the identifier."""
    return ref if isinstance(ref, str) else ref.id


def path_to(*parts: Ref) -> str:
    """Return the path of a noun, an identifier, and so on."""
    return "".join(f"/{quote(id_of(part), safe='')}" for part in parts)


class Core:
    """Where the service is, and how patiently it is called."""

    def __init__(
        self, url: str, *, timeout_s: float = 60.0, retries: int = 3, headers: Mapping[str, str] | None = None
    ) -> None:
        if retries < 0:
            raise ValueError(f"retries is {retries}; it must be 0 or more.")
        self.url = url.rstrip("/")
        self.timeout_s, self.retries = timeout_s, retries
        self.headers = {"User-Agent": f"gatecast-client/{__version__}", **(headers or {})}

    def fetch(self, shape: type[Found], request: Request) -> Flow[Found]:
        """Send a request and return its answer."""
        response = yield from self.send(request)
        return shape.model_validate_json(response.content)

    def create(self, shape: type[Found], request: Request) -> Flow[Found]:
        """Send a request that must not be done twice, with a key by which the service knows it again."""
        keyed = Request(**{**vars(request), "headers": {**request.headers, KEY: uuid.uuid4().hex}})
        return self.fetch(shape, keyed)

    def send(self, request: Request) -> Flow[httpx2.Response]:
        """Send a request, again where that helps, and return the response to it; raises GatecastError."""
        attempt = 0
        while True:
            pause_s = FIRST_PAUSE_S * 2**attempt
            try:
                response: httpx2.Response = yield Send(request)
            except httpx2.TransportError as error:
                if attempt == self.retries or not _may_be_sent_again(request, error):
                    raise NoAnswer(f"No answer from {self.url}: {error}") from error
            else:
                if response.status_code < BAD_REQUEST:
                    return response
                if attempt == self.retries or not _asks_for_patience(request, response):
                    raise refusal(response)
                pause_s = _pause_s(response, pause_s)
            yield Pause(pause_s)
            attempt += 1


def _may_be_sent_again(request: Request, error: httpx2.TransportError) -> bool:
    """Return whether a lost request may be repeated: a deletion that was done would not be found again."""
    return isinstance(error, UNSENT) or (isinstance(error, BROKEN) and request.method != "DELETE")


def _asks_for_patience(request: Request, response: httpx2.Response) -> bool:
    """Return whether a refusal will pass: too many calls, a start, or the same call still in work."""
    if response.status_code == CONFLICT:
        return KEY in request.headers and RETRY_AFTER in response.headers
    return response.status_code == TOO_MANY or (
        response.status_code == UNAVAILABLE and RETRY_AFTER in response.headers
    )


def _pause_s(response: httpx2.Response, default: float) -> float:
    """Return the seconds that `Retry-After` asks for, as a number or as a date."""
    text = response.headers.get(RETRY_AFTER, "")
    if text.isdecimal():
        return min(float(text), LONGEST_PAUSE_S)
    try:
        return min(max(parsedate_to_datetime(text).timestamp() - time(), 0.0), LONGEST_PAUSE_S)
    except ValueError:
        return default


class Pages(Generic[Found]):
    """A list that the service answers page by page."""

    def __init__(self, core: Core, shape: type[Found], field: str, request: Request) -> None:
        self._core, self._field, self._request = core, field, request
        self._items = TypeAdapter(list[shape])  # type: ignore[valid-type]  # a type for pydantic alone
        self._cursor: str | None = ""

    def next(self) -> Flow[list[Found] | None]:
        """Return the items of the next page, or None after the last."""
        if self._cursor is None:
            return None
        following = {"cursor": self._cursor} if self._cursor else {}
        request = Request(**{**vars(self._request), "params": {**self._request.params, **following}})
        response = yield from self._core.send(request)
        page = response.json()
        self._cursor = page["next"]
        items: list[Found] = self._items.validate_python(page[self._field])
        return items

    def close(self) -> Flow[None]:
        """Do nothing: no page is open."""
        yield from ()


def collected(pages: Pages[Found]) -> Flow[list[Found]]:
    """Return the items of all pages."""
    found: list[Found] = []
    while (page := (yield from pages.next())) is not None:
        found += page
    return found


def listing(path: str, **params: Any) -> Request:
    """Return the request for a list, with the parameters that are said."""
    said = {name: value for name, value in params.items() if value is not None}
    return Request("GET", path, params={**said, "limit": PAGE})


class Blocking:
    """A client whose calls block until they are answered."""

    def run(self, flow: Flow[Result]) -> Result:
        """Perform a call and return what it comes to."""
        try:
            effect = next(flow)
            while True:
                try:
                    outcome = self.perform(effect)
                except BaseException as error:  # noqa: BLE001  # the flow tidies up, and raises it again
                    effect = flow.throw(error)
                else:
                    effect = flow.send(outcome)
        except StopIteration as end:
            result: Result = end.value
            return result

    def iterate(self, source: Source[Result]) -> Iterator[Result]:
        """Yield the items of a source."""
        try:
            while (items := self.run(source.next())) is not None:
                yield from items
        finally:
            self.run(source.close())

    def perform(self, effect: Effect) -> Any:
        """Perform one effect and return its outcome."""
        raise NotImplementedError


class Awaiting:
    """A client whose calls are awaited."""

    async def run(self, flow: Flow[Result]) -> Result:
        """Perform a call and return what it comes to."""
        try:
            effect = next(flow)
            while True:
                try:
                    outcome = await self.perform(effect)
                except BaseException as error:  # noqa: BLE001  # the flow tidies up, and raises it again
                    effect = flow.throw(error)
                else:
                    effect = flow.send(outcome)
        except StopIteration as end:
            result: Result = end.value
            return result

    async def iterate(self, source: Source[Result]) -> AsyncIterator[Result]:
        """Yield the items of a source."""
        try:
            while (items := await self.run(source.next())) is not None:
                for item in items:
                    yield item
        finally:
            await self.run(source.close())

    async def perform(self, effect: Effect) -> Any:
        """Perform one effect and return its outcome."""
        raise NotImplementedError


class call(Generic[Calling, Result]):  # noqa: N801  # used as a decorator
    """A method that is written as a flow: it returns the result, or a coroutine of an AsyncClient."""

    def __init__(self, flow: Callable[Concatenate[Any, Calling], Flow[Result]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, client: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: Any) -> Callable[Calling, Result]: ...
    @overload
    def __get__(self, client: Awaiting, owner: Any) -> Callable[Calling, Coroutine[Any, Any, Result]]: ...
    def __get__(self, client: Blocking | Awaiting | None, owner: Any) -> Any:
        """Return the method of a client."""
        return self if client is None else _bound(client, self._flow, client.run)


class items(Generic[Calling, Result]):  # noqa: N801  # used as a decorator
    """A method that is written as a source: an iterator, or an asynchronous one of an AsyncClient."""

    def __init__(self, source: Callable[Concatenate[Any, Calling], Source[Result]]) -> None:
        self._source = source
        self.__doc__ = source.__doc__

    @overload
    def __get__(self, client: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: Any) -> Callable[Calling, Iterator[Result]]: ...
    @overload
    def __get__(self, client: Awaiting, owner: Any) -> Callable[Calling, AsyncIterator[Result]]: ...
    def __get__(self, client: Blocking | Awaiting | None, owner: Any) -> Any:
        """Return the method of a client."""
        return self if client is None else _bound(client, self._source, client.iterate)


def _bound(client: object, written: Callable[..., Any], run: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a method that runs what is written, with its name, its parameters and its text."""

    @wraps(written)
    def method(*args: Any, **kwargs: Any) -> Any:
        return run(written(client, *args, **kwargs))

    signature = inspect.signature(written)
    parameters = list(signature.parameters.values())[1:]
    public = signature.replace(parameters=parameters, return_annotation=signature.empty)
    method.__signature__ = public  # type: ignore[attr-defined]
    return method
