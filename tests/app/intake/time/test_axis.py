"""The time axis: next steps, seasons and texts, with pandas' date ranges as the reference."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from app.intake.arrays import Ints
from app.intake.time.aliases import Alias
from app.intake.time.axis import TimeAxis
from app.intake.time.frequency import infer
from app.intake.time.timeline import one_series
from app.schemas.choices import Seasons
from models.inputs.calendar import places

FREQUENCIES = (
    *("D", "2D", "7D", "B", "W-SUN", "2W-MON", "MS", "ME", "BMS", "BME", "2MS", "4ME", "QS-OCT", "QE-DEC"),
    *("QS-NOV", "2QS-OCT", "BQS-OCT", "BQE-DEC", "YS-JAN", "YE-DEC", "YS-APR", "BYS-JAN", "BYE-DEC"),
    *("2YS-JAN", "h", "3h", "min", "15min", "s", "30s", "ms", "us"),
)
STARTS = ("1899-12-30", "1960-02-29", "2023-11-17")


def micros(texts: list[str]) -> Ints:
    return np.array(texts, dtype="M8[us]").astype(np.int64)


def ordinals_of(times: pd.DatetimeIndex) -> Ints:
    return times.to_numpy().astype("M8[us]").astype(np.int64)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_future_steps_are_those_of_pandas(frequency: str, start: str) -> None:
    times = ordinals_of(pd.date_range(start, periods=40, freq=frequency))
    future = TimeAxis("datetime", frequency).future(int(times[0]), 39)
    assert future.dtype == np.int64
    assert future.tolist() == times[1:].tolist()


@pytest.mark.parametrize(
    ("frequency", "name"),
    [
        *[("D", "day"), ("B", "business day"), ("W-SUN", "week"), ("MS", "month"), ("BME", "month")],
        *[("MS-15", "month"), ("QS-OCT", "quarter"), ("YE-DEC", "year"), ("h", "hour"), ("s", "second")],
        *[("15min", "step"), ("2MS", "step"), ("MS-1-15", "step")],
    ],
)
def test_step_has_the_name_of_what_one_of_it_is(frequency: str, name: str) -> None:
    assert TimeAxis("datetime", frequency).step_name == name


def test_years_have_a_name_and_plain_numbers_have_none() -> None:
    assert TimeAxis("year", "YS").step_name == "year"
    assert TimeAxis("integer", 1).step_name == "step"


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_frequency_found_is_that_of_pandas(frequency: str, start: str) -> None:
    times = pd.date_range(start, periods=40, freq=frequency)
    found = infer(one_series(ordinals_of(times)))
    assert found.frequency == pd.infer_freq(times)


@pytest.mark.parametrize(
    ("frequency", "lengths"),
    [
        *[("MS", (12,)), ("ME", (12,)), ("2MS", (6,)), ("5MS", ()), ("12MS", ()), ("YS-JAN", ())],
        *[("QS-OCT", (4,)), ("2QS-OCT", (2,)), ("2W-SUN", (26,)), ("2D", ()), ("3B", ())],
        *[("h", (24, 168)), ("2h", (12, 84)), ("3h", (8, 56)), ("4h", (6, 42)), ("12h", (2, 14)), ("5h", ())],
        *[("30min", (48, 336)), ("15min", (96, 672)), ("10min", (144, 1008)), ("5min", (288, 2016))],
        *[("3min", (480, 3360)), ("2min", (720,)), ("min", (1440,)), ("7min", ()), ("s", (60,)), ("ms", ())],
    ],
)
def test_seasons_follow_from_the_frequency(frequency: str, lengths: tuple[int, ...]) -> None:
    assert TimeAxis("datetime", frequency).seasons == Seasons(lengths)


@pytest.mark.parametrize(
    ("frequency", "seasons"),
    [
        ("D", Seasons((7, 365), "days")),
        ("B", Seasons((5, 261), "business_days")),
        ("W-SUN", Seasons((52,), "weeks")),
        ("7D", Seasons((52,), "weeks")),
    ],
)
def test_years_of_uneven_length_are_counted_by_a_calendar(frequency: str, seasons: Seasons) -> None:
    assert TimeAxis("datetime", frequency).seasons == seasons


@pytest.mark.parametrize(("frequency", "length"), [("h", 24), ("D", 7), ("B", 5), ("YS-JAN", 1)])
def test_season_length_is_that_of_the_shortest_season(frequency: str, length: int) -> None:
    assert TimeAxis("datetime", frequency).season_length == length


@pytest.mark.parametrize(
    ("frequency", "length", "times", "places"),
    [
        ("MS", 12, ["2021-01-01", "2021-12-01"], [0, 11]),
        ("ME", 12, ["1969-12-31", "1970-01-31"], [11, 0]),
        ("QE-DEC", 4, ["2021-03-31", "2021-12-31"], [0, 3]),
        ("D", 7, ["2021-02-01", "2021-02-07"], [0, 6]),  # a Monday and a Sunday
        ("B", 5, ["2021-02-01", "2021-02-05"], [0, 4]),
        ("h", 24, ["2021-01-01T00:00", "1969-12-31T23:00"], [0, 23]),
        ("h", 168, ["2021-02-01T00:00", "2021-02-07T23:00"], [0, 167]),
        ("30min", 48, ["2021-01-01T00:30", "2021-01-01T23:30"], [1, 47]),
        ("15min", 672, ["1899-12-31T23:45"], [671]),  # a Sunday
    ],
)
def test_phase_modulo_a_season_is_the_place_in_it(
    frequency: str, length: int, times: list[str], places: list[int]
) -> None:
    phases = TimeAxis("datetime", frequency).phase(micros(times))
    assert (phases % length).tolist() == places


@pytest.mark.parametrize(
    ("frequency", "times", "of_year"),
    [
        ("D", ["2021-01-01", "2024-02-28", "2024-02-29", "2024-03-01", "2023-12-31"], [0, 58, 58, 59, 364]),
        ("W-SUN", ["2021-01-03", "2021-01-10", "2020-12-20"], [52, 0, 50]),
        ("B", ["2021-01-01", "2021-12-31", "2024-12-31"], [0, 260, 260]),
    ],
)
def test_phase_leads_to_the_place_in_the_year(frequency: str, times: list[str], of_year: list[int]) -> None:
    axis = TimeAxis("datetime", frequency)
    table = places(axis.seasons.calendar, axis.seasons.lengths[-1])
    assert table[axis.phase(micros(times)) % len(table)].tolist() == of_year


@pytest.mark.parametrize("frequency", ["D", "B", "W-SUN", "MS", "us", "s", "h"])
def test_phase_of_the_first_date_there_is_counts_from_0(frequency: str) -> None:
    assert (TimeAxis("datetime", frequency).phase(micros(["0001-01-01"])) >= 0).all()


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_phase_moves_by_one_with_each_step(frequency: str, start: str) -> None:
    """Otherwise a phase would depend on where a series begins."""
    axis = TimeAxis("datetime", frequency)
    first = int(ordinals_of(pd.date_range(start, periods=1, freq=frequency))[0])
    phases = axis.phase(axis.future(first, 800))
    steps = np.arange(800) if axis.seasons.lengths else np.zeros(800)
    assert (phases - phases[0]).tolist() == steps.tolist()


def test_numbers_have_no_phase() -> None:
    assert TimeAxis("year", "YS").phase(np.array([1960, 1961])).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("axis", "ordinals", "texts"),
    [
        (TimeAxis("datetime", "ME"), micros(["2024-01-31"]), ["2024-01-31"]),
        (TimeAxis("datetime", "D"), micros(["2024-01-31T06:00"]), ["2024-01-31T06:00:00"]),
        (TimeAxis("datetime", "h"), micros(["2024-01-31T00:00"]), ["2024-01-31T00:00:00"]),
        (TimeAxis("datetime", "h", "UTC"), micros(["2024-01-31T13:00"]), ["2024-01-31T13:00:00Z"]),
        (TimeAxis("datetime", "h", "-03:30"), micros(["2024-01-31T13:00"]), ["2024-01-31T13:00:00-03:30"]),
        (TimeAxis("datetime", "ms"), micros(["2024-01-31T13:00:00.25"]), ["2024-01-31T13:00:00.250000"]),
        (TimeAxis("integer", 1), np.array([7]), [7]),
        (TimeAxis("year", "YS"), np.array([1960]), [1960]),
    ],
)
def test_times_are_written_as_short_as_they_are_and_read_back(
    axis: TimeAxis, ordinals: Ints, texts: list[str | int]
) -> None:
    assert axis.format(ordinals) == texts
    assert axis.ordinals(texts).tolist() == ordinals.tolist()


@pytest.mark.parametrize(
    "axis", [TimeAxis("datetime", "h", "UTC"), TimeAxis("integer", 5), TimeAxis("year", "10YS")]
)
def test_axis_survives_json(axis: TimeAxis) -> None:
    assert TimeAxis.from_dict(json.loads(json.dumps(asdict(axis)))) == axis


def test_integers_and_years_step_by_their_frequency() -> None:
    assert TimeAxis("integer", 5).future(10, 3).tolist() == [15, 20, 25]
    assert TimeAxis("year", "10YS").future(1990, 2).tolist() == [2000, 2010]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *[("M", "ME"), ("Q", "QE-DEC"), ("A", "YE-DEC"), ("Y", "YE-DEC"), ("AS", "YS-JAN"), ("H", "h")],
        *[("T", "min"), ("15T", "15min"), ("60min", "h"), ("24h", "D"), ("W", "W-SUN"), ("BM", "BME")],
    ],
)
def test_old_alias_becomes_the_new_one(old: str, new: str) -> None:
    alias = Alias.parse(old)
    step = alias.step() if alias else None
    assert step is not None
    assert step.frequency == new


@pytest.mark.parametrize(
    ("kind", "frequency"),
    [("datetime", "nonsense"), ("datetime", 1), ("integer", "D"), ("integer", 0), ("year", "MS")],
)
def test_axis_with_a_wrong_frequency_is_refused(kind: str, frequency: str | int) -> None:
    with pytest.raises(ValueError, match="frequency"):
        TimeAxis.from_dict({"kind": kind, "frequency": frequency, "timezone": None})


@pytest.mark.parametrize("timezone", ["Mars", "+1", 5])
def test_timezone_that_is_no_offset_is_refused(timezone: str) -> None:
    with pytest.raises(ValueError, match="timezone"):
        TimeAxis("datetime", "h", timezone)


def test_timezone_on_years_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone"):
        TimeAxis("year", "YS", "UTC")


@pytest.mark.parametrize(
    ("frequency", "first", "ahead"),
    [
        ("MS-15", "2024-01-15", ["2024-02-15", "2024-03-15"]),
        ("3MS-15", "2024-01-15", ["2024-04-15", "2024-07-15"]),
        ("MS-30", "2024-01-30", ["2024-02-29", "2024-03-30"]),
        ("MS-1-15", "2024-01-15", ["2024-02-01", "2024-02-15"]),
        ("MS-15-31", "2024-02-15", ["2024-02-29", "2024-03-15"]),
    ],
)
def test_steps_by_days_of_the_month_follow_the_calendar(frequency: str, first: str, ahead: list[str]) -> None:
    axis = TimeAxis("datetime", frequency)
    future = axis.future(int(micros([first])[0]), 2)
    assert axis.format(future) == ahead
    assert axis.step.fits(future).all()
    assert np.diff(axis.phase(np.append(micros([first]), future))).tolist() == [1, 1]


@pytest.mark.parametrize("frequency", ["MS-0", "MS-32", "MS-15-1", "2MS-1-15", "MS-1-30-31", "D-15", "QS-15"])
def test_days_of_the_month_that_make_no_steps_are_refused(frequency: str) -> None:
    with pytest.raises(ValueError, match="not a frequency"):
        TimeAxis("datetime", frequency)
