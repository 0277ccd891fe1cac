"""Errors of forecasts on values that were hidden from them, beside those of naive and drift."""

from collections.abc import Sequence

import numpy as np

from models.methods.baselines import drift, naive
from models.metrics import smape
from models.panel import Panel


def smape_by_method(
    series: Sequence[Sequence[float]], forecasts: Sequence[Sequence[float]]
) -> dict[str, float]:
    """Return the sMAPE in percent, over all series, of `forecasts`, `naive` and `drift`.

    The forecasts are of the last steps of the series, which naive and drift do not read either.
    """
    panel, medians = Panel.of(series), np.asarray(forecasts, dtype=np.float64)
    horizon = medians.shape[1]
    context, target = panel.without_last(horizon), panel.last(horizon)
    methods = {"forecasts": medians, "naive": naive(context, horizon), "drift": drift(context, horizon)}
    return {name: smape(target, median) for name, median in methods.items()}
