"""Trainings: ask for one, follow it, wait for it."""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Unpack

import httpx2

from gatecast_client.core import (
    BAD_REQUEST,
    UNAVAILABLE,
    Core,
    Pages,
    Ref,
    call,
    id_of,
    items,
    listing,
    path_to,
)
from gatecast_client.errors import JobFailed, NoAnswer, refusal
from gatecast_client.flow import Close, Flow, Next, Open, Pause, Request, Stream
from gatecast_client.options import Preset, Training, said
from gatecast_client.progress import FINAL, default_bar
from gatecast_client.shapes import Job

RECONNECT_FOR_S = 60.0  # after an event stream was disconnected
RECONNECT_S = 0.5
EVENT_STREAM = "text/event-stream"


class JobCalls(Core):
    """The calls of `/train` and under `/jobs`."""

    @call
    def train(
        self, dataset: Ref, horizon: int, preset: Preset | None = None, **training: Unpack[Training]
    ) -> Flow[Job]:
        """Queue a training on the newest version of a dataset; `wait` for it."""
        return queued(self, dataset, {"horizon": horizon, "preset": preset, **training})

    @call
    def job(self, job: Ref) -> Flow[Job]:
        """Return a job."""
        return self.fetch(Job, Request("GET", path_to("jobs", job)))

    @items
    def jobs(self) -> Pages[Job]:
        """List all jobs, newest first."""
        return Pages(self, Job, "jobs", listing("/jobs"))

    @call
    def cancel(self, job: Ref) -> Flow[Job]:
        """Cancel a queued or running job."""
        return self.fetch(Job, Request("POST", path_to("jobs", job, "cancel")))

    @items
    def events(self, job: Ref) -> "Events":
        """List a job as it is now and whenever it has changed, until it has ended.

        A stream that breaks off is resumed where it was, even if the service was restarted. Raises NoAnswer
        if there is none at first, or none within a minute after a break.
        """
        return Events(self, job)

    @call
    def wait(self, job: Ref, on_change: Callable[[Job], None] | None = None) -> Flow[Job]:
        """Wait until a job has succeeded, and return it; call `on_change` with it now and at every change.

        By default a progress bar is shown, at a terminal and in a notebook. Raises JobFailed if the job ends
        in any other way.
        """
        return waited(self, job, on_change)


def queued(core: Core, dataset: Ref, settings: Mapping[str, Any]) -> Flow[Job]:
    """Queue a training with the settings that are said."""
    return core.create(Job, Request("POST", "/train", json={"dataset_id": id_of(dataset), **said(settings)}))


def waited(core: Core, job: Ref, on_change: Callable[[Job], None] | None = None) -> Flow[Job]:
    """Wait until a job has succeeded, as `JobCalls.wait` does."""
    show = on_change or default_bar()
    events = Events(core, job)
    try:
        while (changed := (yield from events.next())) is not None:
            (now,) = changed
            if show is not None:
                show(now)
    finally:
        yield from events.close()
    if now.state != "succeeded":
        raise JobFailed(now.error or f"Job {now.id} was {now.state}.")
    return now


class Events:
    """The states of a job, from its event stream."""

    def __init__(self, core: Core, job: Ref) -> None:
        self._core, self._path = core, path_to("jobs", job, "events")
        self._stream: Stream | None = None
        self._last_id, self._deadline = "", monotonic()
        self._has_ended = False

    def next(self) -> Flow[list[Job] | None]:
        """Return the next state alone, or None after the final one."""
        while not self._has_ended:
            if self._stream is None:
                self._stream = yield from self._opened()
            event = yield from self._event(self._stream)
            if event is not None:
                self._last_id, job = event.id, Job.model_validate_json(event.data)
                self._has_ended = job.state in FINAL
                return [job]
            yield from self.close()
            self._deadline = monotonic() + RECONNECT_FOR_S
            yield Pause(RECONNECT_S)
        return None

    def close(self) -> Flow[None]:
        """Close the stream, if one is open."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            yield Close(stream)

    def _event(self, stream: Stream) -> Flow[httpx2.ServerSentEvent | None]:
        """Return the next event, or None where the stream ends or breaks off."""
        try:
            event: httpx2.ServerSentEvent | None = yield Next(stream)
        except httpx2.SSEError as error:
            raise NoAnswer(f"{self._core.url}{self._path} is no stream of events: {error}") from error
        except httpx2.TransportError:
            return None
        return event

    def _opened(self) -> Flow[Stream]:
        """Return the stream, from the last event on; connect again until the deadline."""
        headers = {"Accept": EVENT_STREAM} | ({"Last-Event-ID": self._last_id} if self._last_id else {})
        while True:
            is_over = monotonic() >= self._deadline
            try:
                stream: Stream = yield Open(Request("GET", self._path, headers=headers))
            except httpx2.TransportError as error:
                if is_over:
                    raise NoAnswer(f"No answer from {self._core.url}: {error}") from error
            else:
                if stream.response.status_code < BAD_REQUEST:
                    return stream
                yield Close(stream)
                if is_over or stream.response.status_code != UNAVAILABLE:
                    raise refusal(stream.response)
            yield Pause(RECONNECT_S)
