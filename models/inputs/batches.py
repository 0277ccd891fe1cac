"""Windows as the network reads them: those to train on, and those to validate on."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from models.config import MIN_INPUTS, TrainingConfig, View
from models.inputs.scaling import (
    Scale,
    Transform,
    feature_count,
    features,
    scaled_targets,
    seasonal_component,
)
from models.inputs.windows import FlatPanel, cut_windows, windows_per_cut
from models.panel import Panel

MAX_VALIDATION_WINDOWS = 4096
"""Windows that a validation loss is computed on; a larger panel is sampled."""

MAX_TRAINING_WINDOWS = 2**17
"""Windows that a member trains on; a larger panel is sampled. This bounds their memory."""


@dataclass(frozen=True, eq=False)
class Batch:
    """`inputs` (batch, context, inputs); `targets` and their `weights` (batch, horizon), both 0 for gaps."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.inputs, self.targets, self.weights

    def draw(self, batches: int, count: int, generator: torch.Generator) -> Iterator["Batch"]:
        """Yield batches of `count` rows drawn with replacement, each with the same probability."""
        # All at once, since a GPU waits for each copy.
        drawn = torch.randint(len(self), (batches, count), generator=generator).to(self.inputs.device)
        for rows in drawn:
            yield Batch(*(whole.index_select(0, rows) for whole in self.tensors))


@dataclass(frozen=True, eq=False)
class WindowSampler:
    """Samples the training and the validation windows of one panel.

    `train_ends` (series,) int64 is the position where each series' training part ends: its end where nothing
    is held out. `cumulative` (series,) int64 counts the training windows of all series up to and including
    each one.
    """

    config: TrainingConfig
    flat: FlatPanel
    train_ends: Tensor
    cumulative: Tensor

    @classmethod
    def of(cls, panel: Panel, config: TrainingConfig, held_out: int, device: torch.device) -> "WindowSampler":
        """Prepare a panel, whose last `held_out` steps of each series are kept from training."""
        flat = FlatPanel.of(panel, device)
        # Training windows end before this position; validation windows start at it.
        train_ends = flat.ends - held_out
        counts = (train_ends - flat.starts - MIN_INPUTS).clamp(min=0)
        return cls(config, flat, train_ends, counts.cumsum(dim=0))

    @property
    def device(self) -> torch.device:
        return self.train_ends.device

    @property
    def has_validation(self) -> bool:
        return bool((self.train_ends < self.flat.ends).any())

    def training(self, view: View, most: int, generator: torch.Generator) -> Batch:
        """Return all training windows as one view sees them, or a random sample of them.

        There are never more than `most`, nor more than `MAX_TRAINING_WINDOWS`.
        """
        total, most = int(self.cumulative[-1]), min(MAX_TRAINING_WINDOWS, most)
        picks = torch.arange(total)
        if total > most:
            picks = torch.randint(total, (most,), generator=generator)
        picks = picks.to(self.device)
        series = torch.searchsorted(self.cumulative, picks, right=True)
        # Picks number all origins in order: the cumulative count minus the pick is the distance to the end.
        origins = self.train_ends[series] - (self.cumulative[series] - picks)
        return self._cut(series, origins, self.train_ends[series], view)

    def validation(self, view: View, generator: torch.Generator) -> Batch:
        """Return the window at the end of each series' training part, of `MAX_VALIDATION_WINDOWS` series."""
        usable = torch.nonzero(self.train_ends - self.flat.starts >= MIN_INPUTS)[:, 0]
        order = torch.randperm(len(usable), generator=generator)[:MAX_VALIDATION_WINDOWS].sort().values
        series = usable[order.to(usable.device)]
        return self._cut(series, self.train_ends[series], self.flat.ends[series], view)

    def _cut(self, series: Tensor, origins: Tensor, ends: Tensor, view: View) -> Batch:
        """Return the windows at `origins`, cut part after part, which bounds the memory of the cut."""
        whole, part = self._empty(len(series), view), windows_per_cut(self.config)
        # In the order of their steps: parts without the gaps before a series take half of the time.
        order = (origins - self.flat.starts[series]).argsort()
        for rows in torch.split(order, part):
            batch = self._batch(series[rows], origins[rows], ends[rows], view)
            for all_rows, some in zip(whole.tensors, batch.tensors, strict=True):
                all_rows[rows] = some
        return whole

    def _empty(self, count: int, view: View) -> Batch:
        """Return `count` windows to fill: joining parts would hold all of them twice."""
        config = self.config
        future = (count, config.horizon)
        return Batch(
            inputs=torch.empty(count, config.context_of(view), feature_count(view), device=self.device),
            targets=torch.empty(future, device=self.device),
            weights=torch.empty(future, device=self.device),
        )

    def _batch(self, series: Tensor, origins: Tensor, ends: Tensor, view: View) -> Batch:
        config = self.config
        windows = cut_windows(self.flat, series, origins, ends, config)
        transform = Transform.of(windows.history, config.season_length)
        z = transform.forward(windows.history)
        season = seasonal_component(z, windows.phases, view, config)
        scale = Scale.of(z, season, view, config)
        targets = scaled_targets(windows, transform, scale)
        # The root lies between errors in units of scale, as in MASE, and relative errors, as in sMAPE.
        weights = scale.change.clamp(max=1.0).sqrt().to(torch.float32)
        return Batch(
            inputs=features(z, scale, windows.phases, view, config),
            targets=targets.nan_to_num(nan=0.0),
            weights=weights * targets.isfinite(),
        )
