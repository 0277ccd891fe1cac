from dataclasses import dataclass

import numpy as np
import pytest

from models.choices import Preset, Seasons, StartChoice
from models.config import TrainingConfig, preset
from models.panel import Panel
from models.training.memory import PROCESS, needed_bytes

DAY_AND_WEEK = (24, 168)


@dataclass(frozen=True)
class Training:
    series: int
    length: int
    horizon: int = 12
    season_lengths: tuple[int, ...] = (12,)
    preset: Preset = "quick"
    threads: int = 2
    start: StartChoice = "scratch"

    @property
    def panel(self) -> Panel:
        return Panel(
            values=np.zeros(self.series * self.length),
            offsets=np.arange(0, self.series * self.length + 1, self.length),
            phases=np.zeros(self.series, dtype=np.int64),
        )

    @property
    def config(self) -> TrainingConfig:
        return preset(
            self.preset,
            horizon=self.horizon,
            seasons=Seasons(self.season_lengths),
            values=self.series * self.length,
            longest=self.length,
            start=self.start,
        )

    @property
    def needed(self) -> int:
        return needed_bytes(self.panel, self.config, threads=self.threads)


MEASURED = {
    Training(1, 30, horizon=5, season_lengths=()): 508,
    Training(3000, 100): 714,
    Training(20_000, 100): 774,
    Training(100_000, 100): 906,
    Training(200_000, 100): 1279,
    Training(200_000, 20, horizon=4, season_lengths=(4,)): 739,
    Training(1000, 1000, horizon=1, season_lengths=()): 648,
    Training(400, 1000, horizon=24, season_lengths=DAY_AND_WEEK): 681,
    Training(5, 20_000, horizon=168, season_lengths=DAY_AND_WEEK): 699,
    Training(200, 2000, horizon=336, season_lengths=DAY_AND_WEEK): 700,
    Training(20_000, 100, preset="balanced"): 954,
    Training(100_000, 100, preset="balanced"): 1058,
    Training(400, 1000, horizon=24, season_lengths=DAY_AND_WEEK, preset="balanced"): 770,
    Training(200, 2000, horizon=336, season_lengths=DAY_AND_WEEK, preset="balanced"): 1136,
    Training(20_000, 100, start="auto"): 759,
    Training(400, 1000, horizon=24, season_lengths=DAY_AND_WEEK, start="auto"): 627,
    Training(200, 2000, horizon=168, season_lengths=DAY_AND_WEEK, start="auto"): 640,
}
"""Peaks in MiB of whole trainings of an LSTM."""


@pytest.mark.parametrize(("training", "peak"), MEASURED.items(), ids=str)
def test_estimate_is_near_a_measured_peak(training: Training, peak: int) -> None:
    assert 0.95 * peak <= training.needed / 2**20 <= 1.5 * peak


def test_more_series_need_more() -> None:
    estimates = [Training(series, 100).needed for series in (1, 10, 100, 1000, 10_000, 100_000)]
    assert estimates == sorted(set(estimates))


def test_longer_horizon_needs_more() -> None:
    estimates = [Training(200, 1000, horizon=horizon).needed for horizon in (1, 24, 168, 336)]
    assert estimates == sorted(set(estimates))


def test_more_threads_need_more_until_every_member_has_one() -> None:
    one, two, three = (Training(1000, 100, threads=threads).needed for threads in (1, 2, 3))
    assert one < two == three


def test_of_a_huge_panel_only_the_panel_itself_needs_more() -> None:
    """The windows to learn from, and those to be watched on, are no more than their caps allow."""
    smaller, larger = Training(100_000, 100), Training(200_000, 100)
    assert larger.needed - smaller.needed < 6 * smaller.panel.values.nbytes


def test_small_panel_needs_hardly_more_than_the_process_itself() -> None:
    assert PROCESS < Training(1, 30, horizon=5).needed < 1.05 * PROCESS
