"""The network of the usual LSTM tutorial beside ours, on the data it is usually shown on.

Population by country and year; the last five years are hidden and forecast. The tutorial's network, once for
each country: values scaled to 0..1, one value in, one LSTM layer of 50 units and one output, Adam, squared
error, 100 epochs of batch 1, and each forecast fed back in to make the next.

    python -m benchmarks.article
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from benchmarks.report import finish, print_table
from models.choices import NO_SEASONS, Preset
from models.config import preset
from models.methods.baselines import drift, naive
from models.methods.ensemble import ensemble_forecast
from models.metrics import smape
from models.panel import Floats, Panel
from models.training.train import train

HORIZON = 5
UNITS = 50
EPOCHS = 100
DATA = Path(__file__).parents[1] / "examples" / "population.csv"

Method = Callable[[Panel], Floats]


class ArticleNetwork(nn.Module):
    """One LSTM layer and one output; from one value to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, UNITS, batch_first=True)
        self.out = nn.Linear(UNITS, 1)

    def forward(self, value: Tensor) -> Tensor:
        """(batch,) to (batch,)."""
        hidden, _ = self.lstm(value[:, None, None])
        answer: Tensor = self.out(hidden[:, -1])
        return answer[:, 0]


def article(panel: Panel) -> Floats:
    """One network for each series, as the tutorial trains it."""
    torch.manual_seed(0)
    # Batches of one keep no second thread busy: one is the fastest way to run this network.
    torch.set_num_threads(1)
    return np.stack([_one_series(series) for series in np.split(panel.values, panel.offsets[1:-1])])


def ours(name: Preset) -> Method:
    def run(panel: Panel) -> Floats:
        config = preset(
            name,
            horizon=HORIZON,
            seasons=NO_SEASONS,
            values=len(panel.values),
            longest=int(panel.lengths.max()),
        )
        return ensemble_forecast(train(panel, config, ["lstm"]).model, panel).median

    return run


def _one_series(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    scaled = torch.tensor((values - low) / (high - low), dtype=torch.float32)
    network = _train(scaled)
    answers = [scaled[-1:]]
    with torch.no_grad():
        for _ in range(HORIZON):
            answers.append(network(answers[-1]))
    return low + (high - low) * torch.cat(answers[1:]).numpy().astype(np.float64)


def _train(scaled: Tensor) -> ArticleNetwork:
    network = ArticleNetwork()
    optimizer = torch.optim.Adam(network.parameters())
    for _ in range(EPOCHS):
        for i in torch.randperm(len(scaled) - 1).tolist():
            loss = nn.functional.mse_loss(network(scaled[i : i + 1]), scaled[i + 1 : i + 2])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
    return network


def main() -> None:
    series = pd.read_csv(DATA).groupby("unique_id", sort=False)["y"]
    panel = Panel.of([values.to_list() for _, values in series])
    history, hidden = panel.without_last(HORIZON), panel.last(HORIZON)
    methods: dict[str, Method] = {
        "naive": lambda known: naive(known, HORIZON),
        "drift": lambda known: drift(known, HORIZON),
        "article": article,
        "quick": ours("quick"),
        "balanced": ours("balanced"),
    }
    errors: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for name, method in methods.items():
        start = time.perf_counter()
        errors[name] = round(smape(hidden, method(history)), 4)
        seconds[name] = round(time.perf_counter() - start, 3)
    rows = [(name, f"{errors[name]:.3f}", f"{seconds[name]:.2f}") for name in methods]
    print_table(("method", "sMAPE %", "seconds"), rows)
    finish("article", {"smape": errors, "seconds": seconds})


if __name__ == "__main__":
    main()
