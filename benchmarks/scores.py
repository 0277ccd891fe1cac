"""One method's accuracy on one part or on several, in the competitions' own measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from benchmarks.competition import Part
from models.choices import Outcome
from models.methods.forecast import Forecast
from models.metrics import (
    coverage,
    interval_scores,
    mase,
    mean,
    scaled_errors,
    seasonal_naive_error,
    smape,
)
from models.panel import Floats

LEVELS = (80, 95)


@dataclass(frozen=True)
class Score:
    """sMAPE in percent, MASE; with intervals, their mean scaled score and what share each holds.

    `interval_score` is the mean over the levels, in units of the MASE scale, None without intervals. `series`
    and `points` are what it was measured on; `seconds` and `peak_mb` (of its process, libraries
    included; None where several methods share one) what it took. `verdict` is what the backtest said
    beforehand of a method of ours.
    """

    series: int
    points: int
    smape: float
    mase: float
    interval_score: float | None
    coverage: dict[int, float]
    seconds: float
    peak_mb: float | None
    verdict: Outcome | None = None


def score(part: Part, forecast: Forecast, seconds: float, peak_mb: float | None = None) -> Score:
    """Raises `ValueError` for a forecast that is not finite, which would otherwise not count against it."""
    if not np.isfinite(forecast.median).all():
        bad = int(np.flatnonzero(~np.isfinite(forecast.median).all(axis=1))[0])
        raise ValueError(f"The forecast of series {bad} ({part.frequency}) is not finite.")
    held = {level: coverage(part.target, lo, forecast.hi[level]) for level, lo in forecast.lo.items()}
    scale = seasonal_naive_error(part.history, part.season_length)
    return Score(
        series=part.history.series,
        points=part.target.size,
        smape=smape(part.target, forecast.median),
        mase=mase(part.target, forecast.median, scale),
        interval_score=_interval_score(part.target, forecast, scale) if held else None,
        coverage=held,
        seconds=seconds,
        peak_mb=peak_mb,
    )


def pooled(scores: Sequence[Score]) -> Score:
    """Over several parts: sMAPE and coverage over all points; MASE and interval score over all series."""
    points = [part.points for part in scores]
    peaks = [part.peak_mb for part in scores if part.peak_mb is not None]
    levels = scores[0].coverage
    intervals = [part.interval_score for part in scores if part.interval_score is not None]
    series = [part.series for part in scores]
    return Score(
        series=sum(part.series for part in scores),
        points=sum(points),
        smape=_weighted([part.smape for part in scores], points),
        mase=_weighted([part.mase for part in scores], series),
        interval_score=_weighted(intervals, series) if levels else None,
        coverage={level: _weighted([part.coverage[level] for part in scores], points) for level in levels},
        seconds=sum(part.seconds for part in scores),
        peak_mb=max(peaks, default=None),
    )


def owa(scores: Sequence[Score], naive2: Sequence[Score]) -> float:
    """Overall weighted average of M4: sMAPE and MASE over all series, each relative to Naive2, and averaged.

    Makridakis, Spiliotis & Assimakopoulos (2020), The M4 Competition. For one part give one score each.
    """
    series = [part.series for part in scores]

    def relative(name: str) -> float:
        mine, theirs = ([float(getattr(part, name)) for part in parts] for parts in (scores, naive2))
        return _weighted(mine, series) / _weighted(theirs, series)

    return (relative("smape") + relative("mase")) / 2


def point_forecast(median: Floats) -> Forecast:
    """A forecast of a method without intervals."""
    return Forecast(median=median, lo={}, hi={})


def _interval_score(target: Floats, forecast: Forecast, scale: Floats) -> float:
    """Gneiting & Raftery (2007), in units of scale as M4 has it, the mean over the levels."""

    def scaled(bound: Floats) -> Floats:
        return scaled_errors(target, bound, scale)

    return fmean(
        mean(interval_scores(scaled(lo), scaled(forecast.hi[level]), level))
        for level, lo in forecast.lo.items()
    )


def _weighted(values: Sequence[float], weights: Sequence[int]) -> float:
    return float(np.average(values, weights=weights))
