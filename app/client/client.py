"""A small client over httpx2: one method for each route, with the service's own schemas."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypedDict, Unpack

import httpx2

from app.schemas.backtests import BacktestPage, BacktestRow, PretrainedBacktestOut
from app.schemas.choices import (
    DEFAULT_ARCHITECTURE,
    DEFAULT_LEVELS,
    DEFAULT_MEASURE,
    DEFAULT_METHOD,
    DEFAULT_ON_LOSS,
    DEFAULT_PROMOTION,
    DEFAULT_START,
    NO_LIMITS,
    ArchitectureChoice,
    Duplicates,
    Layout,
    Limits,
    MeasureChoice,
    MethodChoice,
    Missing,
    OnLoss,
    Preset,
    Promotion,
    StartChoice,
)
from app.schemas.datasets import (
    DatasetOut,
    DatasetPage,
    DatasetSummary,
    DatasetUpdate,
    ObservationIn,
    ObservationPage,
    ObservationsIn,
    ObservationsOut,
    PreviewOut,
    SeriesOut,
    SeriesPage,
    VersionOut,
    VersionPage,
)
from app.schemas.forecast import AdHocRequest, ForecastPage
from app.schemas.jobs import JobOut, JobPage
from app.schemas.media_types import CSV, EVENT_STREAM, PROBLEM
from app.schemas.models import ModelOut, ModelUpdate
from app.schemas.schedules import ScheduleOut, SchedulePage
from app.schemas.workers import WorkerOut, WorkerPage

FINAL = ("succeeded", "failed", "cancelled")
TIMEOUT_S = 60.0
RECONNECT_FOR_S = 60.0  # after an event stream was disconnected
RECONNECT_S = 0.5
BAD_REQUEST, UNAVAILABLE = 400, 503
PAGE = 1000  # the most that a page may hold


class Reading(TypedDict, total=False):
    """What may be said of how to read a table; what is absent is found."""

    id_column: str  # several columns are separated by commas
    time_column: str
    target_column: str
    past_columns: str
    future_columns: str
    static_columns: str
    category_columns: str
    unused_columns: str
    frequency: str
    date_format: str
    time_zone: str
    decimal: Literal[".", ","]
    encoding: str
    skip_rows: int
    sheet: str
    layout: Layout
    duplicates: Duplicates
    missing: Missing
    missing_values: str


class ServiceError(Exception):
    """The service refused a request; the text is the detail of its problem document."""


class JobFailed(Exception):
    """A training ended without a model; the text is the reason."""


class Client:
    """A connection to one service."""

    def __init__(self, url: str) -> None:
        self._http = httpx2.Client(base_url=url, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._http.close()

    def is_ready(self) -> bool:
        """Return whether the service is ready."""
        try:
            return self._http.get("/readyz").is_success
        except httpx2.TransportError:
            return False

    def upload_csv(
        self,
        name: str,
        content: bytes,
        season_length: Sequence[int] = (),
        limits: Limits = NO_LIMITS,
        **reading: Unpack[Reading],
    ) -> DatasetOut:
        """Upload a table as a new dataset.

        `season_length` are the steps in each season, [1] for none; `limits` are what its forecasts stay in;
        `reading` says how to read it, such as `target_column="Close"` or `duplicates="sum"`.
        """
        files = {"file": (f"{name}.csv", content, CSV)}
        seasons = ",".join(map(str, season_length))
        data = {"name": name, "season_length": seasons, **_texts(limits), **reading}
        return DatasetOut.model_validate(self._call("POST", "/datasets", files=files, data=data))

    def upload_file(self, path: Path, **reading: Unpack[Reading]) -> DatasetOut:
        """Upload a file as a new dataset, named after the file; `reading` as `upload_csv` takes it."""
        return self.upload_csv(path.stem, path.read_bytes(), **reading)

    def preview_csv(self, content: bytes, **reading: Unpack[Reading]) -> PreviewOut:
        """Show how a table would be read, and what is open; nothing is stored."""
        answer = self._call(
            "POST",
            "/datasets",
            params={"preview": True},
            files={"file": ("table.csv", content, CSV)},
            data=reading,
        )
        return PreviewOut.model_validate(answer)

    def append(
        self, dataset_id: str, observations: Sequence[ObservationIn], missing: Missing | None = None
    ) -> ObservationsOut:
        """Append rows to a dataset, or correct existing ones; the next forecast uses them.

        `missing` says what the steps between mean, which lets rows lie far away.
        """
        body = ObservationsIn(observations=list(observations), missing=missing).model_dump(mode="json")
        return ObservationsOut.model_validate(
            self._call("POST", f"/datasets/{dataset_id}/observations", json=body)
        )

    def update_dataset(self, dataset_id: str, **changes: Any) -> DatasetOut:
        """Change the `name`, `lower`, `upper`, `integer` or `season_length`; None removes a limit."""
        body = DatasetUpdate(**changes).model_dump(exclude_unset=True)
        return DatasetOut.model_validate(self._call("PATCH", f"/datasets/{dataset_id}", json=body))

    def datasets(self, name: str | None = None) -> list[DatasetSummary]:
        """List the newest datasets, or those of a name."""
        params = {} if name is None else {"name": name}
        return DatasetPage.model_validate(self._call("GET", "/datasets", params=params)).datasets

    def versions(self, dataset_id: str) -> list[VersionOut]:
        """List the newest versions of a dataset."""
        return VersionPage.model_validate(self._call("GET", f"/datasets/{dataset_id}/versions")).versions

    def series(self, dataset_id: str) -> Iterator[SeriesOut]:
        """Yield the series of a dataset by name, page by page."""
        path = f"/datasets/{dataset_id}/series"
        return chain.from_iterable(SeriesPage.model_validate(page).series for page in self._pages(path))

    def observations(self, dataset_id: str, unique_id: str) -> ObservationPage:
        """Return all observations of a series, with the columns beside them."""
        path = f"/datasets/{dataset_id}/observations"
        first, *others = (
            ObservationPage.model_validate(page) for page in self._pages(path, unique_id=unique_id)
        )
        for page in others:
            first.ds += page.ds
            first.y += page.y
            for name in first.columns:
                first.columns[name] += page.columns[name]
        return first.model_copy(update={"next": None})

    def train(  # noqa: PLR0913  # one argument for each field of the call
        self,
        dataset_id: str,
        horizon: int,
        preset: Preset,
        architecture: ArchitectureChoice = DEFAULT_ARCHITECTURE,
        *,
        start: StartChoice = DEFAULT_START,
        method: MethodChoice = DEFAULT_METHOD,
        measure: MeasureChoice = DEFAULT_MEASURE,
        on_loss: OnLoss = DEFAULT_ON_LOSS,
        promote: Promotion = DEFAULT_PROMOTION,
        seed: int = 0,
        priority: int = 0,
        season_length: Sequence[int] | None = None,
    ) -> JobOut:
        """Queue a training."""
        body = {
            "dataset_id": dataset_id,
            "horizon": horizon,
            "preset": preset,
            "architecture": architecture,
            "start": start,
            "method": method,
            "measure": measure,
            "on_loss": on_loss,
            "promote": promote,
            "seed": seed,
            "priority": priority,
            "season_length": None if season_length is None else list(season_length),
        }
        return JobOut.model_validate(self._call("POST", "/train", json=body))

    def job(self, job_id: str) -> JobOut:
        """Return a job."""
        return JobOut.model_validate(self._call("GET", f"/jobs/{job_id}"))

    def jobs(self) -> list[JobOut]:
        """List the newest jobs."""
        return JobPage.model_validate(self._call("GET", "/jobs")).jobs

    def events(self, job_id: str) -> Iterator[JobOut]:
        """Yield a job as it is now and whenever it has changed, until it has ended.

        A stream that breaks off is resumed where it was, even if the service was restarted. Raises
        ServiceError if there is none at first, or none within a minute after a break.
        """
        last_id, deadline = "", time.monotonic()
        while True:
            for event in self._events_after(last_id, job_id, deadline):
                last_id, job = event.id, JobOut.model_validate_json(event.data)
                yield job
                if job.state in FINAL:
                    return
            deadline = time.monotonic() + RECONNECT_FOR_S
            time.sleep(RECONNECT_S)

    def cancel(self, job_id: str) -> JobOut:
        """Cancel a queued or running job."""
        return JobOut.model_validate(self._call("POST", f"/jobs/{job_id}/cancel"))

    def workers(self) -> list[WorkerOut]:
        """List the newest workers."""
        return WorkerPage.model_validate(self._call("GET", "/workers")).workers

    def schedule(self, dataset_id: str, cron: str, horizon: int, preset: Preset) -> ScheduleOut:
        """Queue a training at each time of a cron expression."""
        body = {"dataset_id": dataset_id, "cron": cron, "train": {"horizon": horizon, "preset": preset}}
        return ScheduleOut.model_validate(self._call("POST", "/schedules", json=body))

    def schedules(self) -> list[ScheduleOut]:
        """List the newest schedules."""
        return SchedulePage.model_validate(self._call("GET", "/schedules")).schedules

    def pause_schedule(self, schedule_id: str, *, paused: bool = True) -> ScheduleOut:
        """Pause or resume a schedule."""
        changes = {"paused": paused}
        return ScheduleOut.model_validate(self._call("PATCH", f"/schedules/{schedule_id}", json=changes))

    def delete_schedule(self, schedule_id: str) -> None:
        """Delete a schedule."""
        self._call("DELETE", f"/schedules/{schedule_id}")

    def wait(self, job_id: str, on_change: Callable[[JobOut], None] = lambda _: None) -> JobOut:
        """Wait until a job has succeeded; call `on_change` with it now and at every change.

        Raises JobFailed if it ends in any other way.
        """
        for job in self.events(job_id):
            on_change(job)
            if job.state == "succeeded":
                return job
        raise JobFailed(job.error or f"Job {job_id} was {job.state}.")

    def model(self, model_id: str) -> ModelOut:
        """Return a model."""
        return ModelOut.model_validate(self._call("GET", f"/models/{model_id}"))

    def backtest(self, model_id: str) -> Iterator[BacktestRow]:
        """Yield the rows of a model's backtest, page by page."""
        for page in self._pages(f"/models/{model_id}/backtest"):
            yield from BacktestPage.model_validate(page).rows

    def pretrained_backtest(self, dataset_id: str, horizon: int | None = None) -> PretrainedBacktestOut:
        """Return how the pretrained network did on a dataset; ServiceError while its backtest runs."""
        params = {"dataset_id": dataset_id} | ({} if horizon is None else {"horizon": str(horizon)})
        return PretrainedBacktestOut.model_validate(
            self._call("GET", "/models/pretrained/backtest", params=params)
        )

    def update_model(
        self, model_id: str, *, on_loss: OnLoss | None = None, name: str | None = None
    ) -> ModelOut:
        """Change what a model does when a baseline beats it, its name, or both."""
        changes = ModelUpdate(on_loss=on_loss, name=name).model_dump(exclude_none=True)
        return ModelOut.model_validate(self._call("PATCH", f"/models/{model_id}", json=changes))

    def promote(self, model_id: str) -> ModelOut:
        """Make a model the champion of its dataset."""
        return ModelOut.model_validate(self._call("POST", f"/models/{model_id}/promote"))

    def delete_model(self, model_id: str) -> None:
        """Delete a model."""
        self._call("DELETE", f"/models/{model_id}")

    def forecast(
        self, dataset_id: str, unique_ids: Sequence[str] = (), levels: Sequence[int] = DEFAULT_LEVELS
    ) -> ForecastPage:
        """Forecast series by name, or the first thousand of the dataset; no training is needed before."""
        named = {"dataset_id": dataset_id, "unique_id": list(unique_ids)}
        body = self._call("GET", "/forecast", params={**named, "level": list(levels), "limit": PAGE})
        return ForecastPage.model_validate(body)

    def forecast_ad_hoc(  # noqa: PLR0913  # one argument for each field of the call
        self,
        observations: Sequence[ObservationIn],
        *,
        dataset_id: str | None = None,
        model_id: str | None = None,
        horizon: int | None = None,
        levels: Sequence[int] = DEFAULT_LEVELS,
        season_length: Sequence[int] | None = None,
        limits: Limits = NO_LIMITS,
        duplicates: Duplicates | None = None,
        missing: Missing | None = None,
    ) -> ForecastPage:
        """Forecast series that no dataset holds: by themselves, with a dataset's champion or with a model."""
        request = AdHocRequest(
            dataset_id=dataset_id,
            model_id=model_id,
            horizon=horizon,
            level=list(levels),
            season_length=None if season_length is None else list(season_length),
            lower=limits.lower,
            upper=limits.upper,
            integer=limits.integer,
            duplicates=duplicates,
            missing=missing,
            observations=list(observations),
        )
        body = self._call("POST", "/forecast", json=request.model_dump(mode="json"))
        return ForecastPage.model_validate(body)

    def delete_dataset(self, dataset_id: str) -> None:
        """Delete a dataset and its models."""
        self._call("DELETE", f"/datasets/{dataset_id}")

    def _events_after(self, last_id: str, job_id: str, deadline: float) -> Iterator[httpx2.ServerSentEvent]:
        """Yield events until the stream ends or breaks off; connect again until the deadline."""
        headers = {"Accept": EVENT_STREAM} | ({"Last-Event-ID": last_id} if last_id else {})
        request = self._http.build_request("GET", f"/jobs/{job_id}/events", headers=headers)
        with closing(self._open_stream(request, deadline)) as response:
            try:
                yield from httpx2.EventSource(response)
            except httpx2.SSEError as error:
                raise ServiceError(f"{request.url} is no stream of events: {error}") from error
            except httpx2.TransportError:
                return

    def _open_stream(self, request: httpx2.Request, deadline: float) -> httpx2.Response:
        while True:
            is_over = time.monotonic() >= deadline
            try:
                response = self._http.send(request, stream=True)
            except httpx2.TransportError as error:
                if is_over:
                    raise ServiceError(f"No answer from {self._http.base_url}: {error}") from error
            else:
                if response.status_code < BAD_REQUEST:
                    return response
                response.read()
                if is_over or response.status_code != UNAVAILABLE:
                    raise ServiceError(_reason(response))
            time.sleep(RECONNECT_S)

    def _pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list."""
        cursor: str | None = None
        while True:
            following = {} if cursor is None else {"cursor": cursor}
            page = self._call("GET", path, params={"limit": PAGE, **params, **following})
            yield page
            cursor = page["next"]
            if cursor is None:
                return

    def _call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **sent)
        except httpx2.TransportError as error:
            raise ServiceError(f"No answer from {self._http.base_url}: {error}") from error
        if response.status_code >= BAD_REQUEST:
            raise ServiceError(_reason(response))
        body: dict[str, Any] = response.json() if response.content else {}
        return body


def _texts(limits: Limits) -> dict[str, str]:
    """Return limits as the fields of a form, which take no exponents."""
    ends = {"lower": limits.lower, "upper": limits.upper}
    texts = {name: "" if end is None else f"{Decimal(str(end)):f}" for name, end in ends.items()}
    return {**texts, "integer": "true" if limits.integer else ""}


def _reason(response: httpx2.Response) -> str:
    if response.headers.get("content-type", "").startswith(PROBLEM):
        return str(response.json()["detail"])
    return f"The service answered {response.status_code}."
