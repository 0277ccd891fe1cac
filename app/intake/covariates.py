"""Columns beside the target: what else is known of series, at each step or as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.intake.arrays import Ints, Mask, rows_of

Cells = NDArray[np.float64] | NDArray[np.object_]
"""Numbers, with NaN for none; or texts, with None for none."""
CovariateRole = Literal["past", "future", "static"]
CovariateKind = Literal["number", "category"]


@dataclass(frozen=True)
class Covariate:
    """A column beside the target.

    A `past` one is known up to the target's end, a `future` one also at steps ahead of it; a `static` one has
    one value for each series. Its cells are numbers, or texts if it is a category.
    """

    name: str
    role: CovariateRole
    kind: CovariateKind

    def empty(self, count: int) -> Cells:
        """Return as many cells without a value."""
        return np.full(count, np.nan) if self.kind == "number" else np.full(count, None, dtype=object)


@dataclass(frozen=True)
class Covariates:
    """The columns beside the target of many series.

    Series i owns rows offsets[i] to offsets[i + 1] of each column in `steps`: one for each step of the series
    from its first, and then one for each step ahead of its last value, as far as a column is known.
    """

    columns: tuple[Covariate, ...]
    offsets: Ints  # (series + 1,)
    steps: Mapping[str, Cells]  # each (rows,): past and future columns
    static: Mapping[str, Cells]  # each (series,)

    def run(self, first: int, last: int) -> "Covariates":
        """Return those of the series from `first` to before `last`."""
        return self.take(np.arange(first, last))

    def take(self, series: Ints) -> "Covariates":
        """Return those of some series, in the given order."""
        rows, offsets = rows_of(self.offsets, series)
        steps = {name: cells[rows] for name, cells in self.steps.items()}
        static = {name: cells[series] for name, cells in self.static.items()}
        return Covariates(self.columns, offsets, steps, static)

    def join(self, other: "Covariates") -> "Covariates":
        """Return these followed by those of other series, which have the same columns."""
        return Covariates(
            self.columns,
            np.append(self.offsets, other.offsets[1:] + self.offsets[-1]),
            {name: end_to_end(cells, other.steps[name]) for name, cells in self.steps.items()},
            {name: end_to_end(cells, other.static[name]) for name, cells in self.static.items()},
        )

    def covering(self, lengths: Ints) -> "Covariates":
        """Return them with empty rows ahead, so that each series has at least `lengths` (series,)."""
        had = np.diff(self.offsets)
        offsets = np.append(0, np.cumsum(np.maximum(had, lengths)))
        at = np.arange(self.offsets[-1]) + np.repeat(offsets[:-1] - self.offsets[:-1], had)
        steps = spread(step_columns(self.columns), self.steps, at, int(offsets[-1]))
        return replace(self, offsets=offsets, steps=steps)


def end_to_end(first: Cells, second: Cells) -> Cells:
    """Return cells of one column followed by others."""
    joined: Cells = np.concatenate([first, second])
    return joined


def step_columns(columns: tuple[Covariate, ...]) -> list[Covariate]:
    """Return the columns with a cell for each step."""
    return [column for column in columns if column.role != "static"]


def static_columns(columns: tuple[Covariate, ...]) -> list[Covariate]:
    """Return the columns with a cell for each series."""
    return [column for column in columns if column.role == "static"]


def is_filled(cells: Cells) -> Mask:
    """Return which cells have a value."""
    # Not by pandas, which takes long to import and which a worker needs for nothing else.
    if cells.dtype == np.object_:
        texts: Mask = np.not_equal(cells, np.array(None)).astype(np.bool_)
        return texts
    numbers: Mask = ~np.isnan(cells.astype(np.float64, copy=False))
    return numbers


def any_filled(cells: Mapping[str, Cells], count: int) -> Mask:
    """Return which of `count` rows have a value in any column."""
    filled = np.zeros(count, dtype=np.bool_)
    for column in cells.values():
        filled |= is_filled(column)
    return filled


def differ(one: Cells, other: Cells) -> Mask:
    """Return which cells of a column differ from others of it; none equals none."""
    unequal: Mask = np.not_equal(one, other).astype(np.bool_)
    return unequal & (is_filled(one) | is_filled(other))


def spread(columns: list[Covariate], cells: Mapping[str, Cells], at: Ints, count: int) -> dict[str, Cells]:
    """Return columns of `count` cells with the given ones in rows `at`; without any where none are given."""
    spread_out = {column.name: column.empty(count) for column in columns}
    for name, column in spread_out.items():
        if name in cells:
            column[at] = cells[name]
    return spread_out
