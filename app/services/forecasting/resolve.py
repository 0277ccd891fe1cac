"""Resolve a request to a plan: which version, model, served method and horizon answer it."""

import asyncio
from dataclasses import dataclass, replace
from functools import cached_property, partial

from app.auth import Principal
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import models as model_queries
from app.db.tables import DatasetVersion, Model
from app.errors import BadInput, FieldError, VersionGone
from app.intake.time.axis import TimeAxis
from app.services.datasets import catalog, panels
from app.services.forecasting import pretrained
from app.services.forecasting.model_loading import ModelKey, load_model
from app.services.forecasting.request import PRETRAINED, ForecastRequest
from app.services.registry import models, served_method
from app.services.registry.served_method import ServedMethod
from app.services.shared.change_feed import ChangeFeed
from app.services.shared.lru import Lru
from app.services.shared.single_flight import SingleFlight

PLANS = 1000
VersionKey = tuple[str, str, int, str]  # workspace, dataset, number, hash of its source
ForecastKey = tuple[VersionKey, str, str, str]  # and model, weights, method
PlanKey = tuple[str, str | None, str | None, int | None, int | None]
"""The workspace, and the parts of a request that decide its plan: dataset, model, version, horizon."""
BacktestKey = tuple[VersionKey, int]  # and horizon


@dataclass(frozen=True, eq=False)
class Plan:
    """How to answer a request: by which model and served method, from which version, to which horizon."""

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
        """The dataset whose changes make the plan stale."""
        return DatasetRef(self.version.workspace_id, self.version.dataset_id)

    @cached_property
    def version_key(self) -> VersionKey:
        """All that the series depend on; after a restore of the database, a number may come again."""
        return (*self.ref, self.version.version, self.version.source_sha256)

    @property
    def is_pretrained(self) -> bool:
        """Whether the pretrained network forecasts, and no model of the dataset."""
        return self.model.id == PRETRAINED

    @property
    def model_key(self) -> ModelKey:
        """The key of the loaded model."""
        return self.version.workspace_id, self.model.id, self.model.weights_key

    @cached_property
    def forecast_key(self) -> ForecastKey:
        """All that the quantile forecast of a series depends on, beside its name."""
        return self.version_key, self.model.id, self.model.weights_key, self.served_method.name

    @property
    def is_slow(self) -> bool:
        """Whether a series takes a tenth of a second, as with ETS, instead of a millisecond."""
        return "ets" in self.served_method.method.weights


class Resolver:
    """Resolves requests, and remembers each plan until its dataset changes.

    For use in one event loop.
    """

    def __init__(self, database: Database, feed: ChangeFeed, device: str) -> None:
        self._database, self._feed, self._device = database, feed, device
        self._plans: Lru[PlanKey, tuple[Plan, int]] = Lru(PLANS)
        self._backtested: SingleFlight[BacktestKey, ServedMethod] = SingleFlight(Lru(PLANS))

    async def resolve(self, principal: Principal, request: ForecastRequest) -> Plan:
        """Return the plan for a request. Raises as `find_plan` and `backtest_pretrained` do."""
        key = _plan_key(principal, request)
        cached = self._plans.get(key)
        if cached is not None and self._feed.is_current(cached[0].ref, cached[1]):
            return cached[0]
        moment = self._feed.moment
        plan = await asyncio.to_thread(self._find, principal, request)
        if plan.is_pretrained:
            plan = replace(plan, served_method=await self._backtest(plan))
        self._plans.put(key, (plan, moment))
        return plan

    def forget(self, principal: Principal, request: ForecastRequest) -> None:
        """Forget the plan for a request."""
        self._plans.drop(_plan_key(principal, request))

    def _find(self, principal: Principal, request: ForecastRequest) -> Plan:
        with self._database.read() as session:
            return find_plan(session, principal, request)

    async def _backtest(self, plan: Plan) -> ServedMethod:
        """Backtest once for each version and horizon: the outcome depends on nothing else."""
        backtest = partial(backtest_pretrained, self._database, plan, self._device)
        return await self._backtested.get((plan.version_key, plan.horizon), backtest)


def _plan_key(principal: Principal, request: ForecastRequest) -> PlanKey:
    return (
        principal.workspace_id,
        request.dataset_id,
        request.model_id,
        request.dataset_version,
        request.horizon,
    )


def find_plan(session: Session, principal: Principal, request: ForecastRequest) -> Plan:
    """Find the plan for a request; the pretrained network in it is uncalibrated.

    Raises NotFound, VersionGone, BadInput for a horizon out of reach, and Conflict for a model that lost its
    backtest and is set to refuse.
    """
    dataset_id, trained = _find_model(session, principal, request)
    version = _requested_version(session, principal, dataset_id, request.dataset_version)
    if trained is None:
        return _pretrained_plan(version, request.horizon)
    horizon = trained.horizon if request.horizon is None else request.horizon
    _check_horizon(session, trained, horizon)
    is_champion = request.model_id is None
    return Plan(trained, version, horizon, served_method.of_model(trained), is_champion)


def backtest_pretrained(database: Database, plan: Plan, device: str) -> ServedMethod:
    """Return the pretrained network calibrated and judged on the dataset's own series.

    The first series by name stand for all of a large dataset, so that every process finds the same. Raises
    VersionGone if the version was dropped since the plan was made.
    """
    with database.read() as session:
        find_version(session, plan.ref, plan.version.version)
        rows = dataset_queries.window_page(session, plan.version, pretrained.BACKTEST_SERIES, None)
    network = load_model(database, plan.model, plan.axis.season_length, device).forecaster
    return pretrained.backtested(plan.model, network, panels.of_last_windows(plan.axis, rows))


def find_version(session: Session, ref: DatasetRef, number: int) -> DatasetVersion:
    """Return a version of a dataset by its number. Raises VersionGone."""
    found = dataset_queries.version(session, *ref, number)
    if found is None:
        raise VersionGone(
            f"Dataset {ref.dataset_id} has no version {number}, or not any more: the newest versions stay "
            "(GATECAST_KEEP_VERSIONS says how many), and those that a model has learned from."
        )
    return found


def _find_model(session: Session, principal: Principal, request: ForecastRequest) -> tuple[str, Model | None]:
    """Return the id of the dataset to forecast and the model; None for the pretrained network."""
    if request.model_id is not None and request.model_id != PRETRAINED:
        model = _named_model(session, principal, request.model_id, request.dataset_id)
        return model.dataset_id, model
    if request.dataset_id is None:
        raise _no_dataset(request)
    dataset, _ = catalog.find(session, principal, request.dataset_id)
    if request.model_id is not None or dataset.champion_id is None:
        return dataset.id, None
    champion, _ = models.find(session, principal, dataset.champion_id)
    return dataset.id, champion


def _named_model(session: Session, principal: Principal, model_id: str, dataset_id: str | None) -> Model:
    model, _ = models.find(session, principal, model_id)
    if dataset_id not in (None, model.dataset_id):
        raise BadInput(
            f"Model {model.id} belongs to dataset {model.dataset_id}, not to {dataset_id}.",
            [FieldError("?dataset_id", "Leave it out: the model knows its dataset.")],
        )
    return model


def _no_dataset(request: ForecastRequest) -> BadInput:
    if request.model_id is None:
        return BadInput(
            "A forecast needs dataset_id or model_id.",
            [FieldError("?dataset_id", "Give the id of a dataset, or model_id instead.")],
        )
    return BadInput(
        "The pretrained network belongs to no dataset: name the one to forecast by dataset_id.",
        [FieldError("?dataset_id", "Give the id of a dataset as well.")],
    )


def _requested_version(
    session: Session, principal: Principal, dataset_id: str, number: int | None
) -> DatasetVersion:
    _, newest = catalog.find(session, principal, dataset_id)
    if number is None or number == newest.version:
        return newest
    return find_version(session, DatasetRef(principal.workspace_id, dataset_id), number)


def _pretrained_plan(version: DatasetVersion, horizon: int | None) -> Plan:
    season_length = TimeAxis.from_dict(version.axis).season_length
    model = pretrained.model(horizon, season_length)
    return Plan(model, version, model.horizon, pretrained.uncalibrated(model), is_champion=False)


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
