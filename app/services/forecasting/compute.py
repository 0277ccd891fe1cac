"""Make the result of a plan: read what is stored of series, and run the plan's method on the others."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from app.db.engine import Database, Session
from app.db.queries import datasets as queries
from app.db.queries.datasets import LastWindow
from app.observability import metrics
from app.services.datasets import catalog, series_store
from app.services.forecasting.charts import refuse_several
from app.services.forecasting.resolve import Plan, find_version
from app.services.forecasting.result import Answer, Context, ForecastResult, Origins, result_of
from app.services.registry import stored_forecasts
from app.services.registry.quantile_forecasts import LoadedModel, SeriesQuantiles, compute
from app.services.registry.stored_forecasts import Found
from app.services.shared.paging import PageRequest, cut

PAGE = 250  # series of a table that are computed at a time and held in memory until the caller has read them
SLOW_PAGE = 50  # for slow methods, so that the first page does not take minutes


def read_named(session: Session, plan: Plan, unique_ids: Iterable[str]) -> list[LastWindow]:
    """Read the contexts of the named series, sorted by name; names that do not exist are left out.

    Raises VersionGone if the version was dropped since the plan was made.
    """
    rows = queries.last_windows(session, plan.version, unique_ids)
    if not rows:
        find_version(session, plan.ref, plan.version.version)
    return rows


def read_page(session: Session, plan: Plan, page: PageRequest) -> tuple[Sequence[LastWindow], str | None]:
    """Read the contexts of a page of series, and the name of the last if another page follows.

    Raises VersionGone if the version was dropped since the plan was made.
    """
    rows = queries.window_page(session, plan.version, page.limit + 1, page.after)
    if not rows:
        find_version(session, plan.ref, plan.version.version)
    return cut(rows, page, lambda row: row.unique_id)


def only_series(database: Database, plan: Plan) -> str:
    """Return the name of a dataset's only series, for a chart. Raises BadInput where there are several."""
    with database.read() as session:
        rows, following = read_page(session, plan, PageRequest(1))
    if following is not None or not rows:
        refuse_several(0, "?unique_id")
    return rows[0].unique_id


def read_context(database: Database, plan: Plan, unique_id: str) -> Context:
    """Read the context of one series. Raises NotFound, and VersionGone as `read_named` does."""
    with database.read() as session:
        rows = read_named(session, plan, [unique_id])
    if not rows:
        raise catalog.no_such_series(plan.version, {unique_id})
    return Context.until(plan.axis, rows[0].end, series_store.tail(rows[0]))


def read_stored(session: Session, plan: Plan, unique_ids: Collection[str]) -> Found:
    """Read what is stored of the named series; all count as missing where nothing is.

    Raises VersionGone if the version was dropped since the plan was made.
    """
    if plan.stored_id is None:
        return Found(None, sorted(unique_ids))
    found = stored_forecasts.read_named(session, plan.version, plan.stored_id, unique_ids)
    if found.is_empty:
        find_version(session, plan.ref, plan.version.version)
    return found


def completed(plan: Plan, model: LoadedModel, found: Found, rows: Sequence[LastWindow]) -> SeriesQuantiles:
    """Return forecasts that were found with those of the missing series, from their rows, sorted by name."""
    metrics.BATCH_SERIES.observe(len(rows))
    computed = compute(plan.served_method.method, plan.axis, model, rows)
    if found.forecasts is None:
        return computed
    return SeriesQuantiles.joined([found.forecasts, computed]).sorted()


def result_of_series(plan: Plan, series: SeriesQuantiles, levels: Sequence[int]) -> ForecastResult:
    """Return the result for series from their quantile forecasts, to the plan's horizon."""
    version, is_open = plan.version, series.is_open
    origins = Origins(
        plan.axis, series.unique_ids, series.ends, series.is_cold, version.dataset_id, version.version
    )
    shown = None if is_open is None else is_open[:, : plan.horizon]
    answer = Answer(plan.horizon, levels, plan.limits, plan.until, shown)
    return result_of(origins, plan.model, plan.served_method, series.forecast, answer)


def result_of_page(
    database: Database,
    plan: Plan,
    load: Callable[[], LoadedModel],
    page: PageRequest,
    levels: Sequence[int],
) -> ForecastResult:
    """Read a page of series in one short transaction, and compute those that are not stored.

    `load` loads the model; it is called where it is needed. Raises VersionGone if the version was dropped
    since the plan was made.
    """
    with database.read() as session:
        found, following = stored_forecasts.read_page(session, plan.version, plan.stored_id, page)
        rows = read_named(session, plan, found.missing) if found.needs_pass else []
    series = found.forecasts
    if found.needs_pass or series is None:
        metrics.COMPUTED.inc()
        series = completed(plan, load(), found, rows)
    else:
        metrics.STORED.inc()
    return replace(result_of_series(plan, series, levels), following=following)


def result_pages(
    database: Database, plan: Plan, load: Callable[[], LoadedModel], levels: Sequence[int]
) -> Iterator[ForecastResult]:
    """Forecast all series page by page: by one method, from one version, whatever changes meanwhile."""
    page = PageRequest(SLOW_PAGE if plan.served_method.is_slow else PAGE)
    while True:
        result = result_of_page(database, plan, load, page, levels)
        yield result
        if result.following is None:
            return
        page = replace(page, after=result.following)
