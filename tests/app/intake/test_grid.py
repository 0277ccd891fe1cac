"""Values merged into series in any order and parts give the same as all at once."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.errors import BadInput
from app.intake.frame import SeriesFrame
from app.intake.grid.filling import grid_frame
from app.intake.grid.merging import merge
from app.intake.grid.points import Points, off_step
from app.intake.time.axis import TimeAxis
from tests.factories import EACH

AXES = (
    TimeAxis("integer", 3),
    TimeAxis("year", "YS"),
    TimeAxis("datetime", "D"),
    TimeAxis("datetime", "15min", "UTC"),
    TimeAxis("datetime", "W-SUN"),
    TimeAxis("datetime", "ME"),
    TimeAxis("datetime", "QS-OCT"),
    TimeAxis("datetime", "2B"),
)
NAMES = ("a", "b", "c")
State = dict[tuple[str, int], float]  # the last value said of a series' step; NaN for none

quick = settings(
    max_examples=60 * EACH,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
values = st.sampled_from([0.0, 1.0, -2.5, 1e300, float("nan")])
rows = st.dictionaries(st.tuples(st.sampled_from(NAMES), st.integers(-8, 12)), values, min_size=1)


def origin(axis: TimeAxis) -> int:
    """A time on the axis: that of step 0."""
    texts = {"W-SUN": "2024-01-07", "ME": "2024-01-31"}
    return (
        2001 if axis.kind != "datetime" else axis.ordinals([texts.get(str(axis.frequency), "2024-01-01")])[0]
    )


def points(axis: TimeAxis, state: State) -> Points:
    names = sorted({name for name, _ in state})
    ordered = sorted(state)
    counts = [sum(name == each for each, _ in ordered) for name in names]
    steps = np.array([step for _, step in ordered], dtype=np.int64)
    ds = axis.step.shift(np.full(len(steps), origin(axis)), steps)
    y = np.array([state[key] for key in ordered])
    return Points(tuple(names), np.cumsum([0, *counts]), ds, y)


def least(state: State) -> int:
    return min(sum(name == each and not math.isnan(y) for (each, _), y in state.items()) for name in NAMES)


def same(one: SeriesFrame, other: SeriesFrame) -> bool:
    return one.unique_ids == other.unique_ids and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "y")
        for name in ("offsets", "ds", "y")
    )


def laid(axis: TimeAxis, base: State, part: State) -> tuple[SeriesFrame, int, int]:
    """Merge a part into the series that it has rows of; return the number of rows that changed any."""
    whole = grid_frame(axis, points(axis, base))
    new = points(axis, part)
    at = np.array([whole.unique_ids.index(name) for name in new.unique_ids])
    merged = merge(whole.take(at), new)
    frames = {name: merged.frame.take(np.array([i])) for i, name in enumerate(new.unique_ids)}
    first, *others = (frames.get(name, whole.take(np.array([i]))) for i, name in enumerate(whole.unique_ids))
    for other in others:
        first = first.join(other)
    return first, merged.appended, merged.corrected


@quick
@given(st.sampled_from(AXES), rows, rows)
def test_part_laid_in_gives_what_all_at_once_gives(axis: TimeAxis, base: State, part: State) -> None:
    together = {**base, **part}
    assume(least(base) >= 2 and least(together) >= 2)
    merged, _, _ = laid(axis, base, part)
    assert same(merged, grid_frame(axis, points(axis, together)))


@quick
@given(st.sampled_from(AXES), rows, rows)
def test_rows_are_counted_by_what_they_change(axis: TimeAxis, base: State, part: State) -> None:
    assume(least(base) >= 2 and least({**base, **part}) >= 2)
    _, appended, corrected = laid(axis, base, part)
    known = {key: y for key, y in base.items() if not math.isnan(y)}
    span = {name: [step for each, step in known if each == name] for name in NAMES}
    beyond = {key for key in part if not min(span[key[0]]) <= key[1] <= max(span[key[0]])}
    found = {key for key, y in part.items() if not np.array_equal(y, known.get(key, np.nan), equal_nan=True)}
    assert (appended, corrected) == (len(found & beyond), len(found - beyond))


@quick
@given(st.sampled_from(AXES), rows)
def test_rows_laid_in_twice_change_nothing(axis: TimeAxis, base: State) -> None:
    assume(least(base) >= 2)
    frame = grid_frame(axis, points(axis, base))
    merged = merge(frame, points(axis, base))
    assert same(merged.frame, frame)
    assert not merged.changed.any()
    assert not merged.gaps.any()


def test_series_left_without_a_value_is_refused_by_name() -> None:
    axis = AXES[2]
    frame = grid_frame(axis, points(axis, {("a", 0): 1, ("a", 1): 2}))
    with pytest.raises(BadInput, match="'a' would have none"):
        merge(frame, points(axis, {("a", 0): np.nan, ("a", 1): np.nan}))


def test_only_new_gaps_are_reported() -> None:
    axis = AXES[0]
    frame = grid_frame(axis, points(axis, {("a", 0): 1, ("a", 2): 3, ("a", 3): 4}))
    merged = merge(frame, points(axis, {("a", -2): 9, ("a", 2): np.nan, ("a", 5): 6}))
    assert merged.frame.y.tolist()[:3:2] == [9, 1]
    assert merged.gaps.tolist() == [False, True, False, False, True, False, True, False]


def test_time_far_away_is_refused_before_the_memory_is_taken() -> None:
    axis = TimeAxis("integer", 1)
    frame = grid_frame(axis, points(axis, {("a", 0): 1, ("a", 1): 2}))
    with pytest.raises(BadInput, match="steps for 3 values"):
        merge(frame, points(axis, {("a", 10**12): 3}))


def test_time_off_the_step_is_found_before_and_after_the_beginning() -> None:
    begins = np.full(4, 2001)
    assert off_step(np.array([1998, 2004, 2005, 1999]), begins, AXES[0].step).tolist() == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("axis", AXES)
def test_times_as_shown_are_read_back(axis: TimeAxis) -> None:
    ordinals = axis.future(origin(axis), 5)
    assert axis.ordinals(axis.format(ordinals)).tolist() == ordinals.tolist()
