"""Cross-validation: a training whose backtest has the cuts that are asked for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from gatecast_client.calls.datasets import uploaded
from gatecast_client.calls.jobs import queued, waited
from gatecast_client.calls.models import backtest_pages
from gatecast_client.core import Core, call, collected, path_to
from gatecast_client.errors import JobFailed
from gatecast_client.flow import Flow, Request
from gatecast_client.frames import cross_validation_frame, loaded
from gatecast_client.options import Fitting, Preset
from gatecast_client.shapes import BacktestRow, Dataset, DatasetSummary
from gatecast_client.tables import Frame

if TYPE_CHECKING:
    import pandas as pd

LEAVING_NO_TRACE = {"promote": "never", "on_loss": "warn"}


class CrossValidationCalls(Core):
    """The call that upload, training and backtest make together."""

    @call
    def cross_validation(  # noqa: PLR0913  # parameters of statsforecast's, and the preset
        self,
        data: str | Dataset | DatasetSummary | Frame,
        h: int,
        n_windows: int = 1,
        step_size: int | None = None,
        *,
        level: Sequence[int] = (),
        preset: Preset | None = None,
        **fitting: Unpack[Fitting],
    ) -> "Flow[pd.DataFrame]":
        """Forecast `h` steps from each of `n_windows` cuts, `step_size` steps apart, beside the true values.

        Return a row for each series, cut and step: `unique_id`, `ds`, `cutoff` (the last time known), `y`,
        and a column for the network, its blend and each simple method, with `NAME-lo-80`, `NAME-hi-80` for a
        `level` of 80. The columns are those of statsforecast. The networks are fitted once, before the first
        cut; by default cuts are `h` apart. Of more than 5,000 windows a sample is tested. What was uploaded
        or trained for this is deleted. Raises as `upload`, `train` and `wait` do, and MissingPandas.
        """
        loaded()
        cuts = {"horizon": h, "cuts": n_windows, "step_size": step_size, "level": list(level)}
        settings = {"preset": preset, **fitting, **cuts, **LEAVING_NO_TRACE}
        if isinstance(data, str | Dataset | DatasetSummary):
            return cross_validation_frame((yield from _tested(self, data, settings)), level, data)
        dataset = yield from uploaded(self, data)
        try:
            rows = yield from _tested(self, dataset, settings)
        finally:
            yield from self.send(Request("DELETE", path_to("datasets", dataset)))
        return cross_validation_frame(rows, level, data)


def _tested(
    core: Core, dataset: str | Dataset | DatasetSummary, settings: Mapping[str, Any]
) -> Flow[list[BacktestRow]]:
    """Return the backtest of a training that leaves no model."""
    job = yield from queued(core, dataset, settings)
    try:
        job = yield from waited(core, job)
    except JobFailed:
        raise
    except BaseException:  # nobody waits for it any more
        yield from core.send(Request("POST", path_to("jobs", job, "cancel")))
        raise
    model = str(job.model_id)
    rows = yield from collected(backtest_pages(core, model))
    yield from core.send(Request("DELETE", path_to("models", model)))
    return rows
