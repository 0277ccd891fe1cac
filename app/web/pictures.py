"""The pictures of a model that need no interaction: errors by method, errors by step, coverage."""

from dataclasses import dataclass

from app.schemas.models import ModelOut

SMALLEST_SHARE = 0.01


@dataclass(frozen=True)
class Bar:
    """The errors of one method; `share` is its error's part of the largest one."""

    method: str
    smape: float | None
    mase: float | None
    share: float
    is_served: bool


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
    if model.backtest is None:
        return []
    measures = model.backtest.measures
    largest = max((each.mase or 0.0 for each in measures.values()), default=0.0)
    bars = [
        Bar(
            name,
            each.smape,
            each.mase,
            max(SMALLEST_SHARE, (each.mase or 0.0) / (largest or 1)),
            name == model.method,
        )
        for name, each in measures.items()
    ]
    return sorted(bars, key=lambda bar: (bar.mase is None, bar.mase))


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
