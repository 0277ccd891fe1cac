"""Forecasts: find the model and the last window of each series, let its method answer, name the times."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from app import blobs
from app.auth import Principal
from app.db.engine import Database, Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import models as model_queries
from app.db.tables import DatasetVersion, Model, Series
from app.errors import BadInput, Conflict, FieldError, NotFound
from app.intake.frame import SeriesFrame, TimeAxis
from app.intake.steps import Ints
from app.services import datasets, models, verdicts
from app.services import series as store
from app.services.answers import Answers, Known, of_nothing, told
from app.services.charts import History, refuse_several
from app.services.model_cache import ModelCache
from app.services.paging import PageRequest, cut
from app.services.unseen import Rows, Served, forecast_rows
from app.services.verdicts import Answerer
from models import baselines
from models.checkpoint import load
from models.forecasting import resolve_device, use_one_thread
from models.methods import forecast_by
from models.network import Forecaster
from models.windows import Panel

SLOW_PAGE = 50  # series: a table is sent page by page, and the first shall not take minutes


@dataclass(frozen=True)
class ForecastQuery:
    """What is asked for: a dataset (its champion answers) or a model, of which series, how far."""

    dataset_id: str | None = None
    model_id: str | None = None
    dataset_version: int | None = None
    unique_ids: tuple[str, ...] = ()
    horizon: int | None = None
    levels: tuple[int, ...] = (80, 95)

    def of_dataset(self, dataset_id: str) -> "ForecastQuery":
        """Return the same query, asked of a dataset."""
        return replace(self, dataset_id=dataset_id)


@dataclass(frozen=True)
class Source:
    """What answers a query: one model, and one version of the dataset whose series it forecasts."""

    model: Model
    version: DatasetVersion
    horizon: int
    levels: tuple[int, ...]
    answerer: Answerer
    axis: TimeAxis = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "axis", TimeAxis.from_dict(self.version.axis))

    @property
    def is_slow(self) -> bool:
        """Whether a series takes a tenth of a second, as ETS does, and not a millisecond."""
        return "ets" in self.answerer.method.weights


@dataclass(frozen=True)
class _Batch:
    """All that a page of forecasts takes, read already: what is computed holds no transaction open."""

    source: Source
    model: Forecaster
    rows: list[Series]
    next: str | None

    def answers(self) -> Answers:
        """Compute them."""
        source = self.source
        method, levels, version = source.answerer.method, source.levels, source.version
        known = Known(source.axis, _names(self.rows), _ends(self.rows), version.dataset_id, version.version)
        if self.rows:
            panel = _panel(source.axis, self.rows)
            forecast = forecast_by(method, self.model, panel, horizon=source.horizon, levels=levels)
        else:
            forecast = of_nothing(source.horizon, levels)
        return told(known, source.model, source.answerer, forecast, levels)


def warm_up() -> None:
    """Import what a blend or a fallback needs, so that no one waits seconds for the first of them."""
    baselines.preload()


class Oracle:
    """Answers queries with the models it keeps loaded on one device."""

    def __init__(self, database: Database, cache: ModelCache, device: str) -> None:
        self._database = database
        self._cache = cache
        self._device = str(resolve_device(device))
        use_one_thread()

    def answer(
        self, principal: Principal, query: ForecastQuery, request: PageRequest
    ) -> tuple[Answers, str | None]:
        """Forecast the series that the query names, or a page of all by name, with the key to go on after."""
        with self._database.read() as session:
            batch = self._read(session, _source(session, principal, query), query, request)
        return batch.answers(), batch.next

    def with_history(self, principal: Principal, query: ForecastQuery) -> tuple[Answers, History]:
        """Forecast the one series that the query names, and return what is known of it as well.

        Raises BadInput if the query names none, or several.
        """
        refuse_several(len(query.unique_ids), "?unique_id")
        with self._database.read() as session:
            batch = self._read(session, _source(session, principal, query), query, PageRequest(1))
        (row,) = batch.rows
        return batch.answers(), History.until(batch.source.axis, row.end, store.tail(row))

    def unseen(self, principal: Principal, query: ForecastQuery, rows: Rows) -> tuple[Answers, SeriesFrame]:
        """Forecast the series that rows hold with what answers the query, and return them as read."""
        with self._database.read() as session:
            source = _source(session, principal, query)
            network = self._model(session, source.model)
        served = Served(source.model, source.axis, source.answerer, network)
        return forecast_rows(served, rows, source.horizon, source.levels)

    def pages(self, principal: Principal, query: ForecastQuery, page_size: int) -> Iterator[Answers]:
        """Forecast every series asked for, page by page, each read in a short transaction of its own."""
        following: str | None = None
        answerer: Answerer | None = None
        while True:
            with self._database.read() as session:
                source = _source(session, principal, query, answerer)
                size = min(page_size, SLOW_PAGE) if source.is_slow else page_size
                batch = self._read(session, source, query, PageRequest(size, following))
            yield batch.answers()
            # Whatever happens meanwhile, one table comes from one method of one model, and one version.
            answerer = source.answerer
            query = replace(query, model_id=source.model.id, dataset_version=source.version.version)
            if (following := batch.next) is None:
                return

    def _read(self, session: Session, source: Source, query: ForecastQuery, request: PageRequest) -> _Batch:
        model = self._model(session, source.model)
        if query.unique_ids:
            rows = datasets.named_series(session, source.version, list(query.unique_ids))
            return _Batch(source, model, rows, next=None)
        found = dataset_queries.series_page(session, source.version, request.limit + 1, request.after)
        shown, following = cut(found, request, lambda row: row.unique_id)
        return _Batch(source, model, list(shown), following)

    def _model(self, session: Session, row: Model) -> Forecaster:
        def fetch() -> Forecaster:
            weights = blobs.get(session, row.workspace_id, row.weights_key)
            return load(weights, row.artifact, device=self._device)

        return self._cache.get((row.workspace_id, row.id), fetch)


def _source(
    session: Session, principal: Principal, query: ForecastQuery, answerer: Answerer | None = None
) -> Source:
    model = _model_asked_for(session, principal, query)
    _, newest = datasets.find(session, principal, model.dataset_id)
    version = newest
    if query.dataset_version is not None and query.dataset_version != newest.version:
        version = _version(session, principal, model.dataset_id, query.dataset_version)
    horizon = model.horizon if query.horizon is None else query.horizon
    _check_horizon(session, model, horizon)
    return Source(model, version, horizon, query.levels, answerer or verdicts.answerer(model))


def _model_asked_for(session: Session, principal: Principal, query: ForecastQuery) -> Model:
    if query.model_id is not None:
        model, _ = models.find(session, principal, query.model_id)
        if query.dataset_id not in (None, model.dataset_id):
            raise BadInput(
                f"Model {model.id} belongs to dataset {model.dataset_id}, not to {query.dataset_id}.",
                [FieldError("?dataset_id", "Leave it out: the model knows its dataset.")],
            )
        return model
    if query.dataset_id is None:
        raise BadInput(
            "A forecast needs dataset_id or model_id.",
            [FieldError("?dataset_id", "Give the id of a dataset, or model_id instead.")],
        )
    return _champion(session, principal, query.dataset_id)


def _champion(session: Session, principal: Principal, dataset_id: str) -> Model:
    dataset, _ = datasets.find(session, principal, dataset_id)
    if dataset.champion_id is None:
        raise Conflict(_how_to_get_a_champion(session, principal, dataset_id))
    model, _ = models.find(session, principal, dataset.champion_id)
    return model


def _how_to_get_a_champion(session: Session, principal: Principal, dataset_id: str) -> str:
    newest = model_queries.page(session, principal.workspace_id, dataset_id, limit=1, before=None)
    if newest:
        promotion = f"POST /models/{newest[0][0].id}/promote"
        return f"Dataset {dataset_id} has models, and none to forecast with; choose one by {promotion}."
    return (
        f"Dataset {dataset_id} has no model yet. Train one with POST /train "
        f'{{"dataset_id": "{dataset_id}", "horizon": 12}} and ask again when its job has succeeded.'
    )


def _version(session: Session, principal: Principal, dataset_id: str, number: int) -> DatasetVersion:
    found = dataset_queries.version(session, principal.workspace_id, dataset_id, number)
    if found is None:
        raise NotFound(f"Dataset {dataset_id} has no version {number}.")
    return found


def _check_horizon(session: Session, model: Model, horizon: int) -> None:
    if horizon <= model.horizon:
        return
    others = model_queries.reaching(session, model.workspace_id, model.dataset_id, horizon)
    remedy = (
        f"Ask with model_id={others[0]}." if others else "Train a model with that horizon by POST /train."
    )
    raise BadInput(
        f"Model {model.id} forecasts at most {model.horizon} steps ahead, not {horizon}. {remedy}",
        [FieldError("?horizon", f"At most {model.horizon} with this model.")],
    )


def _names(rows: list[Series]) -> list[str]:
    return [row.unique_id for row in rows]


def _ends(rows: list[Series]) -> Ints:
    return np.array([row.end for row in rows], dtype=np.int64)


def _panel(axis: TimeAxis, rows: list[Series]) -> Panel:
    tails = [store.tail(row) for row in rows]
    lengths = np.array([len(tail) for tail in tails], dtype=np.int64)
    phases = (axis.phase(_ends(rows)) - (lengths - 1)) % axis.season_length
    return Panel(
        values=np.concatenate(tails), offsets=np.concatenate([[0], np.cumsum(lengths)]), phases=phases
    )
