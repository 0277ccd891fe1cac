"""Forecasts: find the model and the last window of each series, let its method answer, name the times."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from app.auth import Principal
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import models as model_queries
from app.db.queries.datasets import LastWindow
from app.db.tables import DatasetVersion, Model
from app.errors import BadInput, FieldError, VersionGone
from app.intake.time.axis import TimeAxis
from app.services.datasets import catalog, panels
from app.services.datasets import series_store as store
from app.services.forecasting import pretrained
from app.services.forecasting.model_loading import LoadedModel, ModelKey, load, load_pretrained
from app.services.forecasting.result import Answers, History, Known, of_nothing, told
from app.services.registry import models, served_method
from app.services.registry.served_method import ServedMethod
from app.services.shared.paging import PageRequest, cut
from models.methods.combination import QuantileForecast, compute_quantile_forecast
from models.methods.forecast import Forecast

PAGE = 250  # series that a table is made of at a time: what a reader who stands still keeps in memory
SLOW_PAGE = 50  # where a series takes long, and the first page shall not take minutes
VersionKey = tuple[str, str, int, str]  # workspace, dataset, number, hash of what it was made of
OutlookKey = tuple[VersionKey, str, str, str]  # and model, weights, method


@dataclass(frozen=True)
class ForecastQuery:
    """What is asked for: a dataset (its champion answers) or a model, of which series, how far.

    Where there is no champion, or `model_id` says so, the pretrained network answers.
    """

    dataset_id: str | None = None
    model_id: str | None = None
    dataset_version: int | None = None
    unique_ids: tuple[str, ...] = ()
    horizon: int | None = None
    levels: tuple[int, ...] = (80, 95)

    @property
    def subject(self) -> "Subject":
        """What is asked, whatever series and levels it is asked about."""
        return Subject(self.dataset_id, self.model_id, self.dataset_version, self.horizon)

    @property
    def names_no_dataset(self) -> bool:
        """Whether neither a dataset is named nor a model that was trained on one."""
        return self.dataset_id is None and self.model_id in (None, pretrained.MODEL_ID)

    def of_dataset(self, dataset_id: str) -> "ForecastQuery":
        """Return the same query, asked of a dataset."""
        return replace(self, dataset_id=dataset_id)


class Subject(NamedTuple):
    """The part of a query that its source depends on."""

    dataset_id: str | None
    model_id: str | None
    dataset_version: int | None
    horizon: int | None


@dataclass(frozen=True, eq=False)
class Source:
    """What answers a query: one model, and one version of the dataset whose series it forecasts."""

    model: Model
    version: DatasetVersion
    horizon: int
    served_method: ServedMethod
    is_champion: bool

    @cached_property
    def axis(self) -> TimeAxis:
        """The time axis of the dataset."""
        return TimeAxis.from_dict(self.version.axis)

    @cached_property
    def ref(self) -> DatasetRef:
        """The dataset whose changes concern it."""
        return DatasetRef(self.version.workspace_id, self.version.dataset_id)

    @cached_property
    def version_key(self) -> VersionKey:
        """All that its series depend on; of a database that was set back, a number may come again."""
        return (*self.ref, self.version.version, self.version.source_sha256)

    @property
    def is_pretrained(self) -> bool:
        """Whether the pretrained network answers, and no model of the dataset."""
        return self.model.id == pretrained.MODEL_ID

    @property
    def model_key(self) -> ModelKey:
        """What its loaded model is kept under."""
        return self.version.workspace_id, self.model.id, self.model.weights_key

    @cached_property
    def outlook_key(self) -> OutlookKey:
        """All that its outlook on a series depends on, beside the series; under one key it never changes."""
        return self.version_key, self.model.id, self.model.weights_key, self.served_method.name

    @property
    def is_slow(self) -> bool:
        """Whether a series takes a tenth of a second, as ETS does, and not a millisecond."""
        return "ets" in self.served_method.method.weights


@dataclass(frozen=True, eq=False)
class Reading:
    """All that forecasts take, read already: what is computed from it holds no transaction open."""

    source: Source
    model: LoadedModel
    rows: Sequence[LastWindow]

    def outlook(self) -> QuantileForecast:
        """Do what takes long, for all rows at once."""
        panel = panels.of_last_windows(self.source.axis, self.rows)
        return compute_quantile_forecast(
            self.source.served_method.method, self.model.forecaster, panel, self.model.simple.of(self.rows)
        )

    def answers(self, levels: Sequence[int]) -> Answers:
        """Forecast every row as the source says."""
        horizon = self.source.horizon
        forecast = self.outlook().forecast(horizon, levels) if self.rows else of_nothing(horizon, levels)
        names, ends = [row.unique_id for row in self.rows], [row.end for row in self.rows]
        return told_of(self.source, names, ends, forecast, levels)


def told_of(
    source: Source, unique_ids: list[str], ends: list[int], forecast: Forecast, levels: Sequence[int]
) -> Answers:
    """Say of the forecast of some series, whose last times are `ends`, what is to be said with it."""
    version = source.version
    known = Known(source.axis, unique_ids, ends, version.dataset_id, version.version)
    return told(known, source.model, source.served_method, forecast, levels)


def read_named(session: Session, source: Source, unique_ids: Iterable[str]) -> list[LastWindow]:
    """Read the named series, by name, without those that are not there.

    Raises VersionGone where that is so of the version, since it was found.
    """
    rows = dataset_queries.last_windows(session, source.version, unique_ids)
    if not rows:
        _version(session, source.ref, source.version.version)
    return rows


def history_of(database: Database, source: Source, unique_id: str) -> History:
    """Read what is known of a series, as far back as its index row goes.

    Raises NotFound if it is not there.
    """
    with database.read() as session:
        rows = read_named(session, source, [unique_id])
    if not rows:
        raise catalog.no_such_series(source.version, {unique_id})
    return History.until(source.axis, rows[0].end, store.tail(rows[0]))


def pages(database: Database, source: Source, model: LoadedModel, levels: Sequence[int]) -> Iterator[Answers]:
    """Forecast every series, page by page, each read in a short transaction of its own.

    Whatever happens meanwhile, one table comes from one method of one model, and one version.
    """
    following: str | None = None
    request = PageRequest(SLOW_PAGE if source.is_slow else PAGE)
    while True:
        with database.read() as session:
            rows, following = read_page(session, source, replace(request, after=following))
        yield Reading(source, model, rows).answers(levels)
        if following is None:
            return


def read_page(
    session: Session, source: Source, request: PageRequest
) -> tuple[Sequence[LastWindow], str | None]:
    """Read the series of a page by name, with the name to go on after; raises as `read_named` does."""
    found = dataset_queries.window_page(session, source.version, request.limit + 1, request.after)
    if not found:
        _version(session, source.ref, source.version.version)
    return cut(found, request, lambda row: row.unique_id)


def load_model(database: Database, source: Source, device: str) -> LoadedModel:
    """Load the model of a source. Raises BlobDamaged."""
    if source.is_pretrained:
        return load_pretrained(source.horizon, source.axis.season_length, device)
    with database.read() as session:
        return load(session, source.model, device)


def find_source(session: Session, principal: Principal, query: ForecastQuery) -> Source:
    """Return what answers a query, whatever series it names.

    The pretrained network is given as it is: `looked_back` calibrates and judges it. Raises NotFound,
    BadInput for a horizon out of reach, and Conflict where the model is to refuse.
    """
    dataset_id, trained = _asked_for(session, principal, query)
    version = _version_asked_for(session, principal, dataset_id, query.dataset_version)
    if trained is None:
        return _pretrained_source(version, query)
    horizon = trained.horizon if query.horizon is None else query.horizon
    _check_horizon(session, trained, horizon)
    is_champion = query.model_id is None
    return Source(trained, version, horizon, served_method.of_model(trained), is_champion)


def looked_back(database: Database, source: Source, device: str) -> ServedMethod:
    """Return the pretrained network as it does on the past of the series that it is a source for.

    Of a large dataset the first series by name stand for all, the same ones in every process. Raises
    VersionGone as `read_named` does.
    """
    with database.read() as session:
        _version(session, source.ref, source.version.version)
        rows = dataset_queries.window_page(session, source.version, pretrained.LOOKED_BACK_ON, None)
    network = load_model(database, source, device).forecaster
    return pretrained.looked_back(source.model, network, panels.of_last_windows(source.axis, rows))


def _asked_for(session: Session, principal: Principal, query: ForecastQuery) -> tuple[str, Model | None]:
    """Return the dataset and the model that are asked for; None for the pretrained network."""
    if query.model_id is not None and query.model_id != pretrained.MODEL_ID:
        model = _named(session, principal, query.model_id, query.dataset_id)
        return model.dataset_id, model
    if query.dataset_id is None:
        raise _no_dataset(query)
    dataset, _ = catalog.find(session, principal, query.dataset_id)
    if query.model_id is not None or dataset.champion_id is None:
        return dataset.id, None
    champion, _ = models.find(session, principal, dataset.champion_id)
    return dataset.id, champion


def _named(session: Session, principal: Principal, model_id: str, dataset_id: str | None) -> Model:
    model, _ = models.find(session, principal, model_id)
    if dataset_id not in (None, model.dataset_id):
        raise BadInput(
            f"Model {model.id} belongs to dataset {model.dataset_id}, not to {dataset_id}.",
            [FieldError("?dataset_id", "Leave it out: the model knows its dataset.")],
        )
    return model


def _no_dataset(query: ForecastQuery) -> BadInput:
    if query.model_id is None:
        return BadInput(
            "A forecast needs dataset_id or model_id.",
            [FieldError("?dataset_id", "Give the id of a dataset, or model_id instead.")],
        )
    return BadInput(
        "The pretrained network belongs to no dataset: name the one to forecast by dataset_id.",
        [FieldError("?dataset_id", "Give the id of a dataset as well.")],
    )


def _pretrained_source(version: DatasetVersion, query: ForecastQuery) -> Source:
    season_length = TimeAxis.from_dict(version.axis).season_length
    model = pretrained.model(query.horizon, season_length)
    return Source(model, version, model.horizon, pretrained.as_it_is(model), is_champion=False)


def _version_asked_for(
    session: Session, principal: Principal, dataset_id: str, number: int | None
) -> DatasetVersion:
    _, newest = catalog.find(session, principal, dataset_id)
    if number is None or number == newest.version:
        return newest
    return _version(session, DatasetRef(principal.workspace_id, dataset_id), number)


def _version(session: Session, ref: DatasetRef, number: int) -> DatasetVersion:
    found = dataset_queries.version(session, *ref, number)
    if found is None:
        raise VersionGone(
            f"Dataset {ref.dataset_id} has no version {number}, or not any more: the newest versions stay "
            "(GATECAST_KEEP_VERSIONS says how many), and those that a model has learned from."
        )
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
