"""What intervals hold: the network's own, those served, and what the service reports of them beforehand.

For M3, M4 weekly and hourly, and the population at five cuts; without training and at `quick`. The share of
what came inside 50, 80 and 95 %, at all steps and in each third of the horizon, the interval score (Gneiting
& Raftery, 2007, in units of the MASE scale), and the share of series with a bound beyond reach: further from
the last value than ten times the range of the history, where the median does not go there itself. Far ahead,
where nothing is known of what came, that share alone is told, and where neighbouring levels meet.

`benchmarks.honesty` runs it. For validation, on which choices are made, every part ends a horizon earlier.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Literal

import numpy as np

from app.commands.demo import HIDDEN, POPULATION, read_countries
from benchmarks.accuracy import NETWORK, SEASONS
from benchmarks.competition import Part, read_parts
from benchmarks.report import print_table
from benchmarks.sanity_trends import CUTS
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
from models.panel import Floats, Panel
from models.training.train import train

Mode = Literal["zero-shot", "quick"]
MODES: tuple[Mode, ...] = ("zero-shot", "quick")
FILES = ("M3", "M4_weekly", "M4_hourly")
SCORED = (80, 95)
FAR = {"monthly": 120, "hourly": 168}
FAR_SERIES = 50
FARTHEST = 10.0
"""Ranges of its history, from its last value, that a bound of a series stays within."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What one part is answered: bounds as the network has them, as served, and the shares reported."""

    part: Part
    raw: Forecast
    served: Forecast
    reported: Mapping[int, float]


@dataclass(frozen=True)
class Held:
    """What the intervals of one part hold, in percent by level, at all steps and in thirds; their score.

    `raw`, `served` and `reported` are by level; `scores` are the mean interval scores, raw and served.
    """

    part: str
    mode: Mode
    raw: Mapping[int, float]
    served: Mapping[int, float]
    thirds: Mapping[int, Sequence[float]]
    reported: Mapping[int, float | None]
    scores: tuple[float, float]
    beyond: tuple[float, float]


def parts_of(data: Path, *, validation: bool) -> Iterator[tuple[str, list[Part]]]:
    """Yield the competitions' parts, and the population: as many parts as it has cuts."""
    for file in FILES:
        for part in read_parts(data / f"{file}.parquet"):
            yield f"{file} {part.frequency}", [_earlier(part) if validation else part]
    countries = [[value for _, value in years] for years in read_countries(POPULATION).values()]
    yield "population", [_population(countries, cut + validation) for cut in range(CUTS)]


def _earlier(part: Part) -> Part:
    """Return the part a horizon earlier, without the series that this leaves with less than a horizon."""
    long_enough = np.flatnonzero(part.history.lengths >= 2 * part.horizon)
    history = part.history.heads(long_enough, part.history.lengths[long_enough])
    return replace(part, history=history.without_last(part.horizon), target=history.last(part.horizon))


def _population(countries: list[list[float]], cut: int) -> Part:
    known = [values[: len(values) - (cut + 1) * HIDDEN] for values in countries]
    ahead = [values[len(old) :][:HIDDEN] for values, old in zip(countries, known, strict=True)]
    return Part("population", "yearly", HIDDEN, 1, Panel.of(known), np.array(ahead, dtype=np.float64))


def answer(part: Part, mode: Mode) -> Answer:
    """Forecast a part as the service does, without a training or after one with `quick`."""
    if mode == "zero-shot":
        forecaster = zero_shot_forecaster(part.horizon, SEASONS[part.frequency])
        return _answer(part, forecaster, backtest_zero_shot(forecaster, part.history))
    config = preset(
        mode,
        horizon=part.horizon,
        seasons=SEASONS[part.frequency],
        values=len(part.history.values),
        longest=int(part.history.lengths.max()),
    )
    trained = train(part.history, config, [NETWORK])
    return _answer(part, trained.model, trained.assessment)


def _answer(part: Part, forecaster: Forecaster, assessment: Assessment | None) -> Answer:
    method = assessment.methods[assessment.served] if assessment else uncalibrated_method(part.horizon)
    raw = Method(method.weights, Calibration.identity(part.horizon, bounded=False))
    before, served = (
        forecast_by(each, forecaster, part.history, levels=CALIBRATED_LEVELS) for each in (raw, method)
    )
    return Answer(part, before, served, method.calibration.coverage)


def held(name: str, mode: Mode, answers: Sequence[Answer]) -> Held:
    """Measure the answers to one part, or to the population at each of its cuts."""
    parts = [each.part for each in answers]
    target = np.concatenate([part.target for part in parts])
    scale = np.concatenate([seasonal_naive_error(part.history, part.season_length) for part in parts])
    raw, served = (joined([getattr(each, kind) for each in answers]) for kind in ("raw", "served"))
    expected = {
        level: [each.reported[level] for each in answers if level in each.reported] for level in SCORED
    }
    return Held(
        name,
        mode,
        raw={level: _share(target, raw, level) for level in (50, *SCORED)},
        served={level: _share(target, served, level) for level in (50, *SCORED)},
        thirds={level: _thirds(target, served, level) for level in (50, *SCORED)},
        reported={level: 100 * fmean(shares) if shares else None for level, shares in expected.items()},
        scores=(_score(target, raw, scale), _score(target, served, scale)),
        beyond=(
            fmean([_beyond(each.part.history, each.raw) for each in answers]),
            fmean([_beyond(each.part.history, each.served) for each in answers]),
        ),
    )


def _share(target: Floats, forecast: Forecast, level: int) -> float:
    return 100 * mean(covered(target, forecast.lo[level], forecast.hi[level]))


def _thirds(target: Floats, forecast: Forecast, level: int) -> list[float]:
    inside = covered(target, forecast.lo[level], forecast.hi[level])
    return [100 * mean(third) for third in np.array_split(inside, 3, axis=1)]


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


def far_ahead(part: Part) -> dict[str, float]:
    """Return the percentages of series with a bound beyond reach far ahead, and with levels that meet."""
    horizon, seasons = FAR[part.frequency], SEASONS[part.frequency]
    longest = np.argsort(-part.history.lengths, kind="stable")[:FAR_SERIES]
    history = part.history.heads(longest, part.history.lengths[longest])
    found = [_alone(history.some(number, 1), horizon, seasons) for number in range(history.series)]
    raw, served = (joined(list(each)) for each in zip(*found, strict=True))
    bounds = np.stack([served.hi[level] for level in CALIBRATED_LEVELS])
    meeting = float((np.diff(bounds, axis=0) <= 0).any(axis=(0, 2)).mean())
    return {"raw": _beyond(history, raw), "served": _beyond(history, served), "meeting": 100 * meeting}


def _alone(series: Panel, horizon: int, seasons: Seasons) -> tuple[Forecast, Forecast]:
    """Return what one series gets far ahead without a training: raw, and as served."""
    one = Part("", "", horizon, 1, series, np.empty((1, horizon)))
    forecaster = zero_shot_forecaster(horizon, seasons)
    got = _answer(one, forecaster, backtest_zero_shot(forecaster, series))
    return got.raw, got.served


def _print(rows: Sequence[Held]) -> None:
    columns = ("part", "", "raw 50/80/95", "served", "reported", "thirds at 80", "at 95", "score", "beyond")
    print_table(columns, [_cells(row) for row in rows])


def _cells(row: Held) -> list[str]:
    def figures(shares: Sequence[float]) -> str:
        return "/".join(f"{share:.1f}" for share in shares)

    reported = [share for share in row.reported.values() if share is not None]
    return [
        row.part,
        row.mode,
        figures(list(row.raw.values())),
        figures(list(row.served.values())),
        figures(reported) if reported else "one period",
        figures(row.thirds[80]),
        figures(row.thirds[95]),
        f"{row.scores[0]:.2f} > {row.scores[1]:.2f}",
        figures(row.beyond),
    ]


def summary(rows: Sequence[Held]) -> dict[str, float | int]:
    """Return what the issue bounds: distances from the level, reported from come, scores, bounds beyond."""
    ratios = [row.scores[1] / row.scores[0] for row in rows]
    gaps = [
        abs(share - row.served[level])
        for row in rows
        for level, share in row.reported.items()
        if share is not None
    ]
    figures: dict[str, float | int] = {
        f"{kind}_{level}_{name}": round(measure([abs(getattr(row, kind)[level] - level) for row in rows]), 2)
        for kind in ("raw", "served")
        for level in SCORED
        for name, measure in (("mean", fmean), ("max", max))
    }
    return figures | {
        "reported_gap_mean": round(fmean(gaps), 2),
        "reported_gap_max": round(max(gaps), 2),
        "reported_gaps_over_3": sum(gap > 3 for gap in gaps),  # noqa: PLR2004 - points, as the issue has it
        "reported_gaps": len(gaps),
        "score_ratio_mean": round(fmean(ratios), 4),
        "score_ratio_max": round(max(ratios), 4),
        "beyond_raw": round(fmean([row.beyond[0] for row in rows]), 2),
        "beyond_served": round(fmean([row.beyond[1] for row in rows]), 2),
    }


def run(data: Path, *, validation: bool = False) -> dict[str, object]:
    """Measure every part, print the table, and return the figures."""
    rows: list[Held] = []
    far: dict[str, dict[str, float]] = {}
    for name, parts in parts_of(data, validation=validation):
        if name in {"M3 monthly", "M4_hourly hourly"}:
            far[name] = far_ahead(parts[0])
        for mode in MODES:
            rows.append(held(name, mode, [answer(part, mode) for part in parts]))
            print(*_cells(rows[-1]), sep=" | ", flush=True)
    _print(rows)
    for name, shares in far.items():
        words = ", ".join(f"{kind} {share:.0f} %" for kind, share in shares.items())
        print(f"{name}, {FAR_SERIES} series, each alone, far ahead: {words}")
    return {**summary(rows), "far_ahead": far, "parts": [_as_json(row) for row in rows]}


def _as_json(row: Held) -> dict[str, object]:
    return {
        "part": row.part,
        "mode": row.mode,
        "served": row.served,
        "reported": row.reported,
        "raw": row.raw,
    }
