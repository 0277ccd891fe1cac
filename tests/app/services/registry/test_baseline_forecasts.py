"""What the simple methods said when a model was trained."""

import numpy as np
import pytest

from app.auth import OWNER
from app.db.engine import Database
from app.db.queries import datasets as queries
from app.services.forecasting.model_loading import LoadedModel
from app.services.forecasting.resolve import ForecastQuery, Reading, find_source, load_model
from app.services.registry import baseline_forecasts
from app.services.registry.baseline_forecasts import BaselineForecasts
from tests.factories import dataset, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")


@pytest.fixture
def reading(database: Database) -> Reading:
    """A model whose blend with Theta answers, with the rows of its series."""
    dataset_id = dataset(database, trends(count=4)).id
    trained(database, dataset_id, method="blend")
    with database.read() as session:
        source = find_source(session, OWNER, ForecastQuery(dataset_id=dataset_id))
        rows = queries.window_page(session, source.version, 10, None)
    return Reading(source, load_model(database, source, "cpu"), rows)


def medians(reading: Reading, simple: BaselineForecasts) -> list[list[float]]:
    model = LoadedModel(reading.model.forecaster, simple)
    found = Reading(reading.source, model, reading.rows).answers((80,)).forecast.median
    return [list(row) for row in found]


def test_forecast_is_the_same_as_without_them(reading: Reading) -> None:
    known = reading.model.simple
    assert list(known.medians) == ["theta"]
    assert medians(reading, known) == medians(reading, BaselineForecasts(1, {}, {}))


def test_theta_is_not_asked_again_for_what_is_known(reading: Reading) -> None:
    known = reading.model.simple
    odd = BaselineForecasts(known.version, known.rows, {"theta": known.medians["theta"] + 1000})
    assert (np.array(medians(reading, odd)) > np.array(medians(reading, known)) + 1).all()


def test_series_that_has_changed_since_is_asked_anew(reading: Reading) -> None:
    known = reading.model.simple
    odd = BaselineForecasts(0, known.rows, {"theta": known.medians["theta"] + 1000})
    assert medians(reading, odd) == medians(reading, known)


def test_medians_come_back_as_they_were_written(reading: Reading) -> None:
    known = reading.model.simple
    assert sorted(known.rows) == [f"series {number}" for number in range(4)]
    assert known.medians["theta"].shape == (4, 3)
    assert known.nbytes > known.medians["theta"].nbytes


def test_network_that_answers_alone_has_none(database: Database) -> None:
    dataset_id = dataset(database).id
    trained(database, dataset_id, method="network")
    with database.read() as session:
        source = find_source(session, OWNER, ForecastQuery(dataset_id=dataset_id))
    assert load_model(database, source, "cpu").simple.medians == {}
    assert baseline_forecasts.BaselineForecasts(1, {}, {}).nbytes == 0
