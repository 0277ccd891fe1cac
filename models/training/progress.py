"""The progress of a training: which part runs, and the share of the whole that is done."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from models.choices import Architecture
from models.training.fit import FitProgress

Phase = Literal["backtesting", "training"]


@dataclass(frozen=True)
class Progress:
    """The progress of a training after an epoch of a fit, or after some windows of the baselines.

    `phase` says whether the last fit was one for the backtest or that of the model to keep. `fit` is the
    progress of that fit: it stays at its end during the baselines, and is None before any epoch.
    `share_done` is from 0 to 1 over the whole training, earlier attempts included.
    """

    phase: Phase
    architecture: Architecture
    fit: FitProgress | None
    share_done: float


class ProgressTracker:
    """Reports progress over so many equal `parts` of a training."""

    def __init__(self, on_progress: Callable[[Progress], None], parts: int) -> None:
        self._on_progress, self._parts = on_progress, parts
        self._started = 0
        self._last: Progress

    def start_fit(self, phase: Phase, architecture: Architecture) -> Callable[[FitProgress], None]:
        """Start a part that is a fit, and return the function that reports its progress."""
        before = self._started
        self._started += 1
        self._last = Progress(phase, architecture, None, before / self._parts)

        def report(progress: FitProgress) -> None:
            share = (before + progress.share_done) / self._parts
            self._last = Progress(phase, architecture, progress, share)
            self._on_progress(self._last)

        return report

    def start_baselines(self) -> Callable[[float], None]:
        """Start a part that is no fit, and return the function that reports its share from 0 to 1."""
        before = self._started
        self._started += 1

        def report(share_done: float) -> None:
            self._on_progress(replace(self._last, share_done=(before + share_done) / self._parts))

        return report
