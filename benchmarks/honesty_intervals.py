"""What intervals hold: before calibration, as served, and what the service reports of them beforehand.

For M3, M4 weekly and hourly, and the population at five cuts; without training and at `quick`; by what
answers by default, a simple method where the network gives way. The share of what came inside 50, 80 and
95 %, at all steps and in each third of the horizon, the interval score (Gneiting & Raftery, 2007, in units of
the MASE scale), and the share of series with a bound beyond reach: further from the last value than ten times
the range of the history, where the median does not go there itself. Far ahead, where nothing is known of what
came, that share alone is told, and where neighbouring levels meet.

`benchmarks.honesty` runs it. For validation, on which choices are made, every part ends a horizon earlier.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import numpy as np

from app.services.forecasting.pretrained import sample
from app.services.registry.backtests import verdict_out
from app.services.registry.served_method import gives_way
from benchmarks.accuracy import NETWORK, SEASONS
from benchmarks.competition import Part
from benchmarks.honesty_parts import parts_of
from benchmarks.honesty_rows import Row, Task
from models.choices import Seasons
from models.config import preset
from models.evaluation.assessment import Assessment
from models.evaluation.zero_shot import backtest_zero_shot
from models.methods.calibration import CALIBRATED_LEVELS, Calibration
from models.methods.combination import Method, forecast_by
from models.methods.forecast import Forecast, joined
from models.methods.zero_shot import uncalibrated_method, zero_shot_forecaster
from models.metrics import covered, interval_scores, mean, scaled_errors, seasonal_naive_error
from models.network.forecaster import Forecaster
from models.network.pretrained import VIEW
from models.panel import Floats, Panel
from models.training.train import train

Mode = Literal["zero-shot", "quick"]
MODES: tuple[Mode, ...] = ("zero-shot", "quick")
PART, FAR_PART, SUMMARY = "intervals", "far ahead", "all intervals"
SCORED = (80, 95)
FAR = {"monthly": 120, "hourly": 168}
FAR_SERIES = 50

FARTHEST = 10.0
"""Ranges of its history, from its last value, that a bound of a series stays within."""

MOST_OFF, MOST_GAP, WORST_RATIO = 8.0, 3.0, 1.04
MOST_OFF_ON_AVERAGE = {80: 3.0, 95: 2.0}
BOUND = f"off {MOST_OFF:g}, reported {MOST_GAP:g}, score x {WORST_RATIO:g}, beyond 0"
"""Points that what is served is off its level, and from what is reported; score over the raw one."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What answers to a part: its bounds before calibration and as served, and the shares reported."""

    part: Part
    method: str
    raw: Forecast
    served: Forecast
    reported: Mapping[int, float]


def answer(part: Part, mode: Mode) -> Answer:
    """Forecast a part as the service does by default, without a training or after one with `quick`."""
    if mode == "zero-shot":
        forecaster = zero_shot_forecaster(part.horizon, SEASONS[part.frequency])
        return _answer(part, forecaster, _backtested(forecaster, part))
    config = preset(
        mode,
        horizon=part.horizon,
        seasons=SEASONS[part.frequency],
        values=len(part.history.values),
        longest=int(part.history.lengths.max()),
    )
    trained = train(part.history, config, [NETWORK])
    return _answer(part, trained.model, trained.assessment)


def _backtested(forecaster: Forecaster, part: Part) -> Assessment | None:
    """Return the backtest of the pretrained networks on the sample of series that the service takes."""
    chosen = np.array(sample([f"{part.collection} {number}" for number in range(part.history.series)]))
    some = part.history.heads(chosen, part.history.lengths[chosen])
    return backtest_zero_shot(forecaster, some.tail(forecaster.config.history_limit))


def _answer(part: Part, forecaster: Forecaster, assessment: Assessment | None) -> Answer:
    """Forecast by what answers: the network, its blend, or the simple method that those give way to."""
    name: str = VIEW
    method = uncalibrated_method(part.horizon)
    if assessment:
        verdict = verdict_out(assessment.verdicts[assessment.served])
        name = verdict.baseline if gives_way(verdict) else assessment.served
        method = assessment.methods[name]
    raw = Method(method.weights, Calibration.identity(part.horizon, bounded=False))
    before, served = (
        forecast_by(each, forecaster, part.history, levels=CALIBRATED_LEVELS) for each in (raw, method)
    )
    return Answer(part, name, before, served, method.calibration.coverage)


def held(name: str, answers: Sequence[Answer]) -> Row:
    """Measure the answers to one part, or to the population at each of its cuts."""
    parts = [each.part for each in answers]
    target = np.concatenate([part.target for part in parts])
    scale = np.concatenate([seasonal_naive_error(part.history, part.season_length) for part in parts])
    raw, served = (joined([getattr(each, kind) for each in answers]) for kind in ("raw", "served"))
    reported = {
        level: [each.reported[level] for each in answers if level in each.reported] for level in SCORED
    }
    figures = {
        "answered_by": sorted({each.method for each in answers}),
        "raw": {str(level): _share(target, raw, level) for level in (50, *SCORED)},
        "served": {str(level): _share(target, served, level) for level in (50, *SCORED)},
        "reported": {str(level): round(100 * fmean(all_), 1) for level, all_ in reported.items() if all_},
        "thirds": {str(level): _thirds(target, served, level) for level in (50, *SCORED)},
        "score": {"raw": _score(target, raw, scale), "served": _score(target, served, scale)},
        "beyond": {
            "raw": fmean([_beyond(each.part.history, each.raw) for each in answers]),
            "served": fmean([_beyond(each.part.history, each.served) for each in answers]),
        },
    }
    return Row(PART, name, _in_words(figures), is_ok=_is_within(figures), bound=BOUND, figures=figures)


def _in_words(figures: Mapping[str, Any]) -> str:
    def shares(of: Mapping[str, float]) -> str:
        return "/".join(f"{share:.1f}" for share in of.values())

    score, beyond = figures["score"], figures["beyond"]
    thirds = ", ".join("/".join(f"{third:.0f}" for third in each) for each in figures["thirds"].values())
    return (
        f"{' and '.join(figures['answered_by'])}: raw {shares(figures['raw'])}, "
        f"served {shares(figures['served'])}, reported {shares(figures['reported']) or 'one period'}, "
        f"thirds {thirds}, score {score['raw']:.2f} > {score['served']:.2f}, "
        f"beyond {beyond['raw']:.1f} > {beyond['served']:.1f}"
    )


def _is_within(figures: Mapping[str, Any]) -> bool:
    """Return whether a part is within the bounds that hold for each."""
    served, score = figures["served"], figures["score"]
    return (
        all(abs(served[str(level)] - level) <= MOST_OFF for level in SCORED)
        and all(abs(share - served[level]) <= MOST_GAP for level, share in figures["reported"].items())
        and score["served"] <= WORST_RATIO * score["raw"]
        and figures["beyond"]["served"] == 0
    )


def _share(target: Floats, forecast: Forecast, level: int) -> float:
    return round(100 * mean(covered(target, forecast.lo[level], forecast.hi[level])), 2)


def _thirds(target: Floats, forecast: Forecast, level: int) -> list[float]:
    inside = covered(target, forecast.lo[level], forecast.hi[level])
    return [round(100 * mean(third), 1) for third in np.array_split(inside, 3, axis=1)]


def _score(target: Floats, forecast: Forecast, scale: Floats) -> float:
    def scaled(bound: Floats) -> Floats:
        return scaled_errors(target, bound, scale)

    return fmean(
        mean(interval_scores(scaled(forecast.lo[level]), scaled(forecast.hi[level]), level))
        for level in SCORED
    )


def _beyond(history: Panel, forecast: Forecast) -> float:
    """Return the share of series with a bound beyond reach, in percent."""
    last, starts = history.values[history.offsets[1:] - 1][:, None], history.offsets[:-1]
    span = np.maximum.reduceat(history.values, starts) - np.minimum.reduceat(history.values, starts)
    reach = np.maximum(FARTHEST * span[:, None], np.abs(forecast.median - last))
    far = [
        (np.abs(side[level] - last) > reach).any(axis=1)
        for side in (forecast.lo, forecast.hi)
        for level in forecast.hi
    ]
    return 100 * float(np.any(far, axis=0).mean())


def far_ahead(name: str, part: Part) -> Row:
    """Measure the shares of series with a bound beyond reach far ahead, and with levels that meet."""
    horizon, seasons = FAR[part.frequency], SEASONS[part.frequency]
    longest = np.argsort(-part.history.lengths, kind="stable")[:FAR_SERIES]
    history = part.history.heads(longest, part.history.lengths[longest])
    found = [_alone(history.some(number, 1), horizon, seasons) for number in range(history.series)]
    raw, served = (joined(list(each)) for each in zip(*found, strict=True))
    bounds = np.stack([served.hi[level] for level in CALIBRATED_LEVELS])
    meeting = 100 * float((np.diff(bounds, axis=0) <= 0).any(axis=(0, 2)).mean())
    figures = {"raw": _beyond(history, raw), "served": _beyond(history, served), "meeting": meeting}
    return Row(
        part=FAR_PART,
        name=name,
        measured=f"beyond {figures['raw']:.0f} > {figures['served']:.0f}, levels meet {meeting:.0f}",
        bound="0, 0",
        is_ok=figures["served"] == 0 and meeting == 0,
        figures=figures,
    )


def _alone(series: Panel, horizon: int, seasons: Seasons) -> tuple[Forecast, Forecast]:
    """Return what one series gets far ahead without a training: raw, and as served."""
    one = Part("", "", horizon, 1, series, np.empty((1, horizon)))
    forecaster = zero_shot_forecaster(horizon, seasons)
    got = _answer(one, forecaster, _backtested(forecaster, one))
    return got.raw, got.served


def tasks(data: Path, *, validation: bool) -> Iterator[Task]:
    """Yield a row to measure for each part and mode, and then for series far ahead."""
    parts = parts_of(data, validation=validation)
    for name, read in parts.items():
        for mode in MODES:
            row = f"{name}, {mode}{', validation' if validation else ''}"
            yield Task(PART, row, partial(_row, row, read, mode))
    for name, read in parts.items():
        frequency = name.rpartition(" ")[2]
        if frequency in FAR and not validation:
            row = f"{name}, {FAR_SERIES} series by themselves, {FAR[frequency]} steps"
            yield Task(FAR_PART, row, partial(_far_row, row, read))


def _row(name: str, read: Callable[[], list[Part]], mode: Mode) -> Row:
    return held(name, [answer(part, mode) for part in read()])


def _far_row(name: str, read: Callable[[], list[Part]]) -> Row:
    return far_ahead(name, read()[0])


def summary(rows: Sequence[Row]) -> list[Row]:
    """Return rows of what the bounds are on average over all parts; none without parts."""
    found = [row.figures for row in rows if row.part == PART]
    if not found:
        return []
    off = {
        level: fmean(abs(each["served"][str(level)] - level) for each in found)
        for level in MOST_OFF_ON_AVERAGE
    }
    ratio = fmean(each["score"]["served"] / each["score"]["raw"] for each in found)
    averages = [
        (f"points off {level} % on average", off[level], most) for level, most in MOST_OFF_ON_AVERAGE.items()
    ]
    averages.append(("score over the raw one on average", ratio, 1.0))
    return [
        Row(SUMMARY, name, f"{value:.3f}", f"{most:g}", value <= most, {"value": round(value, 4)})
        for name, value, most in averages
    ]
