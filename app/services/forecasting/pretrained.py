"""The pretrained network, which forecasts where nothing was trained: a model that no table holds."""

import asyncio
import logging
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from heapq import nsmallest
from typing import TYPE_CHECKING

from app.db.engine import Database, DatasetRef
from app.db.tables import DatasetVersion, Model
from app.digest import sha256
from app.errors import AppError, BadInput, Conflict, FieldError, Unavailable, Unfinished
from app.schemas.backtests import PretrainedBacktestOut
from app.services.forecasting.request import PRETRAINED
from app.services.registry import backtests, pretrained_backtests, served_method
from app.services.registry.served_method import ServedMethod
from app.services.shared.change_feed import ChangeFeed
from app.services.shared.lru import Lru
from app.services.shared.single_flight import SingleFlight
from models.choices import MAX_PRETRAINED_HORIZON, Seasons
from models.errors import HorizonTooLong
from models.horizon import check_pretrained, default_horizon
from models.panel import Panel

if TYPE_CHECKING:
    from models.network.forecaster import Forecaster

BACKTEST_SERIES = 250  # those whose names have the smallest hashes, since a name may tell region or size
THREADS = 2  # backtests at a time; one on 250 long series takes most of a minute
WAIT_S = 0.2  # for a backtest, before the answer is preliminary; of the half second of a first answer
GIVEN_WAY_S = 0.1  # at most, at a time: a backtest has to end however many requests there are
OUTCOMES = 1000
logger = logging.getLogger(__name__)
RUNNING = (
    "The backtest of the pretrained network on this dataset is still running: the intervals are not "
    "calibrated yet, and there is no verdict. Ask again in some seconds."
)
FAILED = (
    "The backtest of the pretrained network on this dataset failed, and the service's log says why: the "
    "intervals are not calibrated, and there is no verdict."
)
NOT_STORED = (
    "The database was away when the backtest of the pretrained network on this dataset ended, so that its "
    "measures were not stored. Restart the service, and ask again: it makes the backtest anew."
)


def model(horizon: int | None, seasons: Seasons) -> Model:
    """Return the network as the model of series of some seasons; the default horizon is about the shortest.

    Raises BadInput for a horizon beyond what the network has learned.
    """
    steps = default_horizon(seasons.shortest) if horizon is None else horizon
    try:
        check_pretrained(steps)
    except HorizonTooLong as error:
        remedy = "Ask for fewer, or train a model with that horizon by POST /train."
        limit = f"At most {MAX_PRETRAINED_HORIZON} without a training."
        raise BadInput(f"{error.detail} {remedy}", [FieldError("?horizon", limit)]) from error
    return Model(
        id=PRETRAINED,
        horizon=steps,
        weights_key=f"{PRETRAINED}/{steps}/{seasons.key}",
        weights_sha256=_weights_sha256(),
    )


def uncalibrated(model: Model) -> ServedMethod:
    """Return the network alone, without calibration and without a verdict."""
    # Imported here and below: torch takes seconds, and the service answers other calls meanwhile.
    from models.methods.zero_shot import uncalibrated_method  # noqa: PLC0415

    return ServedMethod(PRETRAINED, uncalibrated_method(model.horizon), verdict=None, warning=None)


def preliminary(model: Model, warning: str = RUNNING) -> ServedMethod:
    """Return the network alone, to be served while there is no outcome of a backtest; `warning` says why."""
    return replace(uncalibrated(model), warning=warning, is_preliminary=True)


def sample(names: Sequence[str]) -> list[int]:
    """Return the places, rising, of the series that stand for all of these names in a backtest."""
    if len(names) <= BACKTEST_SERIES:
        return list(range(len(names)))
    return sorted(nsmallest(BACKTEST_SERIES, range(len(names)), key=lambda at: sha256(names[at].encode())))


def backtested(
    model: Model,
    network: "Forecaster",
    panel: Panel,
    step_name: str,
    give_way: Callable[[], None] = lambda: None,
) -> ServedMethod:
    """Return the method to serve for some series: calibrated and judged by a backtest on their own past.

    Where the best baseline is better, or twice as good where nothing is decided, it is that one. Series that
    are too short for a backtest get the network uncalibrated. The backtest uses the `sample` of many series
    that the caller draws, and the context of long ones. So the same series have the same result, whether a
    dataset holds them or a request sends them. The verdict calls a step by its name. `give_way` is called
    between turns of a tenth of a second.
    """
    from models.evaluation.zero_shot import backtest_zero_shot  # noqa: PLC0415
    from models.network.pretrained import VIEW  # noqa: PLC0415

    recent = panel.tail(network.config.history_limit)
    assessment = backtest_zero_shot(network, recent, give_way, step_name=step_name)
    if assessment is None:
        return uncalibrated(model)
    verdict = backtests.verdict_out(assessment.verdicts[VIEW])
    name = verdict.baseline if served_method.gives_way(verdict) else VIEW
    warning = served_method.warning_of(verdict, name)
    return ServedMethod(name, assessment.methods[name], verdict.outcome, warning, assessment=assessment)


def read_backtest(
    database: Database, version: DatasetVersion, model: Model, served: ServedMethod
) -> PretrainedBacktestOut:
    """Return what the backtest of the network on a version found; `served` is what forecasts are made by.

    Raises Unfinished while it runs, Conflict if it failed or the series are too short for one, and
    Unavailable if the database was away when it ended.
    """
    if served.is_preliminary:
        raise Conflict(FAILED) if served.warning == FAILED else Unfinished(RUNNING)
    with database.read() as session:
        found = pretrained_backtests.read(session, version, model)
    if found is None:
        raise Unavailable(NOT_STORED)
    return found


@dataclass(frozen=True, eq=False)
class Backtest:
    """A backtest to be run, of the network on a version of a dataset."""

    version: DatasetVersion
    model: Model
    run: Callable[[Callable[[], None]], ServedMethod]  # with what to call to give way to requests

    @property
    def ref(self) -> DatasetRef:
        """The dataset."""
        return DatasetRef(self.version.workspace_id, self.version.dataset_id)


class Backtests:
    """Runs backtests in threads of its own, each once for all who ask for its outcome.

    They give way to requests: Theta holds the interpreter, so that a request would wait for it many times.
    The outcome is stored and a change recorded, which ends what is preliminary in every process. Use it in
    one event loop.
    """

    def __init__(self, database: Database, feed: ChangeFeed) -> None:
        self._database, self._feed = database, feed
        self._threads = ThreadPoolExecutor(THREADS, "backtest")
        self._outcomes: SingleFlight[Hashable, ServedMethod] = SingleFlight(Lru(OUTCOMES), self._threads)
        self._is_closing = False
        self._requests, self._no_request = 0, threading.Event()
        self._no_request.set()

    def close(self) -> None:
        """Begin no further backtest; what a running one finds is not stored."""
        self._is_closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """Let backtests give way while the block runs."""
        self._requests += 1
        self._no_request.clear()
        try:
            yield
        finally:
            self._requests -= 1
            if self._requests == 0:
                self._no_request.set()

    async def outcome(self, key: Hashable, backtest: Backtest, within_s: float | None) -> ServedMethod | None:
        """Return what a backtest finds; None if it is not there `within_s`, and then the backtest goes on.

        Raises as the backtest does, if that is an error that the next caller may be spared.
        """
        try:
            async with asyncio.timeout(within_s):
                # Where nothing is stored, no change is recorded, and what is preliminary has to go all the
                # same. Before the outcome can be had, a caller would keep what is preliminary for good.
                end = partial(self._feed.count_as_changed, backtest.ref)
                return await self._outcomes.get(key, partial(self._run, backtest), end)
        except TimeoutError:
            return None

    def _run(self, backtest: Backtest) -> ServedMethod:
        """Run and store; a fault leaves the network uncalibrated, as long as this process lives."""
        try:
            found = backtest.run(self._give_way)
            self._store(backtest, found)
        except AppError as error:
            logger.warning("The backtest on dataset %s ended: %s", backtest.ref.dataset_id, error)
            raise
        except Exception:
            logger.exception("The backtest on dataset %s failed.", backtest.ref.dataset_id)
            return preliminary(backtest.model, FAILED)
        return replace(found, assessment=None)  # which is large, and stored

    def _give_way(self) -> None:
        self._no_request.wait(GIVEN_WAY_S)

    def _store(self, backtest: Backtest, found: ServedMethod) -> None:
        if self._is_closing:
            return
        try:
            with self._database.write() as session:
                pretrained_backtests.store(session, backtest.version, backtest.model, found)
        except Unavailable as error:
            logger.warning("What a backtest found is kept in this process alone: %s", error)


@cache
def _weights_sha256() -> str:
    from models.network.pretrained import WEIGHTS  # noqa: PLC0415

    return sha256(WEIGHTS.read_bytes())
