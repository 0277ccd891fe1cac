"""Cut windows from series: training, validation and forecasting all use `cut_windows`."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.config import TrainingConfig
from models.panel import Panel

VALUES_PER_CUT = 2**18
"""Values that windows cut in one call read together: what fits a processor's cache is twice as fast."""


@dataclass(frozen=True, eq=False)
class FlatPanel:
    """A panel as tensors on one device, indexed for cutting.

    `values` (total,) float64 is NaN for gaps. `last_valid` (total,) int64 is the position of the last value
    up to each position, gaps skipped; -1 for none. That value may belong to an earlier series. `starts`,
    `ends` and `phases` are (series,) int64.
    """

    values: Tensor
    last_valid: Tensor
    starts: Tensor
    ends: Tensor
    phases: Tensor

    @classmethod
    def of(cls, panel: Panel, device: torch.device) -> "FlatPanel":
        """Copy a panel to a device."""
        positions = np.where(np.isfinite(panel.values), np.arange(len(panel.values)), -1)
        arrays = (
            panel.values,
            np.maximum.accumulate(positions),
            panel.offsets[:-1],
            panel.offsets[1:],
            panel.phases,
        )
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))


@dataclass(frozen=True, eq=False)
class Windows:
    """A batch of windows: the values before each origin, and those from it on.

    `history` (batch, span) float64 is NaN for gaps and before the series begins. `targets` (batch, horizon)
    float64 is NaN for gaps and from the window's end on. `phases` (batch,) int64 are those at the origins.
    """

    history: Tensor
    targets: Tensor
    phases: Tensor


def cut_windows(
    flat: FlatPanel, series: Tensor, origins: Tensor, ends: Tensor, config: TrainingConfig
) -> Windows:
    """Return the windows whose first step ahead is at `origins`, with targets before `ends`.

    `series`, `origins` and `ends` are (batch,) int64; the last two are positions in the flat panel. Training,
    validation and forecasting differ only in the origins and ends that they pass.
    """
    starts = flat.starts[series]
    past = origins[:, None] + torch.arange(-config.span, 0, device=origins.device)
    future = origins[:, None] + torch.arange(config.horizon, device=origins.device)
    history = _read(flat.values, past, past >= starts[:, None])
    _fill_blank_context(history, flat, starts, origins, config.context)
    return Windows(
        history=history,
        targets=_read(flat.values, future, future < ends[:, None]),
        phases=flat.phases[series] + origins - starts,
    )


def windows_per_cut(config: TrainingConfig) -> int:
    """Return how many windows are cut in one call, at least 1."""
    return max(1, VALUES_PER_CUT // (config.span + config.horizon))


def _read(values: Tensor, at: Tensor, allowed: Tensor) -> Tensor:
    return values[at.clamp(0, len(values) - 1)].masked_fill(~allowed, torch.nan)


def _fill_blank_context(
    history: Tensor, flat: FlatPanel, starts: Tensor, origins: Tensor, context: int
) -> None:
    """Put the last value before a gap longer than the context at the context's first step, in place.

    Such a window would have no level otherwise.
    """
    blank = history[:, -context:].isnan().all(dim=1)
    last = flat.last_valid[origins - 1]
    usable = blank & (last >= starts)
    history[:, -context] = torch.where(usable, flat.values[last.clamp(min=0)], history[:, -context])
