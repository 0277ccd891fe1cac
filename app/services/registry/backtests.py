"""Backtests as responses show them: the summary, the rows, and the measures for each series."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from app.auth import Principal
from app.db.engine import Session
from app.db.queries import datasets as dataset_queries
from app.db.tables import DatasetVersion, Model
from app.errors import Conflict, NotFound
from app.intake.time.axis import TimeAxis
from app.schemas.backtests import (
    BacktestPage,
    BacktestSummary,
    Measures,
    SeriesMeasures,
    SeriesMeasuresPage,
    StepMeasures,
    Verdict,
)
from app.services.registry import backtest_tables, models
from app.services.shared.paging import CountedPageRequest
from models.evaluation.backtest import Backtest
from models.evaluation.backtest import Measures as CoreMeasures
from models.evaluation.verdict import Verdict as CoreVerdict

if TYPE_CHECKING:
    import pandas as pd  # which the worker, who reads no table, does without

ERRORS = ("smape", "mase", "rmsse", "pinball", "interval_score")
COVERAGE = "coverage-"  # before the level, in the names of columns


def summary(backtest: Backtest) -> BacktestSummary:
    """Summarise a backtest: the measures of each method over all steps, and at each step."""
    held_out = backtest.held_out
    return BacktestSummary(
        series=len(held_out.tested),
        cuts=held_out.cuts,
        step_size=held_out.stride,
        windows=len(held_out),
        steps=held_out.steps,
        measures={name: measures_out(backtest.measures(name)) for name in backtest.forecasts},
        by_step={name: by_step_out(backtest.measures_by_step(name)) for name in backtest.forecasts},
    )


def verdict_out(verdict: CoreVerdict) -> Verdict:
    """Return a verdict as it is stored and responses show it."""
    effects = {name: _finite(getattr(verdict, name)) for name in ("effect", "median_effect")}
    return Verdict.model_validate(asdict(verdict) | effects)


def row_page(
    session: Session, principal: Principal, model_id: str, request: CountedPageRequest
) -> BacktestPage:
    """Return a page of a model's backtest rows, sorted by series, cutoff and step.

    Raises Conflict for a model without one.
    """
    model = tested(session, principal, model_id)
    rows, total = backtest_tables.row_slice(session, model, request.first, request.limit)
    return _row_page(session, model, rows, _following(request, total))


def rows_of(session: Session, principal: Principal, model_id: str, unique_id: str) -> BacktestPage:
    """Return the rows of one series of a model's backtest; none if it was not tested.

    Raises as `row_page` does.
    """
    model = tested(session, principal, model_id)
    return _row_page(session, model, backtest_tables.rows_of(session, model, unique_id), None)


def row_table(session: Session, principal: Principal, model_id: str) -> pa.Table:
    """Return all rows of a model's backtest. Raises Conflict for a model without one."""
    return _table(_rows(session, tested(session, principal, model_id)))


def series_page(
    session: Session, principal: Principal, model_id: str, request: CountedPageRequest
) -> SeriesMeasuresPage:
    """Return a page of the measures for each series of a model's backtest, by name.

    Raises Conflict for a model without one.
    """
    model = tested(session, principal, model_id)
    rows, total = backtest_tables.series_slice(session, model, request.first, request.limit)
    series = [_series_out(name, group) for name, group in groupby(rows, itemgetter("unique_id"))]
    return SeriesMeasuresPage(model_id=model.id, series=series, next=_following(request, total))


def series_table(session: Session, principal: Principal, model_id: str) -> pa.Table:
    """Return the measures for each series and method. Raises Conflict for a model without a backtest."""
    return _table(backtest_tables.read_series(session, tested(session, principal, model_id)))


def tested(session: Session, principal: Principal, model_id: str) -> Model:
    """Return a model that has a backtest. Raises NotFound and Conflict."""
    model, _ = models.find(session, principal, model_id)
    if model.backtest is None:
        raise Conflict(
            f"Model {model_id} is from before there were backtests. Train another one with POST /train "
            f'{{"dataset_id": "{model.dataset_id}", "horizon": {model.horizon}}} to have one.'
        )
    return model


def _rows(session: Session, model: Model) -> "pd.DataFrame":
    """Return all rows, with their times formatted."""
    axis = axis_of(session, model)
    rows = backtest_tables.read_rows(session, model)
    times = {name: axis.format(rows[name].to_numpy()) for name in ("cutoff", "ds")}
    return rows.assign(**times)


def _row_page(
    session: Session, model: Model, rows: list[dict[str, Any]], following: str | None
) -> BacktestPage:
    axis = axis_of(session, model)
    for name in ("cutoff", "ds"):
        times = axis.format(np.array([row[name] for row in rows], dtype=np.int64))
        for row, time in zip(rows, times, strict=True):
            row[name] = time
    # Validate in one call: thousands of calls, one for each row, would take longer than everything else.
    columns = _method_columns(rows[0]) if rows else {}
    shown = [_row_out(row, columns) for row in rows]
    page = {"model_id": model.id, "rows": shown, "next": following}
    return BacktestPage.model_validate(page)


def axis_of(session: Session, model: Model) -> TimeAxis:
    """Return the time axis of what a model was trained on. Raises NotFound."""
    return TimeAxis.from_dict(version_of(session, model).axis)


def version_of(session: Session, model: Model) -> DatasetVersion:
    """Return the version that a model was trained on. Raises NotFound."""
    version = dataset_queries.version(session, model.workspace_id, model.dataset_id, model.dataset_version)
    if version is None:
        raise NotFound(f"Version {model.dataset_version} of dataset {model.dataset_id} is gone.")
    return version


def _following(request: CountedPageRequest, total: int) -> str | None:
    last = request.first + request.limit
    return str(last) if last < total else None


def _table(frame: "pd.DataFrame") -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()


def _method_columns(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the levels of each method that has bounds among the columns."""
    bounds = [name.rpartition("-lo-") for name in names if "-lo-" in name]
    return {method: [level for other, _, level in bounds if other == method] for method, _, _ in bounds}


def _row_out(row: Mapping[str, Any], columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("unique_id", "cutoff", "ds", "step")},
        "y": _finite(row["y"]),
        "scale": _finite(row["scale"]),
        "root_scale": _finite(row.get("root_scale", np.nan)),
        "methods": {name: _step_forecast(row, name, levels) for name, levels in columns.items()},
    }


def _step_forecast(row: Mapping[str, Any], name: str, levels: Sequence[str]) -> dict[str, Any]:
    bounds = {level: {"lo": row[f"{name}-lo-{level}"], "hi": row[f"{name}-hi-{level}"]} for level in levels}
    return {"forecast": row[name], "intervals": bounds}


def _series_out(name: str, rows: Iterable[Mapping[str, Any]]) -> SeriesMeasures:
    measures = {row["method"]: _stored_measures(row) for row in rows}
    return SeriesMeasures(unique_id=name, measures=measures)


def _stored_measures(row: Mapping[str, Any]) -> Measures:
    columns = [name for name in row if name.startswith(COVERAGE)]
    coverage = {name.removeprefix(COVERAGE): _finite(row[name]) for name in columns}
    return Measures(**{name: _finite(row[name]) for name in ERRORS}, coverage=coverage)


def measures_out(measures: CoreMeasures) -> Measures:
    """Return measures as responses show them."""
    return Measures(
        **{name: _finite(getattr(measures, name)) for name in ERRORS},
        coverage={str(level): _finite(share) for level, share in measures.coverage.items()},
    )


def by_step_out(steps: Sequence[CoreMeasures]) -> StepMeasures:
    """Return the measures of each step ahead as responses show them."""
    each = [measures_out(measures) for measures in steps]
    return StepMeasures(
        **{name: [getattr(measures, name) for measures in each] for name in ERRORS},
        coverage={level: [measures.coverage[level] for measures in each] for level in each[0].coverage},
    )


def _finite(value: float) -> float | None:
    """Return a number, or None for NaN and infinity, which JSON and Postgres do not have."""
    return float(value) if np.isfinite(value) else None
