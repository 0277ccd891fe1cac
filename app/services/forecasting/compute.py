"""Compute the result of a plan: read the contexts of series, and run the plan's method on them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from app.db.engine import Database, Session
from app.db.queries import datasets as queries
from app.db.queries.datasets import LastWindow
from app.intake.arrays import Mask
from app.services.datasets import catalog, panels, series_store
from app.services.forecasting.charts import refuse_several
from app.services.forecasting.model_loading import LoadedModel
from app.services.forecasting.quantile_forecasts import SeriesQuantiles
from app.services.forecasting.resolve import Plan, find_version
from app.services.forecasting.result import Answer, Context, ForecastResult, Origins, result_of
from app.services.shared.paging import PageRequest, cut
from models.inputs.closed_steps import open_steps
from models.methods.combination import QuantileForecast, compute_quantile_forecast

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


def series_quantiles(plan: Plan, model: LoadedModel, rows: Sequence[LastWindow]) -> list[SeriesQuantiles]:
    """Forecast each context by itself: to the model's horizon, at every level."""
    if not rows:
        return []
    forecasts, is_open = _quantile_forecast(plan, model, rows)
    return [
        SeriesQuantiles(
            row.unique_id,
            row.end,
            forecast,
            None if is_open is None else is_open[number],
            series_store.is_single(row),
        )
        for number, (row, forecast) in enumerate(zip(rows, forecasts.split(), strict=True))
    ]


def result_of_series(plan: Plan, series: Sequence[SeriesQuantiles], levels: Sequence[int]) -> ForecastResult:
    """Return the result for series from their quantile forecasts, to the plan's horizon."""
    quantiles = QuantileForecast.concatenate([one.forecast for one in series])
    result = _result(plan, [one.unique_id for one in series], [one.end for one in series], quantiles, levels)
    result = replace(result, is_cold=[one.is_cold for one in series])
    if all(one.is_open is None for one in series):
        return result
    everything = np.ones(plan.horizon, dtype=np.bool_)
    masks = [everything if one.is_open is None else one.is_open[: plan.horizon] for one in series]
    return result.open_at(np.stack(masks))


def result_of_page(
    database: Database, plan: Plan, model: LoadedModel, page: PageRequest, levels: Sequence[int]
) -> ForecastResult:
    """Read a page of series in one short transaction, then forecast it. Raises as `read_page` does."""
    with database.read() as session:
        rows, following = read_page(session, plan, page)
    quantiles, is_open = QuantileForecast.empty(plan.horizon), None
    if rows:
        quantiles, is_open = _quantile_forecast(plan, model, rows)
    result = _result(plan, [row.unique_id for row in rows], [row.end for row in rows], quantiles, levels)
    is_open = None if is_open is None else is_open[:, : plan.horizon]
    is_cold = [series_store.is_single(row) for row in rows]
    return replace(result, following=following, is_cold=is_cold).open_at(is_open)


def result_pages(
    database: Database, plan: Plan, model: LoadedModel, levels: Sequence[int]
) -> Iterator[ForecastResult]:
    """Forecast all series page by page: by one method, from one version, whatever changes meanwhile."""
    page = PageRequest(SLOW_PAGE if plan.is_slow else PAGE)
    while True:
        result = result_of_page(database, plan, model, page, levels)
        yield result
        if result.following is None:
            return
        page = replace(page, after=result.following)


def _quantile_forecast(
    plan: Plan, model: LoadedModel, rows: Sequence[LastWindow]
) -> tuple[QuantileForecast, Mask | None]:
    """Run the plan's method on all contexts together, which is the slow part; tell the open steps ahead."""
    panel = panels.of_last_windows(plan.axis, rows)
    forecast = compute_quantile_forecast(
        plan.served_method.method, model.forecaster, panel, model.baseline_forecasts.of(rows)
    )
    return forecast, open_steps(panel, plan.axis.cycles, forecast.bounds.median.shape[1])


def _result(
    plan: Plan, unique_ids: list[str], ends: list[int], quantiles: QuantileForecast, levels: Sequence[int]
) -> ForecastResult:
    version = plan.version
    origins = Origins(plan.axis, unique_ids, ends, version.dataset_id, version.version)
    answer = Answer(plan.horizon, levels, plan.limits, plan.until)
    return result_of(origins, plan.model, plan.served_method, quantiles, answer)
