"""Resolve a request to a plan: which version, model, served method and horizon answer it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from app.auth import Principal
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import models as model_queries
from app.db.tables import Dataset, DatasetVersion, Model
from app.errors import BadInput, FieldError, VersionGone
from app.intake.time.axis import TimeAxis
from app.services.datasets import catalog, panels
from app.services.forecasting import pretrained
from app.services.forecasting.model_loading import ModelKey, load_model
from app.services.forecasting.pretrained import Backtest, Backtests
from app.services.forecasting.request import PRETRAINED, ForecastRequest
from app.services.registry import models, pretrained_backtests, served_method, stored_forecasts
from app.services.registry.served_method import ServedMethod
from app.services.shared.change_feed import ChangeFeed
from app.services.shared.lru import Lru
from models.choices import MAX_PRETRAINED_HORIZON, Limits

PLANS = 1000
VersionKey = tuple[str, str, int, str]  # workspace, dataset, number, hash of its source
ForecastKey = tuple[VersionKey, str, str, str, bool]  # and model, weights, method, whether preliminary
Reach = tuple[int | None, str | None, tuple[str, ...]]
"""How far a request asks: its horizon, or `until` and the series by which that is so many steps."""
PlanKey = tuple[str, str | None, str | None, int | None, Reach, Limits]
"""The workspace, and what decides the plan of a request: dataset, model, version, reach, limits."""


@dataclass(frozen=True, eq=False)
class Plan:
    """How to answer a request: by which model and served method, from which version, how far, within what."""

    model: Model
    version: DatasetVersion
    horizon: int
    served_method: ServedMethod
    limits: Limits
    season_lengths: tuple[int, ...] | None = None  # in place of the dataset's
    until: int | None = None  # the ordinal after which no step is answered
    stored_id: str | None = None  # under which its forecasts are stored, if any are

    @cached_property
    def axis(self) -> TimeAxis:
        """The time axis of the dataset, with the seasons that the model is for."""
        return TimeAxis.from_dict(self.version.axis).with_seasons(self.season_lengths)

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
        served = self.served_method
        return (
            self.version_key,
            self.model.id,
            self.model.weights_key,
            served.name,
            served.is_preliminary,
        )


class Resolver:
    """Resolves requests, and remembers each plan until its dataset changes.

    For use in one event loop.
    """

    def __init__(self, database: Database, feed: ChangeFeed, device: str) -> None:
        self._database, self._feed, self._device = database, feed, device
        self._plans: Lru[PlanKey, tuple[Plan, int]] = Lru(PLANS)
        self._backtests = Backtests(database, feed)
        self.giving_way = self._backtests.giving_way

    def close(self) -> None:
        """Begin no further backtest; what a running one finds is not stored."""
        self._backtests.close()

    async def resolve(
        self, principal: Principal, request: ForecastRequest, *, to_the_end: bool = False
    ) -> Plan:
        """Return the plan for a request; a preliminary one where a backtest takes longer than a moment.

        `to_the_end` waits for the backtest however long it takes. Raises as `find_plan` and
        `backtest_pretrained` do.
        """
        key = _plan_key(principal, request)
        plan, moment = self._plans.get(key) or (None, 0)
        if plan is None or not self._feed.is_current(plan.ref, moment):
            moment = self._feed.moment
            with self.giving_way():
                plan = await asyncio.to_thread(self._find, principal, request)
        elif not (to_the_end and plan.served_method.is_preliminary):
            return plan
        if plan.served_method.is_preliminary:
            plan = await self._backtest(plan, None if to_the_end else pretrained.WAIT_S)
        self._plans.put(key, (plan, moment))
        return plan

    def forget(self, principal: Principal, request: ForecastRequest) -> None:
        """Forget the plan for a request."""
        self._plans.drop(_plan_key(principal, request))

    def _find(self, principal: Principal, request: ForecastRequest) -> Plan:
        with self._database.read() as session:
            return find_plan(session, principal, request)

    async def _backtest(self, plan: Plan, within_s: float | None) -> Plan:
        """Return the plan with what a backtest finds, or as it is if that takes longer than `within_s`.

        There is one backtest for each version and horizon: the outcome depends on nothing else.
        """
        run = partial(backtest_pretrained, self._database, plan, self._device)
        key = plan.version_key, plan.horizon
        found = await self._backtests.outcome(key, Backtest(plan.version, plan.model, run), within_s)
        return plan if found is None else replace(plan, served_method=found)


def _plan_key(principal: Principal, request: ForecastRequest) -> PlanKey:
    return (
        principal.workspace_id,
        request.dataset_id,
        request.model_id,
        request.dataset_version,
        (request.horizon, request.until, request.unique_ids if request.until else ()),
        request.limits,
    )


def find_plan(session: Session, principal: Principal, request: ForecastRequest) -> Plan:
    """Find the plan for a request; one by the pretrained network is preliminary until a backtest is stored.

    Raises NotFound, VersionGone, BadInput for a horizon out of reach, and Conflict for a model that lost its
    backtest and is set to refuse.
    """
    dataset_id, trained = _find_model(session, principal, request)
    dataset, version = _requested_version(session, principal, dataset_id, request.dataset_version)
    limits = _limits(request, dataset)
    if request.until is not None:
        return _plan_until(session, version, trained, request, limits)
    return _plan(session, version, trained, request, limits)


def _plan(
    session: Session, version: DatasetVersion, trained: Model | None, request: ForecastRequest, limits: Limits
) -> Plan:
    if trained is None:
        return _pretrained_plan(session, version, request, limits)
    refuse_seasons(request)
    horizon = trained.horizon if request.horizon is None else request.horizon
    _check_horizon(session, trained, horizon)
    served = served_method.of_model(trained)
    plan = Plan(trained, version, horizon, served, limits, models.season_lengths(trained))
    stored = stored_forecasts.find(session, trained, served, plan.axis)
    return plan if stored is None else replace(plan, stored_id=stored.id)


def _plan_until(
    session: Session, version: DatasetVersion, trained: Model | None, request: ForecastRequest, limits: Limits
) -> Plan:
    """Return the plan that reaches `until` from the series that ends first."""
    axis = TimeAxis.from_dict(version.axis)
    last = last_until(axis, str(request.until))
    first = dataset_queries.earliest_end(session, version, request.unique_ids)
    if first is None:
        raise catalog.no_such_series(version, set(request.unique_ids))
    steps = steps_until(axis, last, *first)
    with said_of_until(steps, first[0]):
        plan = _plan(session, version, trained, replace(request, horizon=steps, until=None), limits)
    return replace(plan, until=last)


def last_until(axis: TimeAxis, until: str) -> int:
    """Return the ordinal of the last moment of the period `until`. Raises BadInput."""
    try:
        return axis.last_of(until)
    except ValueError as error:
        raise BadInput(
            f"until={until[:40]} is no period. {error}", [FieldError("?until", str(error))]
        ) from error


def steps_until(axis: TimeAxis, last: int, unique_id: str, end: int) -> int:
    """Return the steps from the end of a series, the first that ends, to `last`; raises BadInput for none."""
    (steps,) = axis.steps_until(np.array([end]), last).tolist()
    if not steps:
        (known,) = axis.format(np.array([end]))
        remedy = f"Give a later until: series {unique_id!r} is known up to {known}, and no other ends before."
        raise BadInput(f"There is nothing to forecast. {remedy}", [FieldError("?until", remedy)])
    return int(steps)


@contextmanager
def said_of_until(steps: int, unique_id: str) -> Iterator[None]:
    """Explain that a horizon out of reach is the steps from the end of a series to `until`."""
    try:
        yield
    except BadInput as error:
        if [part.pointer for part in error.errors] != ["?horizon"]:
            raise
        far = f"From the end of series {unique_id!r}, which ends first, until is {steps:,} steps away."
        parts = [FieldError("?until", f"{far} {part.detail}") for part in error.errors]
        raise BadInput(f"{far} {error.detail}", parts) from error


def backtest_pretrained(
    database: Database, plan: Plan, device: str, give_way: Callable[[], None] = lambda: None
) -> ServedMethod:
    """Return the pretrained network calibrated and judged on the dataset's own series.

    A sample by the hashes of names stands for all of a large dataset, so that every process finds the same.
    Raises VersionGone if the version was dropped since the plan was made.
    """
    with database.read() as session:
        find_version(session, plan.ref, plan.version.version)
        names = dataset_queries.names(session, plan.version)
        chosen = [names[at] for at in pretrained.sample(names)]
        rows = dataset_queries.last_windows(session, plan.version, chosen)
    network = load_model(database, plan.model, plan.axis.seasons, device).forecaster
    panel = panels.of_last_windows(plan.axis, rows)
    return pretrained.backtested(plan.model, network, panel, plan.axis.step_name, give_way)


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
) -> dataset_queries.Pair:
    dataset, newest = catalog.find(session, principal, dataset_id)
    if number is None or number == newest.version:
        return dataset, newest
    return dataset, find_version(session, DatasetRef(principal.workspace_id, dataset_id), number)


def _limits(request: ForecastRequest, dataset: Dataset) -> Limits:
    try:
        return request.limits.over(catalog.limits_of(dataset))
    except ValueError as error:
        remedy = f"Dataset {dataset.id} has limits of its own: send both, lower and upper."
        parts = [FieldError(f"?{name}", remedy) for name in ("lower", "upper")]
        raise BadInput(f"{error} {remedy}", parts) from error


def _pretrained_plan(
    session: Session, version: DatasetVersion, request: ForecastRequest, limits: Limits
) -> Plan:
    axis = TimeAxis.from_dict(version.axis).with_seasons(request.season_lengths)
    model = pretrained.model(request.horizon, axis.seasons)
    found = pretrained_backtests.find(session, version, model) or pretrained.preliminary(model)
    return Plan(model, version, model.horizon, found, limits, request.season_lengths)


def refuse_seasons(request: ForecastRequest) -> None:
    """Raise BadInput for seasons given to a model or a dataset, which has its own."""
    if request.season_lengths is not None:
        remedy = "Leave season_length out, or give it to POST /datasets or POST /train."
        raise BadInput(
            f"The seasons of a dataset or of a trained model are its own. {remedy}",
            [FieldError("?season_length", remedy)],
        )


def _check_horizon(session: Session, model: Model, horizon: int) -> None:
    if horizon <= model.horizon:
        return
    others = model_queries.reaching(session, model.workspace_id, model.dataset_id, horizon)
    reaching = [*others[:1], *([PRETRAINED] if horizon <= MAX_PRETRAINED_HORIZON else [])]
    ask = " or ".join(f"model_id={other}" for other in reaching)
    train = "rain a model with that horizon by POST /train."
    remedy = f"Ask with {ask}, or t{train}" if reaching else f"T{train}"
    raise BadInput(
        f"Model {model.id} forecasts at most {model.horizon} steps ahead, not {horizon}. {remedy}",
        [FieldError("?horizon", f"At most {model.horizon} with this model.")],
    )
