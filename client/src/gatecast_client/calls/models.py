"""Models: look, judge, promote."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gatecast_client.core import Core, Pages, Ref, call, collected, id_of, items, listing, path_to
from gatecast_client.flow import Flow, Request
from gatecast_client.frames import backtest_frame, loaded
from gatecast_client.options import OnLoss, said
from gatecast_client.shapes import (
    BacktestRow,
    Model,
    ModelComparison,
    ModelSummary,
    PretrainedBacktest,
    SeriesMeasures,
)

if TYPE_CHECKING:
    import pandas as pd


class ModelCalls(Core):
    """The calls under `/models`."""

    @items
    def models(self, dataset: Ref | None = None) -> Pages[ModelSummary]:
        """List all models, or those of a dataset, newest first."""
        dataset_id = None if dataset is None else id_of(dataset)
        return Pages(self, ModelSummary, "models", listing("/models", dataset_id=dataset_id))

    @call
    def model(self, model: Ref) -> Flow[Model]:
        """Return a model with its verdicts, measures and lineage."""
        return self.fetch(Model, Request("GET", path_to("models", model)))

    @call
    def update_model(
        self, model: Ref, *, on_loss: OnLoss | None = None, name: str | None = None
    ) -> Flow[Model]:
        """Change what a model does when a baseline beats it, its name, or both."""
        changes = said({"on_loss": on_loss, "name": name})
        return self.fetch(Model, Request("PATCH", path_to("models", model), json=changes))

    @call
    def promote(self, model: Ref) -> Flow[Model]:
        """Make a model the champion of its dataset."""
        return self.fetch(Model, Request("POST", path_to("models", model, "promote")))

    @call
    def delete_model(self, model: Ref) -> Flow[None]:
        """Delete a model."""
        yield from self.send(Request("DELETE", path_to("models", model)))

    @call
    def compare(self, models: Sequence[Ref]) -> Flow[ModelComparison]:
        """Return models of a dataset on the windows that all were tested on, judged against the first."""
        params = {"model_id": [id_of(model) for model in models]}
        return self.fetch(ModelComparison, Request("GET", "/models/compare", params=params))

    @call
    def artifact(self, model: Ref) -> Flow[bytes]:
        """Return a model as a zip: weights, calibration, and a card that says how to load them."""
        response = yield from self.send(Request("GET", path_to("models", model, "artifact")))
        return response.content

    @call
    def backtest(self, model: Ref) -> "Flow[pd.DataFrame]":
        """Return a row for each step held out: the true value, and each method's forecast and bounds.

        Raises MissingPandas; `backtest_rows` does without.
        """
        loaded()
        return backtest_frame((yield from collected(backtest_pages(self, model))))

    @items
    def backtest_rows(self, model: Ref) -> Pages[BacktestRow]:
        """List the rows of a model's backtest by series, cutoff and step."""
        return backtest_pages(self, model)

    @items
    def series_measures(self, model: Ref) -> Pages[SeriesMeasures]:
        """List the errors of every method on each series."""
        return Pages(self, SeriesMeasures, "series", listing(path_to("models", model, "backtest", "series")))

    @call
    def pretrained_backtest(self, dataset: Ref, horizon: int | None = None) -> Flow[PretrainedBacktest]:
        """Return how the pretrained network did on a dataset; ServiceError, 409, while its backtest runs."""
        params = said({"dataset_id": id_of(dataset), "horizon": horizon})
        return self.fetch(PretrainedBacktest, Request("GET", "/models/pretrained/backtest", params=params))


def backtest_pages(core: Core, model: Ref) -> Pages[BacktestRow]:
    """List the rows of a model's backtest."""
    return Pages(core, BacktestRow, "rows", listing(path_to("models", model, "backtest")))
