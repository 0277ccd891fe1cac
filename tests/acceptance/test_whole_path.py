"""The whole path with a real worker: upload, training, forecast."""

import pytest

from gatecast_client import Client
from tests.factories import csv_bytes, trends

pytestmark = pytest.mark.long


def test_uploaded_file_is_forecast_after_training(caller: Client) -> None:
    dataset = caller.upload(csv_bytes(trends(count=2)), "trends")
    job = caller.wait(caller.train(dataset, horizon=3, preset="quick"))
    forecasts = list(caller.forecasts(dataset))
    assert caller.model(str(job.model_id)).champion
    assert [item.unique_id for item in forecasts] == ["series 0", "series 1"]
    assert forecasts[0].ds == [2000, 2001, 2002]
    # The second line grows by 2 a step and is at 189 then; a learnt forecast is a few steps off at the most.
    assert abs(forecasts[1].forecast[-1] - 189) < 8
