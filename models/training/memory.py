"""How much memory a training takes, told before it begins."""

import os

from models.config import TrainingConfig
from models.inputs.batches import MAX_TRAINING_WINDOWS, MAX_VALIDATION_WINDOWS, WINDOWS_PER_CUT
from models.inputs.scaling import feature_count
from models.panel import Panel

PROCESS = 500 * 2**20
"""The interpreter with torch and statsforecast, and what torch sets up with its first step."""

_FLOAT, _DOUBLE = 4, 8


def needed_bytes(panel: Panel, config: TrainingConfig, *, threads: int | None = None) -> int:
    """Estimate the peak resident memory of a process that runs `train` on a CPU, in bytes.

    As many members learn at a time as there are `threads`, by default the machine's cores. The factors below
    were fitted to the peaks (VmHWM) that trainings of one LSTM had on Linux with torch 2.13, each in a fresh
    process; most of them took two steps an epoch and asked naive in place of each baseline, which changed
    3 % at most. `tests/models/test_memory.py` lists them and holds the estimate between 0.95 and 1.5 times
    each. To try all four architectures took a quarter more than one.
    """
    at_once = min(config.members, threads or os.cpu_count() or 1)
    shared = _panel(panel) + _pools(panel, config) + _cutting(panel, config) + _states(config)
    return PROCESS + shared + at_once * _at_work(panel, config)


def _panel(panel: Panel) -> int:
    """The panel, its tape, and the arrays as long that choosing windows needs for a while."""
    return 5 * _DOUBLE * len(panel.values) + 20 * _DOUBLE * panel.series


def _pools(panel: Panel, config: TrainingConfig) -> int:
    """The windows to learn from, for each view; those of one view twice, while they are joined."""
    views = {config.views[number] for number in config.trainable_members}
    window = _FLOAT * (config.context * max(map(feature_count, views), default=0) + 2 * config.horizon)
    windows = min(len(panel.values), MAX_TRAINING_WINDOWS, config.steps * config.batch)
    return (len(views) + 1) * windows * window


def _cutting(panel: Panel, config: TrainingConfig) -> int:
    """The windows that are cut together, with what is worked out on the way to their features."""
    return 15 * _DOUBLE * min(len(panel.values), WINDOWS_PER_CUT) * (config.span + config.horizon)


def _states(config: TrainingConfig) -> int:
    """Weights, gradients and the optimizer's two moments of each member, and copies to go on from."""
    return 8 * _FLOAT * len(config.trainable_members) * _parameters(config)


def _at_work(panel: Panel, config: TrainingConfig) -> int:
    """What a member computes for a batch and, the larger part, when it is watched on the held-out windows."""
    row = 5 * config.context * config.hidden + 5 * config.horizon * len(config.quantiles)
    batch = 3 * config.batch * row
    held_out = min(panel.series, MAX_VALIDATION_WINDOWS) * row
    return _FLOAT * max(batch, held_out)


def _parameters(config: TrainingConfig) -> int:
    """About those of an LSTM, which has the most, and of the head."""
    return config.hidden * (4 * (config.hidden + 8) + config.horizon * len(config.quantiles))
