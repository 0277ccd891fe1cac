"""Compare models of a dataset on the windows that all of them were tested on, from their stored backtests.

Their cuts may differ, and their horizons: a window counts as far as each of them has forecast it. Verdicts
are by the test of a training, on windows of which no two share steps.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.auth import Principal
from app.db.engine import Session
from app.db.queries import datasets as dataset_queries
from app.db.tables import Model
from app.errors import BadInput, Conflict, FieldError
from app.intake.time.steps import steps_between
from app.schemas.comparison import ComparedModel, ModelComparison
from app.services.datasets import panels
from app.services.registry import backtest_tables, backtests, models
from models.evaluation.backtest import Backtest
from models.evaluation.held_out import HeldOut
from models.evaluation.losses import BACKTEST_LEVELS
from models.evaluation.verdict import judge
from models.methods.baselines import EVERY_BASELINE
from models.methods.forecast import Forecast
from models.panel import Floats, Integers

SAME_ROW, FACTS = ["unique_id", "cutoff", "step"], ["y", "scale", "root_scale"]
ENDS = ["", *(f"-{side}-{level}" for side in ("lo", "hi") for level in BACKTEST_LEVELS)]
POINTER = "?model_id"


def compare(session: Session, principal: Principal, model_ids: Sequence[str]) -> ModelComparison:
    """Compare models on what all were tested on, and judge the others against the first.

    Raises NotFound, BadInput for one model alone or models of several datasets, and Conflict for models
    without a backtest or without a window in common.
    """
    found = [backtests.tested(session, principal, model_id) for model_id in dict.fromkeys(model_ids)]
    _check(found)
    rows = _common_rows(session, found)
    held_out, is_apart = _held_out(session, found[0], rows)
    methods = [*_baselines(found[0]), *(key for model in found for key in _keys(model).values())]
    backtest = Backtest(held_out, {name: _forecast(rows, name, held_out.horizon) for name in methods})
    judged = backtest.rows(is_apart)
    compared = [
        _compared(model, backtest, None if model is found[0] else judged, found[0]) for model in found
    ]
    return ModelComparison(
        dataset_id=found[0].dataset_id,
        measure=backtest.measure,
        series=len(held_out.tested),
        cuts=int(np.bincount(held_out.series).max()),
        windows=len(held_out),
        horizon=held_out.horizon,
        models=compared,
        baselines={name: backtests.measures_out(backtest.measures(name)) for name in _baselines(found[0])},
        notes=_notes(compared, len(held_out), int(is_apart.sum())),
    )


def _check(found: Sequence[Model]) -> None:
    first = found[0]
    if len(found) == 1:
        remedy = "Name another model of the same dataset as well."
        raise BadInput(f"A comparison takes two models at least. {remedy}", [FieldError(POINTER, remedy)])
    for model in found:
        if model.dataset_id != first.dataset_id:
            remedy = "Name models of one dataset."
            raise BadInput(
                f"Model {model.id} is of dataset {model.dataset_id}, and {first.id} of {first.dataset_id}. "
                f"{remedy}",
                [FieldError(POINTER, remedy)],
            )


def _baselines(model: Model) -> list[str]:
    return [name for name in EVERY_BASELINE if name in (model.backtest or {})["measures"]]


def _keys(model: Model) -> dict[str, str]:
    """Return what the networks and the blend of a model are called among those of all models, by name.

    The served one has the name of the model itself.
    """
    own = [name for name in (model.backtest or {})["measures"] if name not in EVERY_BASELINE]
    served = {model.served: model.id}
    return {name: f"{model.id}/{name}" for name in own} | served


def _common_rows(session: Session, found: Sequence[Model]) -> pd.DataFrame:
    """Return the rows that all have, sorted; facts and baselines are the first model's."""
    baselines = {name: name for name in _baselines(found[0])}
    rows = _rows(session, found[0], {**baselines, **_keys(found[0])}, FACTS)
    for model in found[1:]:
        rows = rows.merge(_rows(session, model, _keys(model), []), on=SAME_ROW)
    if rows.empty:
        raise Conflict(
            "No window was forecast by all of them, since their cuts differ. Train one again with the cuts "
            "of another: `cuts` and `step_size` of POST /train."
        )
    return rows.sort_values(SAME_ROW, ignore_index=True)


def _rows(session: Session, model: Model, keys: Mapping[str, str], facts: Sequence[str]) -> pd.DataFrame:
    """Return rows of a model, with the columns of its methods under their keys."""
    names = {f"{name}{end}": f"{key}{end}" for name, key in keys.items() for end in ENDS}
    rows = backtest_tables.read_rows(session, model)
    return rows.reindex(columns=[*SAME_ROW, *facts, *names]).rename(columns=names)


def _held_out(session: Session, first: Model, rows: pd.DataFrame) -> tuple[HeldOut, NDArray[np.bool_]]:
    """Return the rows as windows, and which (window,) are at cuts of which no two share steps.

    A window has a row for each step up to the shortest horizon. Contexts are the stored ends of the series.
    """
    axis = backtests.axis_of(session, first).with_seasons(models.season_lengths(first))
    horizon = int(rows["step"].max())
    heads = rows.iloc[::horizon]
    tails = dataset_queries.last_windows(
        session, backtests.version_of(session, first), heads["unique_id"].unique()
    )
    numbers = {tail.unique_id: number for number, tail in enumerate(tails)}
    series = np.array([numbers[name] for name in heads["unique_id"]], dtype=np.int64)
    ends = np.array([tail.end for tail in tails], dtype=np.int64)
    back = steps_between(axis.step, heads["cutoff"].to_numpy(np.int64), ends[series])
    panel, apart = panels.of_last_windows(axis, tails), _apart(back, horizon)
    held_out = HeldOut(
        contexts=panel.heads(series, np.maximum(panel.lengths[series] - back, 1)),
        target=rows["y"].to_numpy(np.float64).reshape(-1, horizon),
        series=series,
        cut=np.searchsorted(apart, back, side="right") - 1,
        scale=heads["scale"].to_numpy(np.float64),
        root_scale=heads["root_scale"].to_numpy(np.float64),
        cuts=len(apart),
        season_length=axis.season_length,
        measure=(first.lineage or {}).get("measure", "auto"),
        step_name=axis.step_name,
    )
    return held_out, np.isin(back, apart)


def _apart(back: Integers, horizon: int) -> list[int]:
    """Return the steps back to cuts of which no two share steps, from the last cut on."""
    kept: list[int] = []
    for steps in np.unique(back).tolist():
        if not kept or steps - kept[-1] >= horizon:
            kept.append(steps)
    return kept


def _forecast(rows: pd.DataFrame, method: str, horizon: int) -> Forecast:
    def column(end: str) -> Floats:
        values: Floats = rows[f"{method}{end}"].to_numpy(np.float64)
        return values.reshape(-1, horizon)

    lo, hi = ({level: column(f"-{side}-{level}") for level in BACKTEST_LEVELS} for side in ("lo", "hi"))
    return Forecast(column(""), lo, hi)


def _compared(model: Model, backtest: Backtest, judged: Backtest | None, first: Model) -> ComparedModel:
    """Return a model as it is shown, with the verdict against the first one if there is something judged."""
    verdict = None
    if judged is not None:
        verdict = backtests.verdict_out(judge(judged, model.id, rivals=[first.id], seed=first.seed))
    keys = _keys(model)
    return ComparedModel(
        model_id=model.id,
        name=model.name,
        method=model.served,
        dataset_version=model.dataset_version,
        horizon=model.horizon,
        windows=(model.backtest or {})["windows"],
        backtest_learned_until=(model.lineage or {})["backtest_learned_until"],
        measures={name: backtests.measures_out(backtest.measures(key)) for name, key in keys.items()},
        by_step={name: backtests.by_step_out(backtest.measures_by_step(key)) for name, key in keys.items()},
        verdict=verdict,
    )


def _notes(compared: Sequence[ComparedModel], windows: int, apart: int) -> list[str]:
    """Return in which ways the tests of the models differ."""
    notes = [
        f"Of the {each.windows:,} windows of {each.model_id}, {windows:,} are compared."
        for each in compared
        if each.windows != windows
    ]
    if apart < windows:
        notes.append(
            f"Verdicts are by {apart:,} windows: of cuts that share steps, by those that share none."
        )
    if len({each.horizon for each in compared}) > 1:
        notes.append("Their horizons differ: steps ahead are compared as far as the shortest reaches.")
    if len(known := {str(each.backtest_learned_until): each.model_id for each in compared}) > 1:
        until = " and ".join(f"{model} up to {time}" for time, model in known.items())
        notes.append(f"The tested fits learned {until}: who learned longer knew more of what is compared.")
    if len({each.dataset_version for each in compared}) > 1:
        version = compared[0].dataset_version
        notes.append(f"They learned from different versions: true values and scales are those of {version}.")
    return notes
