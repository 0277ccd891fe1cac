"""Columns beside the target: what else is known of series, at each step or as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.intake.arrays import Ints, rows_of

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


@dataclass(frozen=True)
class Covariates:
    """The columns beside the target of many series.

    Series i owns rows offsets[i] to offsets[i + 1] of each column in `steps`: one for each step of the series
    from its first, and then one for each step ahead of its last value, as far as future columns are known.
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


def end_to_end(first: Cells, second: Cells) -> Cells:
    """Return cells of one column followed by others."""
    joined: Cells = np.concatenate([first, second])
    return joined
