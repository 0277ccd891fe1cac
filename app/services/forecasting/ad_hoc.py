"""Forecast ad hoc series: a request sends their rows, and nothing of them is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from app.db.tables import Model
from app.errors import BadInput, FieldError
from app.intake.frame import Intake, SeriesFrame
from app.intake.oddities import MixedSteps
from app.intake.options import NOTHING_SAID, ReadOptions
from app.intake.problems import SHOWN, Place, listed, refuse_rows
from app.intake.reader import read_rows
from app.intake.time.axis import Kind, TimeAxis
from app.schemas.datasets import ObservationIn
from app.services.datasets import panels, seasons
from app.services.forecasting import pretrained
from app.services.forecasting.model_loading import load_pretrained
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import Plan, last_until, said_of_until, steps_until
from app.services.forecasting.result import Answer, ForecastResult, Origins, result_of
from app.services.registry.served_method import ServedMethod
from models.choices import Limits
from models.inputs.closed_steps import open_steps
from models.methods.combination import compute_quantile_forecast

if TYPE_CHECKING:
    from models.network.forecaster import Forecaster

MAX_SERIES = 1000
LEAST_VALUES = 2  # that tell the step
TIMES: dict[Kind, str] = {"datetime": "dates", "integer": "plain integers", "year": "years as whole numbers"}
Rows = Sequence[ObservationIn]
Forecasts = tuple[ForecastResult, SeriesFrame]  # with the series that the rows hold


@dataclass(frozen=True, eq=False)
class _Serving:
    """A model that is ready to forecast: its served method and its network, to a horizon, within limits."""

    model: Model
    served_method: ServedMethod
    network: "Forecaster"
    horizon: int
    limits: Limits
    until: int | None = None


def forecast_by_plan(
    plan: Plan, network: "Forecaster", frame: SeriesFrame, rows: Rows, levels: Sequence[int]
) -> Forecasts:
    """Forecast the series that the rows hold, read onto the plan's time steps by `read`, by its model."""
    serving = _Serving(plan.model, plan.served_method, network, plan.horizon, plan.limits, plan.until)
    return _forecast(serving, frame.with_seasons(plan.axis.season_lengths), rows, levels)


def forecast_pretrained(rows: Rows, request: ForecastRequest, device: str) -> Forecasts:
    """Forecast the series in the rows by the pretrained network, calibrated on their own past.

    Raises BadInput for a horizon out of reach and, with pointers into `observations`, for unusable rows.
    """
    frame = seasons.of_rows(read_regular(rows, request.reading).with_seasons(request.season_lengths))
    last, model = _pretrained_model(frame, request)
    network = load_pretrained(model.horizon, frame.axis.seasons, device).forecaster
    panel, chosen = panels.of_frame(frame), np.array(pretrained.sample(frame.unique_ids))
    some = panel.heads(chosen, panel.lengths[chosen])
    served_method = pretrained.backtested(model, network, some, frame.axis.step_name)
    serving = _Serving(model, served_method, network, model.horizon, request.limits, last)
    return _forecast(serving, frame, rows, request.levels)


def _forecast(serving: _Serving, frame: SeriesFrame, rows: Rows, levels: Sequence[int]) -> Forecasts:
    method, panel = serving.served_method.method, panels.of_frame(frame)
    quantiles = compute_quantile_forecast(method, serving.network, panel)
    origins = Origins(frame.axis, list(frame.unique_ids), frame.ds[frame.offsets[1:] - 1].tolist())
    answer = Answer(serving.horizon, levels, serving.limits, serving.until)
    result = result_of(origins, serving.model, serving.served_method, quantiles, answer)
    if names := {name: None for row in rows for name in row.model_extra or ()}:
        result = result.warning_also(_unused(list(names), frame))
    return result.open_at(open_steps(panel, frame.axis.cycles, serving.horizon)), frame


def _pretrained_model(frame: SeriesFrame, request: ForecastRequest) -> tuple[int | None, Model]:
    """Return the pretrained network as far as a request asks, and the ordinal that its `until` is."""
    if request.until is None:
        return None, pretrained.model(request.horizon, frame.axis.seasons)
    last, steps, name = reach(frame, request.until)
    with said_of_until(steps, name):
        return last, pretrained.model(steps, frame.axis.seasons)


def reach(frame: SeriesFrame, until: str) -> tuple[int, int, str]:
    """Return the ordinal that `until` is, the steps to it, and the series that they are counted from.

    That is the one that ends first: each is forecast from its own end. Raises BadInput for a period that is
    none or is known already.
    """
    last, ends = last_until(frame.axis, until), frame.ds[frame.offsets[1:] - 1]
    at = int(np.argmin(ends))
    name = frame.unique_ids[at]
    return last, steps_until(frame.axis, last, name, int(ends[at])), name


def _unused(names: list[str], frame: SeriesFrame) -> str:
    ahead = int(frame.ahead.max())
    until = f", {ahead:,} {'step' if ahead == 1 else 'steps'} beyond the last value" if ahead else ""
    return (
        f"Columns beside the target ({listed(names)}) were read{until}, but no method uses them yet: this"
        " forecast comes from y alone."
    )


def read(rows: Rows, model_id: str, axis: TimeAxis, reading: ReadOptions = NOTHING_SAID) -> SeriesFrame:
    """Read the rows onto the time steps of a model.

    Raises BadInput, with pointers into `observations`, for rows that do not fit them.
    """
    _refuse_nan(rows)
    _refuse_counts(rows)
    frame = _on_axis(rows, model_id, axis, reading)
    if frame.axis.kind != axis.kind:
        raise _other_times(model_id, axis, frame.axis)
    for part, found in _slower(rows, frame, reading):
        raise _other_times(model_id, axis, found, _first_row_of(part, rows))
    return frame.in_zone_of(axis)


def read_regular(rows: Rows, reading: ReadOptions) -> SeriesFrame:
    """Read the rows onto the time step that fits all of them together. Raises BadInput."""
    _refuse_nan(rows)
    _refuse_counts(rows)
    frame = _on_common_axis(rows, reading)
    for part, found in _slower(rows, frame, reading):
        raise _mixed(part, rows, frame.axis, found)
    return frame


def _refuse_nan(rows: Rows) -> None:
    wrong = np.flatnonzero([row.y is not None and row.y != row.y for row in rows])
    if len(wrong):
        detail = "Some values are not numbers; null marks a gap"
        raise refuse_rows(Place(None), "y", wrong, lambda _: "NaN is not a number", detail)


def _refuse_counts(rows: Rows) -> None:
    """Refuse too many series, and series that are too short to forecast."""
    times: dict[str, set[str]] = {}
    for row in rows:
        seen = times.setdefault(_name(row), set())
        if row.y is not None:
            seen.add(str(row.ds).strip())
    if len(times) > MAX_SERIES:
        raise BadInput(
            f"A call may hold {MAX_SERIES:,} series, and this one has {len(times):,}. Send them in parts.",
            [FieldError("#/observations", f"At most {MAX_SERIES:,} different unique_id.")],
        )
    short = {name: len(seen) for name, seen in times.items() if len(seen) < LEAST_VALUES}
    if short:
        raise _too_short(rows, short)


def _too_short(rows: Rows, found: dict[str, int]) -> BadInput:
    first = {_name(row): i for i, row in reversed(list(enumerate(rows)))}
    needed = f"a forecast needs {LEAST_VALUES}, at different times"
    errors = [
        FieldError(f"#/observations/{first[name]}", f"{name!r} has {_values(count)}; {needed}.")
        for name, count in list(found.items())[:SHOWN]
    ]
    more = f" So it is with {len(found) - 1:,} more series." if len(found) > 1 else ""
    return BadInput(f"Series {errors[0].detail}{more}", errors)


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"


def _name(row: ObservationIn) -> str:
    return str(row.unique_id).strip()


def _on_axis(rows: Rows, model_id: str, axis: TimeAxis, reading: ReadOptions) -> SeriesFrame:
    try:
        zone = reading.time_zone or (axis.timezone if axis.zone and not axis.zone.is_fixed else None)
        intake = read_rows(rows, replace(reading, frequency=axis.frequency, time_zone=zone))
    except BadInput as error:
        raise _explained(error, rows, model_id, axis, reading) from error
    return _complete(intake)


def _on_common_axis(rows: Rows, reading: ReadOptions) -> SeriesFrame:
    try:
        intake = read_rows(rows, reading)
    except MixedSteps as error:
        raise _mixed_steps(error) from error
    except BadInput as error:
        if _is_irregular(error):
            raise _irregular() from error
        raise
    return _complete(intake)


def _complete(intake: Intake) -> SeriesFrame:
    left_out = [repair for repair in intake.profile.repairs if repair.kind == "refused"]
    if left_out:
        raise BadInput(
            "Some rows have no time or no series name. Complete them or leave them out.",
            [FieldError(f"#/observations/{repair.row}", repair.detail) for repair in left_out[:SHOWN]],
        )
    return intake.frame


def _explained(error: BadInput, rows: Rows, model_id: str, axis: TimeAxis, reading: ReadOptions) -> BadInput:
    """Return the error for rows off the model's steps; it names their own step if they have another one."""
    try:
        found = read_rows(rows, reading).frame.axis
    except BadInput as other:
        return _other_times(model_id, axis, None, error.errors) if _is_irregular(other) else other
    alike = (found.kind, found.frequency) == (axis.kind, axis.frequency)
    return error if alike else _other_times(model_id, axis, found, error.errors)


def _is_irregular(error: BadInput) -> bool:
    """Return whether no regular step was found; else a single time was refused."""
    return any(part.pointer == "#/frequency" for part in error.errors)


def _mixed_steps(error: MixedSteps) -> BadInput:
    which = str(error).split(". ", 1)[0]
    return BadInput(
        f"{which}. Send them in a call of their own, or a row for each step (null marks a gap).",
        [FieldError("#/observations", which)],
    )


def _irregular() -> BadInput:
    return BadInput(
        "The times of these rows take no regular step. Send a row for each step (null marks a gap), or name "
        "by dataset_id a dataset that has the step meant.",
        [FieldError("#/observations", "No step is found that these times take.")],
    )


def _mixed(part: Rows, rows: Rows, axis: TimeAxis, found: TimeAxis) -> BadInput:
    return BadInput(
        f"The rows together take steps of {axis.frequency!r}, and those of series {_name(part[0])!r} take "
        f"{found.frequency!r}. Send it in a call of its own, or a row for each step (null marks a gap).",
        _first_row_of(part, rows),
    )


def _other_times(
    model_id: str, axis: TimeAxis, found: TimeAxis | None, at: Sequence[FieldError] = ()
) -> BadInput:
    """Return the error for times that do not fit a model; `at` points at rows off its steps."""
    if found is not None and found.kind != axis.kind:
        wanted, sent, advice = TIMES[axis.kind], TIMES[found.kind], "times like those it learned from"
        at = ()
    else:
        wanted, advice = f"steps of {axis.frequency!r}", "a row for each step (null marks a gap)"
        sent = "no regular step" if found is None else f"steps of {found.frequency!r}"
    return BadInput(
        f"Model {model_id} forecasts {wanted}, and the times of these rows are {sent}. Send {advice}, or "
        "train a model on rows like these.",
        [part for part in at if part.pointer.startswith("#/observations")]
        or [FieldError("#/observations", f"The model wants {wanted}.")],
    )


def _first_row_of(part: Rows, rows: Rows) -> list[FieldError]:
    """Point at the first row of a series; at none where `part` is all rows."""
    if part is rows:
        return []
    return [FieldError(f"#/observations/{rows.index(part[0])}", f"Series {_name(part[0])!r} begins here.")]


def _slower(rows: Rows, frame: SeriesFrame, reading: ReadOptions) -> Iterator[tuple[Rows, TimeAxis]]:
    """Yield rows that take a longer step than the frame's, with the axis of that step."""
    for part in _candidates(rows, frame):
        found = _on_found_axis(part, reading)
        if found is not None and _skips(found, frame.axis):
            yield part, found.axis


def _candidates(rows: Rows, frame: SeriesFrame) -> Iterator[Rows]:
    """Yield rows that may take a longer step than the frame's: all rows, then those of single series."""
    if not np.isnan(frame.y).any():
        return
    yield rows
    of_series: dict[str, list[ObservationIn]] = {}
    for row in rows:
        of_series.setdefault(_name(row), []).append(row)
    yield from (of_series[name] for name in _sparse(frame))


def _sparse(frame: SeriesFrame) -> Iterator[str]:
    """Yield the series whose values are all a multiple of two or more steps apart."""
    at = np.flatnonzero(~np.isnan(frame.y))
    firsts = np.searchsorted(at, frame.offsets[:-1])  # each series begins with a value
    since_first = at - np.repeat(frame.offsets[:-1], np.diff(np.append(firsts, len(at))))
    for i in np.flatnonzero(np.gcd.reduceat(since_first, firsts) > 1):
        yield frame.unique_ids[i]


def _on_found_axis(rows: Rows, reading: ReadOptions) -> SeriesFrame | None:
    """Read the rows onto their own step; return None if they have no regular one."""
    try:
        return read_rows(rows, reading).frame
    except BadInput:
        return None


def _skips(found: SeriesFrame, axis: TimeAxis) -> bool:
    """Return whether any step of `found` skips a step of the axis."""
    if (found.axis.kind == "datetime") != (axis.kind == "datetime"):
        return False  # integers such as 20240101, which may be dates
    steps = np.diff(axis.step.position(found.ds))
    return bool(np.any(np.delete(steps, found.offsets[1:-1] - 1) > axis.step.size))
