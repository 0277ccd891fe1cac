"""The one function that cuts windows from series."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.config import TrainingConfig
from models.panel import Panel


@dataclass(frozen=True, eq=False)
class Tape:
    """A panel as tensors on one device, with what cutting needs to know of each series and position.

    `values` (total,) float64; `last_known` (total,) int64, the position of the last value at or before
    each position that is not a gap (-1: none), other series not told apart; `starts`, `ends` and `phases`
    (series,) int64.
    """

    values: Tensor
    last_known: Tensor
    starts: Tensor
    ends: Tensor
    phases: Tensor

    @classmethod
    def of(cls, panel: Panel, device: torch.device) -> "Tape":
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
    """A batch of windows: what is known before each origin, and what came after.

    `history` (batch, span) float64, NaN for gaps and before the series begins; `targets`
    (batch, horizon) float64, NaN for gaps and from the window's end on; `phases` (batch,) int64, the
    phase at the origin.
    """

    history: Tensor
    targets: Tensor
    phases: Tensor


def cut(tape: Tape, series: Tensor, origins: Tensor, ends: Tensor, config: TrainingConfig) -> Windows:
    """The windows whose first step ahead is at `origins` and whose targets stop short of `ends`.

    `series`, `origins` and `ends` are (batch,) int64; the last two are positions on the tape. Training,
    validation and forecasting all cut here: they differ in nothing but the origins and ends they pass.
    """
    starts = tape.starts[series]
    behind = origins[:, None] + torch.arange(-config.span, 0, device=origins.device)
    ahead = origins[:, None] + torch.arange(config.horizon, device=origins.device)
    history = _read(tape.values, behind, behind >= starts[:, None])
    _stand_in(history, tape, starts, origins, config.context)
    return Windows(
        history=history,
        targets=_read(tape.values, ahead, ahead < ends[:, None]),
        phases=tape.phases[series] + origins - starts,
    )


def _read(values: Tensor, at: Tensor, allowed: Tensor) -> Tensor:
    return values[at.clamp(0, len(values) - 1)].masked_fill(~allowed, torch.nan)


def _stand_in(history: Tensor, tape: Tape, starts: Tensor, origins: Tensor, context: int) -> None:
    """After a gap longer than the context, let the last known value stand at the context's first step.

    Without it such a window would have no level to start from.
    """
    blank = history[:, -context:].isnan().all(dim=1)
    known = tape.last_known[origins - 1]
    usable = blank & (known >= starts)
    history[:, -context] = torch.where(usable, tape.values[known.clamp(min=0)], history[:, -context])
