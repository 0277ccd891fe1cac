"""Times in all notations, and the frequency they have."""

import pytest

from app.errors import BadInput
from app.intake.frame import Intake
from tests.app.intake.uploads import times, upload


def dated(*texts: str, frequency: str | int | None = None) -> Intake:
    lines = (f'"{text}",{i}' for i, text in enumerate(texts))
    return upload("ds,y", *lines, **({} if frequency is None else {"frequency": frequency}))


@pytest.mark.parametrize(
    ("texts", "read", "frequency"),
    [
        (["2024-01-31", "2024-02-01", "2024-02-02"], ["2024-01-31", "2024-02-01", "2024-02-02"], "D"),
        (["2024/01/31", "2024/02/01"], ["2024-01-31", "2024-02-01"], "D"),
        (["31.01.2024", "01.02.2024"], ["2024-01-31", "2024-02-01"], "D"),
        (["1/13/2024", "1/14/2024"], ["2024-01-13", "2024-01-14"], "D"),
        (["13/1/2024", "14/1/2024"], ["2024-01-13", "2024-01-14"], "D"),
        (["13-01-24", "14-01-24"], ["2024-01-13", "2024-01-14"], "D"),
        (["31 Jan 2024", "1 Feb 2024"], ["2024-01-31", "2024-02-01"], "D"),
        (["January 31, 2024", "February 1, 2024"], ["2024-01-31", "2024-02-01"], "D"),
        (["20240131", "20240201"], ["2024-01-31", "2024-02-01"], "D"),
        (["202401", "202402"], ["2024-01-01", "2024-02-01"], "MS"),
        (["2024-01", "2024-02"], ["2024-01-01", "2024-02-01"], "MS"),
        (["2024M1", "2024M2"], ["2024-01-01", "2024-02-01"], "MS"),
        (["Jan 2024", "Feb 2024"], ["2024-01-01", "2024-02-01"], "MS"),
        (["2024-01-31", "2024-02-29", "2024-03-31"], ["2024-01-31", "2024-02-29", "2024-03-31"], "ME"),
        (["2024Q1", "2024Q2"], ["2024-01-01", "2024-04-01"], "QS-OCT"),
        (["Q1 2024", "Q2 2024"], ["2024-01-01", "2024-04-01"], "QS-OCT"),
        (["2022-01-01", "2023-01-01"], ["2022-01-01", "2023-01-01"], "YS-JAN"),
        (["1960", "1961"], [1960, 1961], "YS"),
        (["1960.0", "1970.0"], [1960, 1970], "10YS"),
        (["1", "2"], [1, 2], 1),
        (["-10", "0"], [-10, 0], 10),
        (["2024-01-01 10:00", "2024-01-01 10:15"], ["2024-01-01T10:00:00", "2024-01-01T10:15:00"], "15min"),
        (["1/31/2024 11:00 PM", "2/1/2024 12:00 AM"], ["2024-01-31T23:00:00", "2024-02-01T00:00:00"], "h"),
        (["2024-01-01T10:00Z", "2024-01-01T11:00Z"], ["2024-01-01T10:00:00Z", "2024-01-01T11:00:00Z"], "h"),
        (
            ["2024-01-01 10:00:00 UTC", "2024-01-01 11:00:00 UTC"],
            ["2024-01-01T10:00:00Z", "2024-01-01T11:00:00Z"],
            "h",
        ),
        (
            ["2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00"],
            ["2024-03-31T00:00:00Z", "2024-03-31T01:00:00Z"],
            "h",
        ),
        (["2024-01-04", "2024-01-05", "2024-01-08"], ["2024-01-04", "2024-01-05", "2024-01-08"], "B"),
        (["2024-01-07", "2024-01-14"], ["2024-01-07", "2024-01-14"], "W-SUN"),
    ],
)
def test_writing_is_understood(texts: list[str], read: list[str | int], frequency: str | int) -> None:
    intake = dated(*texts)
    assert times(intake) == read
    assert intake.profile.frequency == frequency


@pytest.mark.parametrize(
    ("texts", "frequency", "read", "canonical"),
    [
        (["1960", "1961"], 1, [1960, 1961], 1),
        (["1960", "1961"], "1", [1960, 1961], 1),
        (["1960", "1961"], "A", [1960, 1961], "YS"),
        (["2024-01", "2024-02"], "M", ["2024-01-31", "2024-02-29"], "ME"),
        (["2024Q1", "2024Q2"], "Q", ["2024-03-31", "2024-06-30"], "QE-DEC"),
        (["2024-01-01", "2024-01-08"], "W", ["2024-01-01", "2024-01-08"], "W-MON"),
        (["2024-01-01", "2024-01-02"], "24H", ["2024-01-01", "2024-01-02"], "D"),
    ],
)
def test_frequency_given_is_obeyed(
    texts: list[str], frequency: str | int, read: list[str | int], canonical: str | int
) -> None:
    intake = dated(*texts, frequency=frequency)
    assert times(intake) == read
    assert intake.profile.frequency == canonical


def test_day_first_is_chosen_when_only_it_is_regular() -> None:
    intake = dated(*(f"01/{month:02}/{year}" for year in (2022, 2023) for month in range(1, 13)))
    assert intake.profile.frequency == "MS"
    assert "day-first" in intake.profile.detected.notes[0]


def test_month_first_is_chosen_when_only_it_is_regular() -> None:
    intake = dated(*(f"{month:02}/01/{year}" for year in (2022, 2023) for month in range(1, 13)))
    assert intake.profile.frequency == "MS"
    assert intake.profile.detected.date_format == "%m/%d/%Y"


def test_dates_that_fit_both_ways_are_refused() -> None:
    with pytest.raises(BadInput, match=r"day-first .* month-first .* ISO 8601"):
        dated("01/02/2024", "01/03/2024", "01/04/2024")


def test_frequency_given_settles_day_or_month_first() -> None:
    assert times(dated("01/02/2024", "01/03/2024", "01/04/2024", frequency="MS"))[0] == "2024-02-01"


def test_gaps_do_not_hide_the_frequency() -> None:
    days = [day for day in range(1, 29) if day % 3]
    assert dated(*(f"2024-02-{day:02}" for day in days)).profile.frequency == "D"


def test_series_that_start_apart_share_a_frequency() -> None:
    intake = upload("unique_id,ds,y", "a,2024-01-15,1", "a,2024-01-22,2", "b,2024-06-03,1", "b,2024-06-10,2")
    assert intake.profile.frequency == "W-MON"


@pytest.mark.parametrize(
    ("texts", "frequency", "message"),
    [
        (["2024-01-01", "2024-01-02"], "fortnight", "'fortnight' is not known"),
        (["2024-01-01", "2024-01-02"], "0", "'0' is not known"),
        (["2024-01-01", "2024-01-02"], -3, "'-3' is not known"),
        (["2024-01-01", "2024-01-02"], "W-JAN", "'W-JAN' is not known"),
        (["2024-01-01", "2024-01-02"], 1, "not integers"),
        (["1", "2"], "D", "the times are integers"),
        (["1960", "1961"], "D", "the times are years"),
        (["2024-01-01", "2024-01-02"], "MS", "do not fit the frequency 'MS'"),
        (["2024-01-01", "2024-01-02T06:00"], "D", "do not fit the frequency 'D'"),
        (["2024-01-01T06:00", "2024-02-01T07:00"], "MS", "do not fit the frequency 'MS'"),
        (["2024-01-06", "2024-01-08"], "B", "do not fit the frequency 'B'"),
        (["1", "2"], 2, "do not fit the frequency 2"),
        (["1900-01-01", "2024-01-01"], "s", "Give a longer frequency"),
    ],
)
def test_frequency_that_cannot_be_is_refused(texts: list[str], frequency: str | int, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        dated(*texts, frequency=frequency)
    assert caught.value.errors


def test_irregular_times_are_refused_with_what_was_seen() -> None:
    stamps = ("2024-01-01 10:00:03", "2024-01-01 11:00:41", "2024-01-01 12:00:17", "2024-01-01 13:00:30")
    with pytest.raises(BadInput, match=r"no regular step.*2024-01-01T10:00:03.*frequency"):
        dated(*stamps)


def test_local_midnights_are_days_whatever_their_offset() -> None:
    intake = dated("2024-03-30T00:00+01:00", "2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00")
    assert times(intake) == ["2024-03-30", "2024-03-31", "2024-04-01"]
    assert "midnight by their own offset" in intake.profile.detected.notes[0]
