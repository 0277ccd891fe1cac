"""Compare a new model with the champion, by the measure of the new model's verdict."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.db.engine import Session
from app.db.tables import Model
from app.services.registry import backtest_tables, served_method
from models.choices import Measure
from models.evaluation.evidence import FEWEST_UNITS
from models.evaluation.losses import BACKTEST_LEVELS, losses_within, reads_bounds
from models.methods.baselines import EVERY_BASELINE
from models.methods.forecast import Forecast
from models.metrics import mean, mean_by
from models.panel import Floats, Integers

if TYPE_CHECKING:
    import pandas as pd  # which the worker, who reads no table, does without

SAME_ROW = ["unique_id", "cutoff", "step"]
FACTS = ["ds", "y", "scale", "root_scale"]
SUMMARISED: dict[Measure, str] = {
    "MASE": "mase",
    "RMSSE": "rmsse",
    "pinball": "pinball",
    "WQL": "pinball",  # the same losses: summaries have them by the scale of MASE alone
    "sMAPE": "smape",
}
"""What a backtest's summary has of each measure."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """Steps where both models were tested: `table`, and their losses (row, 1) by the `measure`."""

    table: "pd.DataFrame"
    measure: Measure
    ours: Floats
    theirs: Floats

    @property
    def series(self) -> int:
        """How many series they have."""
        return int(self.table["unique_id"].nunique())

    @property
    def periods(self) -> int:
        """How many cuts a series has at most; those that share steps count for the horizons they fill."""
        if self.table.empty:
            return 0
        by_series = self.table.groupby("unique_id")
        filled = math.ceil(by_series["ds"].nunique().max() / self.table["step"].max())
        return int(min(filled, by_series["cutoff"].nunique().max()))


def is_better(session: Session, model: Model, champion: Model) -> tuple[bool, str]:
    """Compare two models on common backtest rows; if those are too few, by their skill over baselines.

    A champion without a backtest is replaced, since nothing is known of its errors. Return the reason too.
    """
    if champion.backtest is None:
        return True, "The champion has no backtest: nothing is known of its errors."
    if model.backtest is None:
        return False, "It has no backtest, and the champion has one."
    common = _common_rows(session, model, champion)
    unit = _unit(model.backtest)
    count = common.series if unit == "unique_id" else common.periods
    if count >= FEWEST_UNITS:
        return _by_common_rows(common)
    better, sentence = _by_skill(model, model.backtest, champion, champion.backtest)
    units = "cuts" if unit == "cutoff" else "series"
    return better, f"Both were tested on {count} common {units}, and it takes {FEWEST_UNITS}. {sentence}"


def _measure(model: Model) -> Measure:
    verdict = served_method.of_served(model)
    return "MASE" if verdict is None else verdict.measure


def _by_common_rows(common: _Rows) -> tuple[bool, str]:
    series = _numbers(common.table)
    ours, theirs = (mean(mean_by(series, losses)) for losses in (common.ours, common.theirs))
    where = f"Its error ({common.measure}) on the {len(common.table):,} steps that both were tested on"
    if ours == theirs:
        return False, f"{where} was the champion's; only a smaller one takes its place."
    gap = _gap(ours / theirs - 1 if theirs > 0 else math.inf)
    return ours < theirs, f"{where} was {gap} the champion's."


def _by_skill(
    model: Model, tested: Mapping[str, Any], champion: Model, champion_tested: Mapping[str, Any]
) -> tuple[bool, str]:
    # A backtest lacks the baselines that were added after it.
    shared = [name for name in EVERY_BASELINE if name in tested["measures"]]
    shared = [name for name in shared if name in champion_tested["measures"]]
    measure = _known_measure(_measure(model), (tested, model.served), (champion_tested, champion.served))
    ours = _skill(tested, model.served, shared, measure)
    theirs = _skill(champion_tested, champion.served, shared, measure)
    sentence = (
        f"Each in its own backtest, its error ({measure}) was {_gap(-ours)} the best simple method's, and "
        f"the champion's was {_gap(-theirs)} that."
    )
    return ours > theirs, sentence


def _known_measure(measure: Measure, *tested: tuple[Mapping[str, Any], str]) -> Measure:
    """Return the measure, or sMAPE where a backtest has none of it: no series has its scale."""
    name = SUMMARISED[measure]
    is_known = all(backtest["measures"][method].get(name) is not None for backtest, method in tested)
    return ("pinball" if measure == "WQL" else measure) if is_known else "sMAPE"


def _gap(share: float) -> str:
    """Return in words how far an error is from another, by the difference as a share of the other.

    The share is infinite where the other made no error.
    """
    if share == 0:
        return "as large as"
    side = "below" if share < 0 else "above"
    if not math.isfinite(share):
        return f"far {side}"
    percent = f"{100 * abs(share):.1f}".removesuffix(".0")
    return f"{'under 0.1' if percent == '0' else percent} % {side}"


def _common_rows(session: Session, model: Model, champion: Model) -> _Rows:
    """Return the rows at the steps and cuts where both models were tested, and have a loss.

    Values and scales are the new model's, whose version of the data has the latest corrections.
    """
    measure = _measure(model)
    facts = FACTS if measure == "RMSSE" else FACTS[:3]
    ours = backtest_tables.read_rows(session, model, [*SAME_ROW, *facts, *_columns(model, measure)])
    theirs = backtest_tables.read_rows(session, champion, [*SAME_ROW, *_columns(champion, measure)])
    ours, theirs = (
        each.rename(columns={f"{name}{end}": f"{side}{end}" for end in _ends(measure)})
        for each, name, side in ((ours, model.served, "model"), (theirs, champion.served, "champion"))
    )
    rows = ours.merge(theirs, on=SAME_ROW)
    losses = [_losses(rows, side, measure) for side in ("model", "champion")]
    known = np.isfinite(losses[0][:, 0]) & np.isfinite(losses[1][:, 0])
    return _Rows(rows[known], measure, losses[0][known], losses[1][known])


def _ends(measure: Measure) -> list[str]:
    """Return what the columns of a method that a measure reads end with, its name before that."""
    bounds = [f"-{side}-{level}" for side in ("lo", "hi") for level in BACKTEST_LEVELS]
    return ["", *bounds] if reads_bounds(measure) else [""]


def _columns(model: Model, measure: Measure) -> list[str]:
    return [f"{model.served}{end}" for end in _ends(measure)]


@dataclass(frozen=True, eq=False)
class _Steps:
    """Rows as windows of one step: what losses are made of."""

    target: Floats
    scale: Floats
    root_scale: Floats


def _losses(rows: "pd.DataFrame", side: str, measure: Measure) -> Floats:
    """Return (row, 1), losses whose mean within a series is its measure; NaN for those left out."""

    def column(name: str) -> Floats:
        return rows[name].to_numpy(np.float64) if name in rows else np.full(len(rows), np.nan)

    def bounds(kind: str) -> dict[int, Floats]:
        return {level: column(f"{side}-{kind}-{level}")[:, None] for level in BACKTEST_LEVELS}

    if rows.empty:
        return np.empty((0, 1))
    steps = _Steps(column("y")[:, None], column("scale"), column("root_scale"))
    forecast = Forecast(column(side)[:, None], bounds("lo"), bounds("hi"))
    return losses_within(measure, steps, forecast, _numbers(rows))


def _numbers(rows: "pd.DataFrame") -> Integers:
    """Return (row,), the number of each row's series."""
    numbers: Integers = np.unique(rows["unique_id"], return_inverse=True)[1].astype(np.int64)
    return numbers


def _unit(backtest: Mapping[str, Any]) -> str:
    """Return the column that counts the units of a comparison: series, or cuts where series are few.

    It takes as many as a verdict needs; with fewer, a single odd series or cut would decide.
    """
    return "cutoff" if backtest["series"] < FEWEST_UNITS else "unique_id"


def _skill(backtest: Mapping[str, Any], method: str, baselines: Sequence[str], measure: Measure) -> float:
    """Return the share by which a method's error is below that of the best of `baselines`.

    It is 1 at most, and 0 for a tie.
    """
    errors = {name: measures[SUMMARISED[measure]] for name, measures in backtest["measures"].items()}
    ours, best = errors[method], min(errors[name] for name in baselines)
    if best == 0:
        return 0.0 if ours == 0 else -math.inf
    return float(1 - ours / best)
