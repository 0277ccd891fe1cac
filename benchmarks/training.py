"""Windows a second of the real training loop beside the bare loop that no training can be faster than.

Both train the same LSTM of preset `balanced` on batches of the same size, in one thread, taking turns. The
real one is `models.training.fit.fit`: it cuts and scales its windows, and reports. The bare one has
its tensors ready: forward, loss, backward, step. The data has the shape of M3's monthly part.

    python -m benchmarks.training [--peers]
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import numpy as np
import torch
from torch import Tensor

from benchmarks.peers import NEURALFORECAST, run_peer
from benchmarks.report import finish, print_table
from models.choices import Seasons
from models.config import TrainingConfig, preset
from models.inputs.scaling import feature_count
from models.network.devices import use_one_thread
from models.network.forecaster import build_member
from models.panel import Panel
from models.training.fit import fit

SERIES, LENGTH, HORIZON, SEASON = 1428, 117, 18, 12
STEPS = 150
ROUNDS = 3


def monthly_like() -> Panel:
    """Positive series with trend, season and noise, equal from run to run."""
    random = np.random.default_rng(0)
    steps = np.arange(LENGTH)
    walk = random.normal(0.002, 0.03, (SERIES, LENGTH)).cumsum(axis=1)
    season = random.normal(0, 0.1, (SERIES, SEASON))[:, steps % SEASON]
    return Panel.of(list(5000 * np.exp(walk + season)))


def shortened(panel: Panel) -> TrainingConfig:
    """The preset's with all its members, each cut to `STEPS` steps, with an epoch as often as it has them."""
    whole = preset(
        "balanced", horizon=HORIZON, seasons=Seasons((SEASON,)), values=len(panel.values), longest=LENGTH
    )
    epochs = max(1, round(whole.epochs * STEPS / whole.steps))
    return replace(whole, steps=STEPS, epochs=epochs)


def bare_loop(config: TrainingConfig, device: str = "cpu") -> None:
    """As many steps as the config's members have, all of its first member on one batch of random numbers."""
    generator = torch.Generator().manual_seed(0)
    network = build_member(config, 0, generator).to(device)
    shape = (config.batch, config.context, feature_count(config.views[0]))
    inputs = torch.randn(shape, generator=generator).to(device)
    targets = torch.randn(config.batch, config.horizon, 1, generator=generator).to(device)
    quantiles = torch.tensor(config.quantiles, device=device)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay, fused=True)
    for _ in range(config.members * config.steps):
        loss = _pinball(targets - network(inputs), quantiles)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()


def _pinball(error: Tensor, quantiles: Tensor) -> Tensor:
    return torch.maximum(quantiles * error, (quantiles - 1) * error).mean()


def _seconds(loop: Callable[[], object]) -> float:
    start = time.perf_counter()
    loop()
    return time.perf_counter() - start


def measure(panel: Panel, config: TrainingConfig) -> dict[str, float]:
    """Medians over the rounds; the ratio is the median of the rounds' own, which share the machine's mood."""
    loops: tuple[Callable[[], object], ...] = (lambda: fit(panel, config), lambda: bare_loop(config))
    for loop in loops:
        loop()  # the first run pays for what is set up once
    windows = config.members * config.steps * config.batch
    rounds = [[windows / _seconds(loop) for loop in loops] for _ in range(ROUNDS)]
    return {
        "windows_per_second": round(median(real for real, _ in rounds), 1),
        "bare_windows_per_second": round(median(bare for _, bare in rounds), 1),
        "ratio_to_bare_loop": round(median(real / bare for real, bare in rounds), 4),
    }


def neuralforecast_windows_per_second(panel: Panel, config: TrainingConfig) -> float:
    """Its LSTM with our hidden size, context and batch; its head and loss (the median alone) are its own.

    The time of `STEPS` steps is the difference of two trainings, so that setting up does not count.
    """
    settings = {
        "encoder_hidden_size": config.hidden,
        "encoder_n_layers": 1,
        "input_size": config.context,
        "windows_batch_size": config.batch,
    }
    short, long = (
        run_peer(
            NEURALFORECAST,
            panel,
            horizon=config.horizon,
            season_length=config.season_length,
            settings={**settings, "max_steps": steps},
        ).training_seconds
        for steps in (STEPS, 2 * STEPS)
    )
    return config.batch * STEPS / (long - short)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", action="store_true", help="neuralforecast too; installs it")
    arguments = parser.parse_args()
    use_one_thread()
    panel = monthly_like()
    config = shortened(panel)
    result = measure(panel, config)
    rows = [
        ("models.training.fit.fit", f"{result['windows_per_second']:.0f}"),
        ("bare loop", f"{result['bare_windows_per_second']:.0f}"),
    ]
    if arguments.peers:
        peer = neuralforecast_windows_per_second(panel, config)
        rows.append(("neuralforecast", f"{peer:.0f}"))
        result |= {"times_neuralforecast": round(result["windows_per_second"] / peer, 3)}
    print_table(("loop", "windows/s"), rows)
    shape = {"batch": config.batch, "context": config.context, "hidden": config.hidden, "steps": STEPS}
    finish("training", {**shape, **result})


if __name__ == "__main__":
    main()
