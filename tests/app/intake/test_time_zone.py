"""With `time_zone` local times are kept in it: hours as instants, days by the clock, written with offsets."""

import pandas as pd
import pytest

from app.errors import BadInput
from app.intake.frame import Intake
from tests.app.intake.uploads import times, upload

BERLIN = "Europe/Berlin"
LOCAL = "%Y-%m-%d %H:%M"


def year(freq: str, zone: str = BERLIN) -> pd.DatetimeIndex:
    """Times from spring to autumn: steps of up to an hour as instants, others by the clock."""
    if freq in {"h", "30min"}:
        return pd.date_range("2022-03-01", "2022-11-15", freq=freq, tz=zone)
    return pd.date_range("2022-03-01", "2022-11-15", freq=freq).tz_localize(zone)


def read(texts: list[str], **options: str) -> Intake:
    lines = (f'"{text}",{i}' for i, text in enumerate(texts))
    return upload("ds,y", *lines, **{"time_column": "ds", "time_zone": BERLIN, **options})


@pytest.mark.parametrize("form", [LOCAL, "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S%z"])
@pytest.mark.parametrize("freq", ["h", "30min", "6h", "D", "W-MON"])
@pytest.mark.parametrize("zone", [BERLIN, "America/Chicago"])
def test_times_of_a_zone_are_unbroken_and_written_with_their_offset(form: str, freq: str, zone: str) -> None:
    wanted = year(freq, zone)
    intake = read(list(wanted.strftime(form)), time_zone=zone)
    is_date = freq in {"D", "W-MON"}
    texts = [str(time.date()) if is_date else time.isoformat() for time in wanted]
    assert times(intake) == texts
    assert (intake.profile.frequency, intake.profile.gaps, intake.profile.repairs) == (freq, 0, [])
    assert intake.profile.detected.notes == []
    assert intake.profile.detected.options["time_zone"] == zone
    assert intake.frame.axis.ordinals(texts).tolist() == intake.frame.ds.tolist()


def test_hour_that_comes_twice_is_two_steps_in_the_order_of_the_file() -> None:
    local = list(year("h").strftime(LOCAL))
    first = local.index("2022-10-30 02:00")
    last = len(local) - 1 - first
    for texts, values in ((local, [first, first + 1]), (local[::-1], [last, last - 1])):
        intake = read(texts)
        at = times(intake).index("2022-10-30T02:00:00+02:00")
        assert times(intake)[at + 1] == "2022-10-30T02:00:00+01:00"
        assert intake.frame.y[at : at + 2].tolist() == values


def test_each_series_has_its_own_repeated_hour() -> None:
    local = list(year("h").strftime(LOCAL))
    rows = [f"{name},{text},1" for text in local for name in "ab"]
    profile = upload("id,ds,y", *rows, time_zone=BERLIN).profile
    assert (profile.series, profile.gaps, profile.observations) == (2, 0, 2 * len(local))


def test_third_row_at_a_time_that_comes_twice_is_a_question() -> None:
    with pytest.raises(BadInput, match="duplicates"):
        read([*year("h").strftime(LOCAL), "2022-10-30 02:00"])


def test_hour_that_never_came_is_left_out_where_it_is_empty_and_refused_where_it_is_not() -> None:
    rows = [f"{text},1" for text in year("h").strftime(LOCAL)]
    assert upload("ds,y", *rows, "2022-03-27 02:00,", time_zone=BERLIN).profile.gaps == 0
    with pytest.raises(BadInput, match="some times do not exist") as caught:
        upload("ds,y", *rows, "2022-03-27 02:00,3", time_zone=BERLIN)
    assert [error.pointer for error in caught.value.errors] == [f"#row={len(rows) + 2}"]


def test_times_of_utc_are_days_where_they_are_local_midnights() -> None:
    texts = [time.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ") for time in year("D")]
    assert times(read(texts))[-1] == "2022-11-15"
    assert read(texts).profile.frequency == "D"


def test_epochs_are_answered_in_the_zone() -> None:
    assert times(read([str(1_690_848_000 + 3600 * i) for i in range(48)]))[0] == "2023-08-01T02:00:00+02:00"


def test_seasons_are_counted_by_the_clock_of_winter() -> None:
    axis = read(list(year("h").strftime(LOCAL))).frame.axis
    winter_and_summer = axis.ordinals(["2022-12-01T08:00:00+01:00", "2022-07-01T08:00:00+02:00"])
    assert (axis.phase(winter_and_summer) % 24).tolist() == [8, 7]


@pytest.mark.parametrize("texts", [["1", "2", "3"], ["2001", "2002", "2003"]])
def test_zone_of_numbers_is_refused(texts: list[str]) -> None:
    with pytest.raises(BadInput, match="time_zone is for dates"):
        read(texts)


def test_local_time_in_utc_is_kept_as_it_is() -> None:
    assert times(read(["2022-03-27 02:00", "2022-03-27 03:00"], time_zone="UTC"))[0] == "2022-03-27T02:00:00Z"


def test_times_that_may_be_of_the_clock_or_instants_ask_for_the_frequency() -> None:
    texts = [f"2022-06-{day:02} {hour:02}:00" for day in range(1, 29) for hour in (0, 3, 6, 7, 10, 13)]
    with pytest.raises(BadInput, match="Say by frequency") as caught:
        read(texts)
    assert caught.value.errors[0].pointer == "#/frequency"
    assert read(texts, frequency="h").profile.frequency == "h"


def test_day_whose_midnight_never_came_stays_a_day() -> None:
    days = [str(day.date()) for day in pd.date_range("2018-10-28", periods=14)]  # 4 November began at 1:00
    intake = read(days, time_zone="America/Sao_Paulo")
    frame = intake.frame.in_zone_of(intake.frame.axis)
    assert frame.axis.format(frame.ds) == days
