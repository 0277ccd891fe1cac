"""Rows with columns, merged in any portions, give what one table of all of them gives."""

import math
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.intake.additions.existing import ExistingDataset
from app.intake.covariates import Cells, Covariate
from app.intake.frame import Intake, SeriesFrame
from app.intake.grid.filling import grid_frame, with_zeros
from app.intake.grid.merging import Merged, merge
from app.intake.grid.points import Points
from app.intake.reader import ReadOptions, read_more_rows, read_rows
from app.intake.time.axis import TimeAxis
from app.schemas.datasets import ObservationIn
from tests.factories import EACH

AXIS = TimeAxis("datetime", "ME")
PRICE = Covariate("price", "future", "number")
WEATHER = Covariate("weather", "past", "category")
SHOP = Covariate("shop", "static", "category")
COLUMNS = (PRICE, WEATHER, SHOP)
NONE = math.nan

quick = settings(
    max_examples=60 * EACH,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
cells = st.tuples(
    st.sampled_from([1.0, 2.0, NONE]),
    st.sampled_from([3.0, -0.5, NONE]),
    st.sampled_from(["sun", "fog", None]),
)
steps = st.dictionaries(st.integers(-4, 9), cells, min_size=1)
sent = st.sets(st.sampled_from(["price", "weather", "shop"]))
shops = st.sampled_from(["north", "south", None])
parts = st.tuples(steps, sent, shops)
Row = tuple[float, float, str | None]
Part = tuple[dict[int, Row], set[str], str | None]  # rows, the columns that they send, and the shop


@dataclass(frozen=True)
class Kept:
    """What is known of a series: of each step the value, the price and the weather; and its shop."""

    rows: dict[int, Row]
    shop: str | None = None

    @property
    def start(self) -> int:
        return min(step for step, row in self.rows.items() if not math.isnan(row[0]))

    @property
    def end(self) -> int:
        return max(step for step, row in self.rows.items() if not math.isnan(row[0]))

    @property
    def last(self) -> int:
        filled = [step for step, row in self.rows.items() if not (math.isnan(row[1]) and row[2] is None)]
        return max([self.end, *filled])

    def with_part(self, part: Part, odd_lack: str = "") -> "Kept":
        """Return what is known after rows that send these columns, those before the first value included.

        Rows of odd steps do not send the columns in `odd_lack` that they have no cell of.
        """
        rows, names, shop = part
        known = dict(self.rows)
        for step, (y, price, weather) in rows.items():
            lacks = odd_lack if step % 2 else ""
            _, was, had = known.get(step, (NONE, NONE, None))
            keeps_price = "price" not in names or ("price" in lacks and math.isnan(price))
            keeps_weather = "weather" not in names or ("weather" in lacks and weather is None)
            known[step] = (y, was if keeps_price else price, had if keeps_weather else weather)
        lacks_shop = "shop" in odd_lack and shop is None and all(step % 2 for step in rows)
        return Kept(known, self.shop if "shop" not in names or lacks_shop else shop)

    def trimmed(self) -> "Kept":
        """Return it without what is before the first value."""
        return replace(self, rows={step: row for step, row in self.rows.items() if step >= self.start})

    @property
    def has_value(self) -> bool:
        return any(not math.isnan(y) for y, _, _ in self.rows.values())


def points(rows: dict[int, Row], names: set[str], shop: str | None, name: str = "a") -> Points:
    """Return the rows of one series, with the columns that are sent."""
    ordered = sorted(rows)
    ds = AXIS.step.shift(np.full(len(rows), AXIS.ordinals(["2024-01-31"])[0]), np.array(ordered))
    columns: dict[str, Cells] = {
        "price": np.array([rows[step][1] for step in ordered], dtype=np.float64),
        "weather": np.array([rows[step][2] for step in ordered], dtype=object),
    }
    return Points(
        (name,),
        np.array([0, len(rows)]),
        ds,
        np.array([rows[step][0] for step in ordered], dtype=np.float64),
        {name: column for name, column in columns.items() if name in names},
        {"shop": np.array([shop], dtype=object)} if "shop" in names else {},
    )


def at_once(kept: Kept) -> SeriesFrame:
    """Return the series of one table of all that is known."""
    return grid_frame(AXIS, points(kept.rows, {"price", "weather", "shop"}, kept.shop), COLUMNS)


def plain(frame: SeriesFrame) -> str:
    """Return all that a frame holds."""
    beside = frame.covariates
    assert beside is not None
    columns = [(name, column.tolist()) for name, column in [*beside.steps.items(), *beside.static.items()]]
    flat = (frame.offsets, frame.ds, frame.y, beside.offsets)
    return repr((frame.unique_ids, [array.tolist() for array in flat], sorted(columns), beside.columns))


def changed_rows(kept: Kept, part: Part) -> tuple[int, int]:
    """Return how many rows of a part are new, and how many correct one that is there."""
    after = kept.with_part(part)
    appended = corrected = 0
    for step, (y, _, _) in part[0].items():
        is_there = kept.start <= step <= kept.last
        before = kept.rows.get(step, (NONE, NONE, None))
        differs = repr(after.rows[step]) != repr(before) and (is_there or step >= after.start)
        is_new = not is_there or (step > kept.end and not math.isnan(y))
        appended += differs and is_new
        corrected += (differs or after.shop != kept.shop) and not (differs and is_new)
    return appended, corrected


@quick
@given(steps, shops, st.lists(parts, max_size=5))
def test_portions_give_what_one_table_gives(
    rows: dict[int, Row], shop: str | None, later: list[Part]
) -> None:
    kept = Kept({0: (1.0, NONE, None), **rows}, shop)
    if not kept.has_value:
        return
    frame, kept = at_once(kept), kept.trimmed()
    for part in later:
        if not kept.with_part(part).has_value:
            continue
        counts = changed_rows(kept, part)
        merged = merge(frame, points(*part))
        kept = kept.with_part(part).trimmed()
        assert plain(merged.frame) == plain(at_once(kept))
        assert (merged.appended, merged.corrected) == counts
        assert merged.changed.tolist() == [sum(counts) > 0]
        frame = merged.frame


def merged(*parts: Part) -> Merged:
    """Merge parts into a series of two values with prices, the second of which has weather."""
    frame = at_once(Kept({0: (1.0, 3.0, None), 1: (2.0, 4.0, "sun"), 2: (NONE, 5.0, None)}, "north"))
    for part in parts:
        result = merge(frame, points(*part))
        frame = result.frame
    return result


def test_value_of_a_step_ahead_keeps_the_cells_that_came_before_it() -> None:
    result = merged(({2: (6.0, NONE, None)}, set(), None))
    beside = result.frame.covariates
    assert beside is not None
    assert (result.frame.y.tolist(), result.frame.ahead.tolist()) == ([1, 2, 6], [0])
    assert beside.steps["price"].tolist() == [3, 4, 5]
    assert (result.appended, result.corrected) == (1, 0)


def test_cell_beyond_the_end_is_ahead_and_leaves_the_series_as_long_as_it_was() -> None:
    result = merged(({4: (NONE, 9.0, None)}, {"price"}, None))
    assert (result.frame.y.tolist(), result.frame.ahead.tolist()) == ([1, 2], [3])
    assert (result.appended, result.corrected, result.gaps.tolist()) == (1, 0, [False, False])


def test_empty_cell_of_a_column_that_is_sent_removes_the_stored_one() -> None:
    result = merged(({1: (2.0, NONE, None), 2: (NONE, NONE, None)}, {"price"}, None))
    beside = result.frame.covariates
    assert beside is not None
    assert str(beside.steps["price"].tolist()) == "[3.0, nan]"
    assert beside.steps["weather"].tolist() == [None, "sun"]
    assert (result.appended, result.corrected) == (0, 2)


def test_value_removed_from_the_end_leaves_its_cells_ahead() -> None:
    result = merged(({1: (NONE, NONE, None)}, set(), None))
    beside = result.frame.covariates
    assert beside is not None
    assert (result.frame.y.tolist(), result.frame.ahead.tolist()) == ([1], [2])
    assert beside.steps["weather"].tolist() == [None, "sun", None]


def test_other_shop_corrects_each_row_that_says_it() -> None:
    result = merged(({0: (1.0, NONE, None), 1: (2.0, NONE, None)}, {"shop"}, "south"))
    assert (result.appended, result.corrected, result.changed.tolist()) == (0, 2, [True])


def test_same_rows_again_change_nothing() -> None:
    part: Part = (
        {0: (1.0, 3.0, None), 2: (NONE, 5.0, None), 7: (NONE, NONE, None)},
        {"price", "weather"},
        None,
    )
    result = merged(part)
    assert (result.appended, result.corrected, result.changed.tolist()) == (0, 0, [False])


def test_column_that_a_new_series_does_not_send_is_without_a_cell() -> None:
    frame = grid_frame(AXIS, points({0: (1.0, 3.0, "sun"), 1: (2.0, 4.0, None)}, {"price"}, None), COLUMNS)
    beside = frame.covariates
    assert beside is not None
    assert beside.steps["price"].tolist() == [3, 4]
    assert beside.steps["weather"].tolist() == [None, None]
    assert beside.static["shop"].tolist() == [None]


def test_zeros_up_to_the_last_time_take_what_was_ahead_into_the_series() -> None:
    short = at_once(Kept({0: (1.0, 3.0, None), 1: (NONE, 4.0, None), 4: (NONE, 5.0, "fog")}, "north"))
    long = grid_frame(
        AXIS, points({0: (1.0, NONE, None), 2: (2.0, 7.0, None)}, {"price"}, None, "b"), COLUMNS
    )
    frame = with_zeros(short.join(long))
    beside = frame.covariates
    assert beside is not None
    assert (frame.y.tolist(), frame.ahead.tolist()) == ([1, 0, 0, 1, 0, 2], [2, 0])
    assert str(beside.steps["price"].tolist()) == "[3.0, 4.0, nan, nan, 5.0, nan, nan, 7.0]"


SAID = ReadOptions(
    frequency=1,
    future_columns="price,weather",
    static_columns="shop",
    category_columns="weather,shop",
)
AHEAD = tuple(replace(column, role="future") if column is WEATHER else column for column in COLUMNS)


def as_sent(part: Part, odd_lack: str = "") -> list[ObservationIn]:
    """Return rows as a caller sends them, with the columns that are sent; odd steps lack some empty cells."""
    rows, names, shop = part
    found = []
    for step, (y, price, weather) in rows.items():
        cells = {"price": None if math.isnan(price) else price, "weather": weather, "shop": shop}
        lacks = odd_lack if step % 2 else ""
        sent = {
            name: cell
            for name, cell in cells.items()
            if name in names and not (name in lacks and cell is None)
        }
        found.append(ObservationIn.model_validate({"ds": step, "y": None if math.isnan(y) else y, **sent}))
    return found


def read(kept: Kept) -> Intake:
    """Return the upload of one table of all that is known."""
    return read_rows(as_sent((kept.rows, {"price", "weather", "shop"}, kept.shop)), SAID)


@quick
@given(steps, shops, st.lists(parts, max_size=4), st.sampled_from(["", "price", "weather shop"]))
def test_rows_read_in_portions_give_the_frame_of_one_upload(
    rows: dict[int, Row], shop: str | None, later: list[Part], odd_lack: str
) -> None:
    kept = Kept({0: (1.0, 3.0, "sun"), 1: (2.0, NONE, None), **rows}, shop)
    if len([y for y, _, _ in kept.rows.values() if not math.isnan(y)]) < 2:
        return
    intake = read(kept)
    frame, kept = intake.frame, kept.trimmed()
    existing = ExistingDataset(
        frame.axis, intake.profile.end, intake.profile.detected, "series", covariates=AHEAD
    )
    for part in later:
        after = kept.with_part(part, odd_lack)
        if len([y for y, _, _ in after.rows.values() if not math.isnan(y)]) < 2:
            continue
        frame = merge(frame, read_more_rows(as_sent(part, odd_lack), existing).points).frame
        kept = after.trimmed()
    assert plain(frame) == plain(read(kept).frame)
