"""Forecasts: of a dataset's series, or of series that no dataset holds."""

from typing import TYPE_CHECKING, Any, Unpack

from gatecast_client.chart import Chart, ChartFormat
from gatecast_client.core import PAGE, Core, Pages, call, collected, id_of, items
from gatecast_client.flow import Flow, Request
from gatecast_client.frames import forecast_frame, loaded
from gatecast_client.options import Asking, said
from gatecast_client.shapes import Dataset, DatasetSummary, SeriesForecast
from gatecast_client.tables import Frame, Rows, rows_of

if TYPE_CHECKING:
    import pandas as pd

Wanted = str | Dataset | DatasetSummary | Frame | Rows
"""A dataset, or series of one's own."""

OF_A_DATASET = ("unique_id", "dataset_version")


class ForecastCalls(Core):
    """The calls of `/forecast`.

    Each takes a dataset, by its identifier or as a call returned it, or series of one's own: a DataFrame or
    rows with `ds`, `y`, and `unique_id` where there are several. No training is needed before.
    """

    @call
    def forecast(self, data: Wanted, **options: Unpack[Asking]) -> "Flow[pd.DataFrame]":
        """Return a row for each series and step ahead, with median, mean and bounds: `lo-80`, `hi-80`, ...

        Raises MissingPandas; `forecasts` does without.
        """
        loaded()
        found = yield from collected(_pages(self, data, options))
        return forecast_frame(found, data)

    @items
    def forecasts(self, data: Wanted, **options: Unpack[Asking]) -> Pages[SeriesForecast]:
        """List the forecasts, one for each series, with method, verdict and how reliable intervals are."""
        return _pages(self, data, options)

    @call
    def plot(self, data: Wanted, *, chart: ChartFormat = "svg", **options: Unpack[Asking]) -> Flow[Chart]:
        """Draw the past of one series, its forecast and the intervals; a notebook shows the chart.

        Of several series, `unique_id` names one.
        """
        request = _request(data, options)
        params = {name: value for name, value in request.params.items() if name != "limit"}
        response = yield from self.send(
            Request(request.method, request.path, {**params, "format": chart}, json=request.json)
        )
        return Chart(response.content, chart)


def _pages(core: Core, data: Wanted, options: Asking) -> Pages[SeriesForecast]:
    return Pages(core, SeriesForecast, "forecasts", _request(data, options))


def _request(data: Wanted, options: Asking) -> Request:
    values: dict[str, Any] = said(options)
    if isinstance(data, str | Dataset | DatasetSummary):
        return Request("GET", "/forecast", params={"dataset_id": id_of(data), **values, "limit": PAGE})
    if others := [name for name in OF_A_DATASET if name in values]:
        raise TypeError(f"{' and '.join(others)}: only for a dataset; of your own series, send those alone.")
    return Request("POST", "/forecast", json={**values, "observations": rows_of(data)})
