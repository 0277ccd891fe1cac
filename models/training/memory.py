"""Estimate the memory of a training before it starts."""

import os

from models.config import TrainingConfig
from models.inputs.batches import MAX_TRAINING_WINDOWS, MAX_VALIDATION_WINDOWS
from models.inputs.scaling import feature_count
from models.inputs.windows import VALUES_PER_CUT
from models.panel import Panel

PROCESS = 500 * 2**20
"""Bytes of the interpreter with torch and statsforecast, after torch's first step."""

_FLOAT, _DOUBLE = 4, 8


def needed_bytes(panel: Panel, config: TrainingConfig, *, threads: int | None = None) -> int:
    """Estimate the peak resident memory of a process that runs `train` on a CPU, in bytes.

    As many members train in parallel as there are `threads`, by default the machine's cores. The factors
    below were fitted to peaks (VmHWM) of LSTM trainings on Linux with torch 2.13, each in a new process. Most
    took two steps an epoch and used naive in place of every baseline, which changed the peak by 3 % at most.
    Of those of days and weeks most cut twelve parts of each view alone, which lowered one peak by 6 %.
    `tests/models/training/test_memory.py` lists them and keeps the estimate between 0.95 and 1.5 times each.
    A training of all four architectures took a quarter more than one.
    """
    parallel = min(config.members, threads or os.cpu_count() or 1)
    shared = _panel(panel) + _windows(panel, config) + _cutting(panel, config, parallel) + _states(config)
    return PROCESS + shared + parallel * _activations(panel, config)


def _panel(panel: Panel) -> int:
    """Return the bytes of the panel, its flat tensors, and temporary arrays of that length."""
    return 5 * _DOUBLE * len(panel.values) + 20 * _DOUBLE * panel.series


def _windows(panel: Panel, config: TrainingConfig) -> int:
    """Return the bytes of the training windows of all views."""
    views = {config.views[number] for number in config.trainable_members}
    window = _FLOAT * (config.context * max(map(feature_count, views), default=0) + 2 * config.horizon)
    windows = min(len(panel.values), MAX_TRAINING_WINDOWS, config.most_windows)
    return len(views) * windows * window


def _cutting(panel: Panel, config: TrainingConfig, parallel: int) -> int:
    """Return the bytes of the windows cut at once, with the intermediate results of their features."""
    window = config.span + config.horizon
    values = min(len(panel.values) * window, max(VALUES_PER_CUT, window))
    return 30 * _DOUBLE * parallel * values


def _states(config: TrainingConfig) -> int:
    """Return the bytes of each member's weights, gradients and optimizer moments, and of their copies."""
    return 8 * _FLOAT * len(config.trainable_members) * _parameters(config)


def _activations(panel: Panel, config: TrainingConfig) -> int:
    """Return the bytes of a member's activations for a batch or, often more, for the validation windows."""
    row = 5 * config.context * config.hidden + 5 * config.horizon * len(config.quantiles)
    batch = 3 * config.batch * row
    validation = min(panel.series, MAX_VALIDATION_WINDOWS) * row
    return _FLOAT * max(batch, validation)


def _parameters(config: TrainingConfig) -> int:
    """Return about the number of weights of an LSTM, the largest encoder, and the head."""
    return config.hidden * (4 * (config.hidden + 8) + config.horizon * len(config.quantiles))
