"""The pictures of a model that need no interaction: errors by method, errors by step, coverage."""

from dataclasses import dataclass, replace

from app.schemas.backtests import Measures
from app.schemas.comparison import ModelComparison
from app.schemas.models import ModelOut

SMALLEST_SHARE = 0.01


@dataclass(frozen=True)
class Bar:
    """The errors of one method; `share` is its error's part of the largest one."""

    method: str
    smape: float | None
    mase: float | None
    is_served: bool
    share: float = 0.0
    name: str | None = None
    model_id: str | None = None  # where several models stand side by side


@dataclass(frozen=True)
class Steps:
    """The errors of a few methods, a row for each step ahead."""

    names: list[str]
    rows: list[tuple[float | None, ...]]

    @property
    def lines(self) -> list[str]:
        """The points of a line for each method, in a picture of 100 by 100."""
        highest = max((error for row in self.rows for error in row if error is not None), default=0.0) or 1.0
        width = 100 / max(1, len(self.rows) - 1)
        columns = zip(*self.rows, strict=True)
        return [
            " ".join(
                f"{i * width:.1f},{100 - 96 * error / highest:.1f}"
                for i, error in enumerate(column)
                if error is not None
            )
            for column in columns
        ]


@dataclass(frozen=True)
class Held:
    """What an interval promised and what it held, as shares."""

    level: int
    promised: float
    held: float | None


def errors(model: ModelOut) -> list[Bar]:
    """Return the methods of the backtest, the smallest error first."""
    measures = model.backtest.measures if model.backtest else {}
    return _sorted([_bar(name, each, is_served=name == model.method) for name, each in measures.items()])


def errors_of_both(found: ModelComparison) -> list[Bar]:
    """Return the served method of each model and the simple methods, the smallest error first."""
    bars = [_bar(name, each, is_served=False) for name, each in found.baselines.items()]
    for model in found.models:
        bar = _bar(model.method, model.measures[model.method], is_served=True)
        bars.append(replace(bar, name=model.name, model_id=model.model_id))
    return _sorted(bars)


def _bar(method: str, measures: Measures, *, is_served: bool) -> Bar:
    return Bar(method, measures.smape, measures.mase, is_served)


def _sorted(bars: list[Bar]) -> list[Bar]:
    """Return the bars by their error, each with its share of the largest one."""
    largest = max((bar.mase or 0.0 for bar in bars), default=0.0) or 1.0
    shared = [replace(bar, share=max(SMALLEST_SHARE, (bar.mase or 0.0) / largest)) for bar in bars]
    return sorted(shared, key=lambda bar: (bar.mase is None, bar.mase))


def steps(model: ModelOut) -> Steps:
    """Return the MASE at each step ahead of the served method and of the best simple one."""
    by_step = model.backtest.by_step if model.backtest else {}
    compared = [model.method, model.verdict.baseline] if model.verdict else [model.method]
    names = [name for name in compared if name in by_step]
    return Steps(names, list(zip(*(by_step[name].mase for name in names), strict=True)))


def coverage(model: ModelOut) -> list[Held]:
    """Return promised and held coverage by level."""
    return [
        Held(int(level), int(level) / 100, each.coverage)
        for level, each in sorted(model.calibration.items(), key=lambda item: int(item[0]))
    ]
