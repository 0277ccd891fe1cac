"""Baseline forecasts that a training stores with its model."""

import numpy as np
import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.queries import datasets as queries
from app.db.queries.datasets import LastWindow
from app.services.forecasting import compute
from app.services.forecasting.model_loading import load_model
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import Plan, find_plan
from app.services.registry import baseline_forecasts, quantile_forecasts
from app.services.registry.baseline_forecasts import BaselineForecasts
from app.services.registry.quantile_forecasts import LoadedModel
from tests.factories import dataset, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")
Ready = tuple[Plan, LoadedModel, list[LastWindow]]


@pytest.fixture
def ready(database: Database) -> Ready:
    """A model that serves a blend with Theta, and the index rows of its series."""
    dataset_id = dataset(database, trends(count=4)).id
    trained(database, dataset_id, method="blend")
    with database.read() as session:
        plan = find_plan(session, OWNER, ForecastRequest(dataset_id=dataset_id))
        rows = queries.window_page(session, plan.version, 10, None)
    return plan, load_model(database, plan.model, plan.axis.seasons, "cpu"), rows


def medians(ready: Ready, simple: BaselineForecasts) -> list[list[float]]:
    plan, loaded, rows = ready
    model = LoadedModel(loaded.forecaster, simple)
    result = compute.result_of_series(
        plan, quantile_forecasts.compute(plan.served_method.method, plan.axis, model, rows), (80,)
    )
    return [list(row) for row in result.forecast.median]


def test_forecast_is_the_same_as_without_them(ready: Ready) -> None:
    known = ready[1].baseline_forecasts
    assert list(known.medians) == ["theta"]
    assert medians(ready, known) == medians(ready, BaselineForecasts(1, {}, {}))


def test_stored_baseline_is_not_computed_again(ready: Ready) -> None:
    known = ready[1].baseline_forecasts
    odd = BaselineForecasts(known.version, known.rows, {"theta": known.medians["theta"] + 1000})
    assert (np.array(medians(ready, odd)) > np.array(medians(ready, known)) + 1).all()


def test_baseline_of_a_changed_series_is_computed_again(ready: Ready) -> None:
    known = ready[1].baseline_forecasts
    odd = BaselineForecasts(0, known.rows, {"theta": known.medians["theta"] + 1000})
    assert medians(ready, odd) == medians(ready, known)


def test_stored_medians_are_read_unchanged(ready: Ready) -> None:
    known = ready[1].baseline_forecasts
    assert sorted(known.rows) == [f"series {number}" for number in range(4)]
    assert known.medians["theta"].shape == (4, 3)
    assert known.nbytes > known.medians["theta"].nbytes


def test_model_without_a_blend_stores_no_baselines(database: Database) -> None:
    dataset_id = dataset(database).id
    trained(database, dataset_id, method="network")
    with database.read() as session:
        plan = find_plan(session, OWNER, ForecastRequest(dataset_id=dataset_id))
    assert load_model(database, plan.model, plan.axis.seasons, "cpu").baseline_forecasts.medians == {}
    assert baseline_forecasts.BaselineForecasts(1, {}, {}).nbytes == 0
