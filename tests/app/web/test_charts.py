"""What the charts are drawn from: positions that rise, thin lines of many values, gaps that stay open."""

import re

import numpy as np

from app.schemas.datasets import ObservationPage
from app.web import charts, sparklines


def observed(ds: list[str | int], y: list[float | None]) -> ObservationPage:
    columns: dict[str, list[float | str | None]] = {}
    return ObservationPage(
        unique_id="a", dataset_id="ds_1", dataset_version=1, ds=ds, y=y, columns=columns, static={}, next=None
    )


def test_hour_that_clocks_repeat_stands_behind_itself() -> None:
    hours: list[str | int] = [
        "2024-10-27T02:00:00+02:00",
        "2024-10-27T02:00:00+01:00",
        "2024-10-27T03:00:00+01:00",
    ]
    x = charts.of_history(observed(hours, [1.0, 2.0, 3.0]), "h", "en")["x"]
    assert x == sorted(set(x))


def test_value_keeps_seven_digits() -> None:
    block = charts.of_history(observed([1, 2], [1 / 3, None]), 1, "en")
    assert block["lines"][0]["y"] == [0.3333333, None]
    assert block["unit"] == "number"


def test_sparkline_breaks_at_a_gap() -> None:
    assert sparklines.draw([1.0, 2.0, np.nan, 4.0, 5.0]).count("<polyline") == 2


def test_sparkline_of_many_values_keeps_their_extremes() -> None:
    values = np.zeros(10_000)
    values[1234], values[8765] = 5.0, -5.0
    heights = [float(y) for y in re.findall(r",([\d.]+)", sparklines.draw(list(values)))]
    assert len(heights) <= sparklines.MOST_POINTS
    assert (min(heights), max(heights)) == (sparklines.MARGIN, sparklines.HEIGHT - sparklines.MARGIN)


def test_sparkline_of_one_value_or_none_is_drawn() -> None:
    assert "<polyline" in sparklines.draw([3.0])
    assert sparklines.draw([np.nan]) == ""
