"""The two clients: one blocks, the other awaits; what they call is written once."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar

import httpx2

from gatecast_client.calls.cross_validation import CrossValidationCalls
from gatecast_client.calls.datasets import DatasetCalls
from gatecast_client.calls.forecasts import ForecastCalls
from gatecast_client.calls.jobs import JobCalls
from gatecast_client.calls.models import ModelCalls
from gatecast_client.calls.schedules import ScheduleCalls
from gatecast_client.calls.service import ServiceCalls
from gatecast_client.core import BAD_REQUEST, Awaiting, Blocking, Core
from gatecast_client.flow import Close, Effect, Next, Open, Pause, Request, Send, Stream

Http = TypeVar("Http", httpx2.Client, httpx2.AsyncClient)


class Calls(
    DatasetCalls,
    ForecastCalls,
    JobCalls,
    ModelCalls,
    CrossValidationCalls,
    ScheduleCalls,
    ServiceCalls,
    Generic[Http],
):
    """Every call of the service, and the connections that they go over."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        timeout_s: float = 60.0,
        retries: int = 3,
        headers: Mapping[str, str] | None = None,
        http: Http | None = None,
    ) -> None:
        super().__init__(url, timeout_s=timeout_s, retries=retries, headers=headers)
        self._http: Http = self.connections() if http is None else http
        self._is_own = http is None

    def connections(self) -> Http:
        """Return connections of its own."""
        raise NotImplementedError


class Client(Calls[httpx2.Client], Blocking):
    """A connection to one service; close it, or use it as a context.

    A call waits at most `timeout_s` for each answer. One that was lost on the way, or refused for the moment
    (429, 503 with `Retry-After`), is repeated up to `retries` times, what creates something under one key, so
    that it is done once. `headers` go with every call, such as the password that a proxy asks for. `http` is
    a client of httpx2 of your own, with its certificates or proxies; it stays open.
    """

    def connections(self) -> httpx2.Client:
        """Return connections of its own."""
        return httpx2.Client()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            self._http.close()

    def perform(self, effect: Effect) -> Any:
        """Perform one effect and return its outcome."""
        match effect:
            case Send(request):
                return self._http.send(_built(self._http, self, request))
            case Open(request):
                response = self._http.send(_built(self._http, self, request), stream=True)
                if response.status_code >= BAD_REQUEST:
                    response.read()
                return Stream(response, iter(httpx2.EventSource(response)))
            case Next(stream):
                return next(stream.events, None)
            case Close(stream):
                stream.response.close()
            case Pause(seconds):
                time.sleep(seconds)
        return None


class AsyncClient(Calls[httpx2.AsyncClient], Awaiting):
    """The same for asyncio: calls are awaited, lists are read by `async for`; `http` is an AsyncClient."""

    def connections(self) -> httpx2.AsyncClient:
        """Return connections of its own."""
        return httpx2.AsyncClient()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            await self._http.aclose()

    async def perform(self, effect: Effect) -> Any:
        """Perform one effect and return its outcome."""
        match effect:
            case Send(request):
                return await self._http.send(_built(self._http, self, request))
            case Open(request):
                response = await self._http.send(_built(self._http, self, request), stream=True)
                if response.status_code >= BAD_REQUEST:
                    await response.aread()
                return Stream(response, aiter(httpx2.EventSource(response)))
            case Next(stream):
                return await anext(stream.events, None)
            case Close(stream):
                await stream.response.aclose()
            case Pause(seconds):
                await asyncio.sleep(seconds)
        return None


def _built(http: httpx2.Client | httpx2.AsyncClient, core: Core, request: Request) -> httpx2.Request:
    headers = {**core.headers, **request.headers}
    address = f"{core.url}{request.path}"
    return http.build_request(
        request.method, address, headers=headers, timeout=core.timeout_s, **request.content()
    )
