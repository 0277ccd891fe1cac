"""The windows a training learns from and is watched on, ready for the network."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.config import MIN_INPUTS, TrainingConfig, View
from models.inputs.scaling import Scale, Transform, features, scaled_targets
from models.inputs.windows import Tape, cut
from models.panel import Panel

MOST_HELD_OUT = 4096
"""Held-out windows an evaluation looks at; a larger panel is sampled."""

MOST_IN_POOL = 2**17
"""Training windows a member learns from; a larger panel is sampled. It bounds what they take in memory."""

CUT_AT_ONCE = 4096
"""Training windows that are cut together."""


@dataclass(frozen=True, eq=False)
class Batch:
    """`inputs` (batch, context, inputs); `targets` and their `weights` (batch, horizon), both 0 for gaps."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    def draw(self, count: int, generator: torch.Generator) -> "Batch":
        """Rows drawn with replacement, every one as likely as another."""
        rows = torch.randint(len(self), (count,), generator=generator).to(self.inputs.device)
        return Batch(self.inputs[rows], self.targets[rows], self.weights[rows])


@dataclass(frozen=True, eq=False)
class Source:
    """What all members share: the tape, the cut, and how many training windows lie before each series' cut.

    `cuts` (series,) is the first held-out position of each series, its end where nothing is held out;
    `cumulative` (series,) int64.
    """

    config: TrainingConfig
    tape: Tape
    cuts: Tensor
    cumulative: Tensor

    @classmethod
    def of(cls, panel: Panel, config: TrainingConfig, held_out: int, device: torch.device) -> "Source":
        tape = Tape.of(panel, device)
        # Training windows end before the cut; the held-out windows begin at it.
        cuts = tape.ends - held_out
        counts = (cuts - tape.starts - MIN_INPUTS).clamp(min=0)
        return cls(config, tape, cuts, counts.cumsum(dim=0))

    @property
    def holds_out(self) -> bool:
        return bool((self.cuts < self.tape.ends).any())

    def pool(self, view: View, most: int, generator: torch.Generator) -> Batch:
        """Training windows to draw batches from, cut once: all there are, or a random choice of them.

        There are never more than `most`, nor than `MOST_IN_POOL`.
        """
        total, most = int(self.cumulative[-1]), min(MOST_IN_POOL, most)
        picks = torch.arange(total)
        if total > most:
            picks = torch.randint(total, (most,), generator=generator)
        parts = [self._training(part.to(self.cuts.device), view) for part in torch.split(picks, CUT_AT_ONCE)]
        return Batch(
            inputs=torch.cat([part.inputs for part in parts]),
            targets=torch.cat([part.targets for part in parts]),
            weights=torch.cat([part.weights for part in parts]),
        )

    def held_out(self, view: View, generator: torch.Generator) -> Batch:
        """The window at the cut of each series that has one, or of a random choice of `MOST_HELD_OUT`."""
        usable = torch.nonzero(self.cuts - self.tape.starts >= MIN_INPUTS)[:, 0]
        order = torch.randperm(len(usable), generator=generator)[:MOST_HELD_OUT].sort().values
        series = usable[order.to(usable.device)]
        return self._batch(series, self.cuts[series], self.tape.ends[series], view)

    def _training(self, picks: Tensor, view: View) -> Batch:
        series = torch.searchsorted(self.cumulative, picks, right=True)
        # Counted back from the cut: the pick just under the cumulative count is the last origin before it.
        origins = self.cuts[series] - (self.cumulative[series] - picks)
        return self._batch(series, origins, self.cuts[series], view)

    def _batch(self, series: Tensor, origins: Tensor, ends: Tensor, view: View) -> Batch:
        config = self.config
        windows = cut(self.tape, series, origins, ends, config)
        transform = Transform.of(windows.history)
        z = transform.forward(windows.history)
        scale = Scale.of(z, view, config)
        targets = scaled_targets(windows, transform, scale)
        # The root: between errors in units of scale, which MASE counts, and relative ones, as sMAPE does.
        weights = scale.change.clamp(max=1.0).sqrt().to(torch.float32)
        return Batch(
            inputs=features(z, scale, windows.phases, view, config),
            targets=targets.nan_to_num(nan=0.0),
            weights=weights * targets.isfinite(),
        )
