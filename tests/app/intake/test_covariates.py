"""Columns beside the target go where their series go."""

import numpy as np
import pytest

from app.intake.covariates import Covariate, Covariates
from app.intake.frame import SeriesFrame
from app.intake.grid.points import Points
from app.intake.time.axis import TimeAxis

AXIS = TimeAxis("integer", 1, None, None)
PRICE = Covariate("price", "future", "number")
WEATHER = Covariate("weather", "past", "category")
SHOP = Covariate("shop", "static", "category")


def two_series() -> SeriesFrame:
    """Return series of two and three steps; the price of the first is known for one step more."""
    covariates = Covariates(
        (PRICE, WEATHER, SHOP),
        np.array([0, 3, 6]),
        {
            "price": np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            "weather": np.array(["sun", None, None, "rain", "sun", "fog"], dtype=object),
        },
        {"shop": np.array(["north", "south"], dtype=object)},
    )
    ds, y = np.array([0, 1, 0, 1, 2]), np.array([10.0, 11.0, 20.0, 21.0, 22.0])
    return SeriesFrame(AXIS, ("a", "b"), np.array([0, 2, 5]), ds, y, covariates)


def test_steps_ahead_are_those_after_the_last_value_of_each_series() -> None:
    assert two_series().ahead.tolist() == [1, 0]


def test_no_step_is_ahead_where_no_column_stands_beside_the_target() -> None:
    frame = SeriesFrame(AXIS, ("a",), np.array([0, 2]), np.array([0, 1]), np.array([1.0, 2.0]))
    assert frame.ahead.tolist() == [0]


@pytest.mark.parametrize("frequency", ["h", "D", "ME", "W-SUN"])
def test_times_ahead_are_those_of_a_forecast(frequency: str) -> None:
    axis = TimeAxis("datetime", frequency, "Europe/Berlin")
    begin = axis.ordinals(["2024-03-31T00:00:00+01:00"])[0]
    ds = axis.step.shift(np.full(2, begin), np.arange(2))
    beside = Covariates((PRICE,), np.array([0, 402]), {"price": np.arange(402.0)}, {})
    frame = SeriesFrame(axis, ("a",), np.array([0, 2]), ds, np.array([1.0, 2.0]), beside)
    assert frame.row_ds[:2].tolist() == ds.tolist()
    assert frame.row_ds[2:].tolist() == axis.future(int(ds[-1]), 400).tolist()


def test_columns_are_taken_with_their_series() -> None:
    taken = two_series().take(np.array([1, 0])).covariates
    assert taken is not None
    assert taken.offsets.tolist() == [0, 3, 6]
    assert taken.steps["price"].tolist() == [4.0, 5.0, 6.0, 1.0, 2.0, 3.0]
    assert taken.static["shop"].tolist() == ["south", "north"]


def test_runs_of_series_joined_again_are_the_series() -> None:
    frame = two_series()
    joined = frame.run(0, 1).join(frame.run(1, 2))
    assert joined.covariates is not None
    assert frame.covariates is not None
    assert joined.ahead.tolist() == [1, 0]
    for name, cells in frame.covariates.steps.items():
        assert joined.covariates.steps[name].tolist() == cells.tolist()
    assert joined.covariates.static["shop"].tolist() == ["north", "south"]


def test_columns_of_rows_to_append_are_taken_with_their_series() -> None:
    points = Points(
        ("a", "b"),
        np.array([0, 1, 3]),
        np.array([5, 5, 6]),
        np.array([1.0, 2.0, np.nan]),
        {"price": np.array([7.0, 8.0, 9.0])},
        {"shop": np.array(["north", "south"], dtype=object)},
    )
    taken = points.take(np.array([1]))
    assert taken.cells["price"].tolist() == [8.0, 9.0]
    assert taken.static["shop"].tolist() == ["south"]
