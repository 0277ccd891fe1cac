"""Times and steps as people have them: what each small file becomes, or why it is refused.

The files are made here, after situations in public complaints.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
import pytest

from app.errors import BadInput
from app.intake.frame import Intake
from app.intake.time.dates import Hints
from app.intake.time.times import read_times
from tests.app.intake.uploads import made, times, upload

Texts = Sequence[str]


def changed(texts: list[str], **rows: str) -> list[str]:
    """The texts with some replaced; `r55` is row 55 of the file, whose header is row 1."""
    for row, text in rows.items():
        texts[int(row[1:]) - 2] = text
    return texts


def read(texts: Texts, **options: str | int) -> Intake:
    lines = (f'"{text}",{i % 7 + 1}' for i, text in enumerate(texts))
    return upload("ds,y", *lines, **{"time_column": "ds", **options})


def quarters(form: str, first: int = 2015, count: int = 32) -> list[str]:
    return [form.format(y=first + i // 4, yy=(first + i // 4) % 100, q=i % 4 + 1) for i in range(count)]


def weeks(form: str, count: int = 209) -> list[str]:
    """ISO weeks from 2019 on; 2020 has 53."""
    days = (date(2018, 12, 31) + timedelta(weeks=i) for i in range(count))
    return [form.format(y=day.isocalendar()[0], w=day.isocalendar()[1]) for day in days]


def retail_periods(first: date, lengths: Sequence[int], count: int) -> list[str]:
    """First days of periods whose lengths in weeks repeat."""
    days = [first]
    for i in range(count - 1):
        days.append(days[-1] + timedelta(weeks=lengths[i % len(lengths)]))
    return [str(day) for day in days]


@dataclass(frozen=True)
class Case:
    """Times of a file, and what they become."""

    texts: list[str]
    frequency: str
    steps: int
    first: str | int
    last: str | int
    seasons: tuple[int, ...] = (12,)
    moved: tuple[int, ...] = ()  # rows
    note: str = ""  # in one of the notes; none where it is empty
    gaps: int = 0
    options: dict[str, str | int] = field(default_factory=dict)


WEEK = "W-MON"
EPOCH = 1_690_848_000  # 2023-08-01
YEAR_DAYS = ["2021" + f"{day:03}" for day in range(1, 366)] + ["2022" + f"{day:03}" for day in range(1, 136)]
TWO_DIGITS = [f"1/{month}/{year}" for year in range(66, 72) for month in range(1, 13)]
HOURS = [f"{day:02}.02.2023 {hour:02}:00" for day in range(1, 29) for hour in range(1, 25)]
FIRST_TEN = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober")
GERMAN = (*FIRST_TEN, "November", "Dezember")
LAST_TRADING = changed(made("2016-01-01", 72, "BME"), r28="2018-03-29", r66="2021-05-28")
LOCAL_DAYS = [f"{day}T00:00:00+0{1 + (day[5:7] > '03')}:00" for day in made("2022-03-01", 60, "D")]

CASES = {
    "weekly, two moved by a holiday": Case(
        changed(made("2020-01-06", 156, WEEK), r55="2021-01-12", r107="2022-01-11"),
        *(WEEK, 156, "2020-01-06", "2022-12-26", (52,), (55, 107)),
    ),
    "year and week as a number": Case(
        weeks("{y}{w:02}"), WEEK, 209, "2018-12-31", "2022-12-26", (52,), note="ISO weeks"
    ),
    "ISO weeks": Case(weeks("{y}-W{w:02}"), WEEK, 209, "2018-12-31", "2022-12-26", (52,)),
    "ISO weeks by their Sundays": Case(
        *(weeks("{y}-W{w:02}", 60), "W-SUN", 60, "2019-01-06", "2020-02-23", (52,)),
        options={"frequency": "W-SUN"},
    ),
    "two-digit years of the past": Case(
        made("1949-01-01", 144, "MS", "%b-%y"), "MS", 144, "1949-01-01", "1960-12-01", note="1949 to 1960"
    ),
    "two-digit years across 1969": Case(
        TWO_DIGITS, "MS", 72, "1966-01-01", "1971-12-01", note="1966 to 1971"
    ),
    "two-digit years across 2000": Case(
        made("1998-01-01", 48, "MS", "%b-%y"), "MS", 48, "1998-01-01", "2001-12-01", note="1998 to 2001"
    ),
    "epoch seconds": Case(
        [str(EPOCH + 3600 * i) for i in range(672)],
        *("h", 672, "2023-08-01T00:00:00Z", "2023-08-28T23:00:00Z", (24, 168)),
        note="seconds since 1970, in UTC",
    ),
    "epoch milliseconds": Case(
        [str((EPOCH + 3600 * i) * 1000) for i in range(840)],
        *("h", 840, "2023-08-01T00:00:00Z", "2023-09-04T23:00:00Z", (24, 168)),
        note="milliseconds since 1970, in UTC",
    ),
    "epoch nanoseconds": Case(
        [str((EPOCH + 86_400 * i) * 10**9) for i in range(30)],
        *("D", 30, "2023-08-01", "2023-08-30", (7, 365)),
        note="nanoseconds",
    ),
    "days of a spreadsheet": Case(
        [str(44562 + i) for i in range(180)],
        "D",
        180,
        "2022-01-01",
        "2022-06-29",
        (7, 365),
        note="spreadsheet",
    ),
    "year and day": Case(YEAR_DAYS, "D", 500, "2021-01-01", "2022-05-15", (7, 365), note="day of the year"),
    "year to hour as a number": Case(
        [f"202301{day:02}{hour:02}" for day in range(1, 31) for hour in range(24)],
        *("h", 720, "2023-01-01T00:00:00", "2023-01-30T23:00:00", (24, 168)),
        note="%Y%m%d%H",
    ),
    "year and quarter as a number": Case(
        quarters("{y}{q}"), "QS-OCT", 32, "2015-01-01", "2022-10-01", (4,), note="quarters"
    ),
    "decimal years at the middle of months": Case(
        [f"{1990 + (i + 0.5) / 12:.4f}" for i in range(120)],
        *("MS", 120, "1990-01-01", "1999-12-01"),
        note="decimals",
    ),
    "decimal years at the beginning of months": Case(
        [f"{1949 + i / 12:.3f}" for i in range(144)], "MS", 144, "1949-01-01", "1960-12-01", note="decimals"
    ),
    "year and month with a point, its last 0 lost": Case(
        [f"{2019 + i // 12}.{i % 12 + 1:02}".removesuffix("0") for i in range(36)],
        *("MS", 36, "2019-01-01", "2021-12-01"),
    ),
    "fiscal quarters": Case(
        quarters("Q{q} FY{yy:02}"), "QS-OCT", 32, "2015-01-01", "2022-10-01", (4,), note="fiscal year"
    ),
    "1Q15": Case(
        quarters("{q}Q{yy:02}"), "QS-OCT", 32, "2015-01-01", "2022-10-01", (4,), note="2015 to 2022"
    ),
    "quarters ending in November": Case(
        made("2015-02-01", 32, "QE-NOV"), "QE-NOV", 32, "2015-02-28", "2022-11-30", (4,)
    ),
    "German months": Case(
        [f"{GERMAN[i % 12]} {2019 + i // 12}" for i in range(48)], "MS", 48, "2019-01-01", "2022-12-01"
    ),
    "24:00": Case(HOURS, "h", 672, "2023-02-01T01:00:00", "2023-03-01T00:00:00", (24, 168)),
    "24:00 in ISO 8601": Case(
        [f"2023-02-{day:02} {hour:02}:00" for day in range(1, 29) for hour in range(1, 25)],
        *("h", 672, "2023-02-01T01:00:00", "2023-03-01T00:00:00", (24, 168)),
    ),
    "local midnights": Case(
        LOCAL_DAYS, "D", 60, "2022-03-01", "2022-04-29", (7, 365), note="midnight by their own offset"
    ),
    "hours at one offset from UTC": Case(
        [f"2022-03-{20 + i // 24}T{i % 24:02}:00:00+05:30" for i in range(96)],
        *("h", 96, "2022-03-20T00:00:00+05:30", "2022-03-23T23:00:00+05:30", (24, 168)),
    ),
    "hours at changing offsets": Case(
        [f"2022-03-{26 + i // 24}T{i % 24:02}:00:00+0{1 + (i > 25)}:00" for i in range(96) if i != 26],
        *("h", 95, "2022-03-25T23:00:00Z", "2022-03-29T21:00:00Z", (24, 168)),
        note="kept in UTC",
    ),
    "half-hours": Case(
        made("2023-01-02", 2688, "30min", "%Y-%m-%d %H:%M:%S"),
        *("30min", 2688, "2023-01-02T00:00:00", "2023-02-26T23:30:00", (48, 336)),
    ),
    "4-5-4 periods by their first day": Case(
        retail_periods(date(2018, 2, 4), (4, 5, 4), 60),
        "MS",
        60,
        "2018-02-01",
        "2023-01-01",
        note="in each month",
    ),
    "13 periods a year": Case(
        retail_periods(date(2018, 2, 4), (4,), 65), "4W-SUN", 65, "2018-02-04", "2023-01-01", (13,)
    ),
    "bills on the 15th": Case(
        [f"{2018 + i // 12}-{i % 12 + 1:02}-15" for i in range(60)], "MS-15", 60, "2018-01-15", "2022-12-15"
    ),
    "bills about the 15th": Case(
        [f"{2018 + i // 12}-{i % 12 + 1:02}-{13 + i * i % 5}" for i in range(60)],
        *("MS", 60, "2018-01-01", "2022-12-01"),
        note="one in each month",
    ),
    "last trading days": Case(LAST_TRADING, "BME", 72, "2016-01-29", "2021-12-31", moved=(28, 66)),
    "28 February in a leap year": Case(
        changed(made("2018-01-01", 60, "ME"), r27="2020-02-28"),
        "ME",
        60,
        "2018-01-31",
        "2022-12-31",
        moved=(27,),
    ),
    "one wrong day": Case(
        changed(made("2018-01-01", 60, "MS"), r42="2021-05-02"),
        "MS",
        60,
        "2018-01-01",
        "2022-12-01",
        moved=(42,),
    ),
    "four a month": Case(
        [f"{2019 + i // 12}-{i % 12 + 1:02}-{day:02}" for i in range(48) for day in (1, 8, 15, 22)],
        *("MS-1-8-15-22", 192, "2019-01-01", "2022-12-22", (48,)),
    ),
    "paid on the 15th and the last": Case(
        sorted({*made("2020-01-01", 24, "ME"), *(f"{d[:8]}15" for d in made("2020-01-01", 24, "MS"))}),
        *("MS-15-31", 48, "2020-01-15", "2021-12-31", (24,)),
    ),
    "minutes past the hour": Case(
        changed(made("2023-01-02", 100, "h", "%Y-%m-%d %H:%M"), r50="2023-01-04 00:03"),
        *("h", 100, "2023-01-02T00:00:00", "2023-01-06T03:00:00", (24, 168), (50,)),
    ),
    "months of the IMF": Case(
        [f"{2019 + i // 12}M{i % 12 + 1:02}" for i in range(48)], "MS", 48, "2019-01-01", "2022-12-01"
    ),
    "dates with their weekday, as a report writes them": Case(
        made("2023-01-02", 60, "D", "%A, %B %d, %Y"), "D", 60, "2023-01-02", "2023-03-02", (7, 365)
    ),
    "dates with their weekday behind": Case(
        made("2023-01-02", 60, "D", "%d/%m/%Y (%a)"), "D", 60, "2023-01-02", "2023-03-02", (7, 365)
    ),
    "weeks by their beginning in words": Case(
        made("2023-01-02", 60, WEEK, "Week of %Y-%m-%d"), WEEK, 60, "2023-01-02", "2024-02-19", (52,)
    ),
    "weeks from Monday to Sunday": Case(
        [f"{day} - {date.fromisoformat(day) + timedelta(days=6)}" for day in made("2023-01-02", 60, WEEK)],
        *(WEEK, 60, "2023-01-02", "2024-02-19", (52,)),
        note="counts for its beginning",
    ),
    "market time units, each with its end": Case(
        [f"{start} - {end}" for start, end in pairwise(made("2023-01-02", 201, "h", "%d.%m.%Y %H:%M"))],
        *("h", 200, "2023-01-02T00:00:00", "2023-01-10T07:00:00", (24, 168)),
        note="counts for its beginning",
    ),
    "school years": Case(
        [f"{2000 + i}/{(i + 1) % 100:02}" for i in range(12)], "YS", 12, 2000, 2011, (), note="2019/20"
    ),
    "seasons over the turn of the year": Case(
        [f"{1990 + i}-{1991 + i}" for i in range(20)], "YS", 20, 1990, 2009, (), note="2019/20"
    ),
    "a value a day at whatever time it was taken": Case(
        [f"{day} 0{6 + i * 7 % 3}:{i * 37 % 60:02}" for i, day in enumerate(made("2023-01-01", 90, "D"))],
        *("D", 90, "2023-01-01", "2023-03-31", (7, 365)),
        note="one in each day",
    ),
    "quarters of an hour with some seconds to and fro": Case(
        [
            str(time + pd.Timedelta(seconds=i * 7919 % 41 - 20))
            for i, time in enumerate(pd.date_range("2023-01-02", periods=300, freq="15min"))
        ],
        *("15min", 300, "2023-01-02T00:00:00", "2023-01-05T02:45:00", (96, 672)),
        note="one in each quarter of an hour",
    ),
    "few sales": Case(
        [made("2022-01-01", 365, "D")[i * i % 365] for i in range(60)],
        *("D", 0, "2022-01-01", "", (7, 365)),
        note="say missing=zero",
        gaps=-1,
    ),
    "a yearly course of days": Case(
        made("2019-01-01", 1470, "D"), "D", 1470, "2019-01-01", "2023-01-09", (7, 365)
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_times_become_what_they_are(case: Case) -> None:
    intake = read(list(dict.fromkeys(case.texts)), **case.options)
    profile, seen = intake.profile, times(intake)
    assert profile.frequency == case.frequency
    assert tuple(season.length for season in profile.seasons) == case.seasons
    assert tuple(repair.row for repair in profile.repairs if repair.kind == "moved") == case.moved
    if case.gaps == 0:
        assert (len(seen), profile.gaps, seen[0], seen[-1]) == (case.steps, 0, case.first, case.last)
    notes = [note for note in profile.detected.notes if "in the future" not in note]
    assert bool(notes) == bool(case.note)
    assert any(case.note in note for note in notes) or not case.note


@pytest.mark.parametrize(("frequency", "kind"), [("YS", "year"), (1, "integer")])
def test_school_years_take_the_frequency_that_is_said(frequency: str | int, kind: str) -> None:
    texts = [f"{2000 + i}/{(i + 1) % 100:02}" for i in range(12)]
    assert read(texts, frequency=frequency).frame.axis.kind == kind
    with pytest.raises(BadInput, match="'MS' is not yearly"):
        read(texts, frequency="MS")


def test_moved_row_says_where_it_counts() -> None:
    intake = read(changed(made("2020-01-06", 60, WEEK), r55="2021-01-12"))
    (repair,) = intake.profile.repairs
    assert repair.detail == "2021-01-12 is not on a step of 'W-MON' and counts for 2021-01-11"


HOURLY = [str(EPOCH + i) for i in range(50)]
REFUSED: dict[str, tuple[list[str], str, list[str]]] = {
    "a mistyped year": (
        changed(made("2022-01-01", 420, "D"), r302="2028-10-28"),
        "as a mistyped year does.*row 302",
        ["#row=302"],
    ),
    "a mistyped year of the past": (
        changed(made("2022-01-01", 420, "D"), r302="1922-10-28"),
        "frequency=D if they are right",
        ["#row=302"],
    ),
    "a month that is far from its step": (
        changed(made("2018-01-01", 60, "MS"), r42="2021-05-17"),
        "Nearly all rows take steps of 'MS'.*row 42",
        ["#row=42"],
    ),
    "a row whose step is taken": (
        changed(made("2020-01-06", 60, WEEK), r55="2021-01-05"),
        "nor is a free step near them",
        ["#row=55"],
    ),
    "seconds or numbers": (HOURLY, "date_format=epoch_s or date_format=integer", ["#/date_format"]),
    "hours at no regular times": (
        [f"2024-0{1 + i % 4}-{i * i % 27 + 1:02} {i * 5 % 24:02}:{i * 7 % 60:02}" for i in range(24)],
        "no regular step",
        ["#/frequency"],
    ),
    "an unknown day": (changed(made("2020-01-01", 40, "D"), r9="2020-02-30"), "row 9", ["#row=9"]),
    "week 53 of a year of 52": ([*weeks("{y}-W{w:02}", 52), "2019-W53"], "row 54", ["#row=54"]),
}


@pytest.mark.parametrize(("texts", "message", "pointers"), REFUSED.values(), ids=REFUSED.keys())
def test_times_in_doubt_are_refused_with_the_mend(
    texts: list[str], message: str, pointers: list[str]
) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        read(texts)
    assert [error.pointer for error in caught.value.errors] == pointers


def test_series_of_another_step_is_named() -> None:
    daily = (f"daily,{day},1" for day in made("2023-01-01", 140, "D"))
    weekly = (f"weekly,{day},1" for day in made("2023-01-02", 20, WEEK))
    with pytest.raises(BadInput, match=r"'weekly' take other steps \(W-MON\) than the rest \(D\)"):
        upload("unique_id,ds,y", *daily, *weekly)


def test_series_of_another_step_is_taken_at_the_frequency_that_is_said() -> None:
    daily = [f"daily,{day},1" for day in made("2023-01-01", 14, "D")]
    weekly = [f"weekly,{day},1" for day in made("2023-01-02", 8, WEEK)]
    assert upload("unique_id,ds,y", *daily, *weekly, frequency="D").profile.gaps == 42


def test_series_that_ends_early_is_kept() -> None:
    months = made("2018-01-01", 60, "MS")
    rows = [*(f"live,{day},1" for day in months), *(f"dead,{day},1" for day in months[:30])]
    assert upload("unique_id,ds,y", *rows).profile.shortest == 30


def local_hours(start: str, end: str, zone: str) -> list[str]:
    return list(pd.date_range(start, end, freq="h", tz=zone).strftime("%Y-%m-%d %H:%M"))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Chicago", "Europe/Lisbon"])
def test_hour_that_clocks_repeat_counts_once_and_the_one_left_out_is_a_gap(zone: str) -> None:
    intake = read(local_hours("2022-03-01", "2022-11-15", zone))
    assert (intake.profile.frequency, intake.profile.gaps) == ("h", 1)
    assert "clocks were put back" in intake.profile.detected.notes[0]
    assert [repair.kind for repair in intake.profile.repairs] == ["duplicate", "gap"]


def test_hour_that_no_clock_repeats_is_a_question() -> None:
    texts = local_hours("2022-09-01", "2022-09-20", "UTC")
    with pytest.raises(BadInput, match="Say by duplicates"):
        read([*texts, texts[30]])


def test_single_row_refuses_no_other_series() -> None:
    rows = [f"S{i},{month},1" for i in range(50) for month in made("2022-01-01", 24, "MS", "%Y-%m")]
    profile = upload("unique_id,ds,y", *rows, "NEW,2023-12,3").profile
    assert (profile.series, profile.frequency) == (51, "MS")
    assert "single value" in profile.detected.notes[-1]
    assert "'NEW'" in profile.detected.notes[-1]


def test_values_in_the_future_are_noted() -> None:
    texts = [str(year) for year in range(2290, 2300)]
    assert read(texts).profile.detected.notes == ["10 values lie in the future, from 2290 on."]


@pytest.mark.parametrize(
    ("date_format", "first"),
    [("integer", 202101), ("%Y%m", "2021-01-01"), ("%G%V", "2021-01-04")],
)
def test_date_format_settles_what_numbers_are(date_format: str, first: str | int) -> None:
    texts = [f"2021{part:02}" for part in range(1, 13)]
    assert times(read(texts, date_format=date_format))[0] == first


@pytest.mark.parametrize(
    ("date_format", "text", "read_as"),
    [
        ("%A %d %b %Y", "Monday 02 Jan 2023", "2023-01-02"),
        ("%m/%d/%Y %I:%M %p", "01/02/2023 01:30 PM", "2023-01-02T13:30:00"),
        ("%d.%m.%Y", "02.01.2023", "2023-01-02"),
        ("Q%q %Y", "Q3 2023", "2023-07-01"),
        ("excel", "44928", "2023-01-02"),
    ],
)
def test_date_format_is_that_of_strptime_or_of_the_profile(date_format: str, text: str, read_as: str) -> None:
    texts = pd.Series([text])
    found = read_times(texts, Hints(date_format=date_format))
    assert str(found.ordinals.astype("M8[us]")[0])[: len(read_as)] == read_as


@pytest.mark.parametrize("date_format", ["%Q", "%H", "%d.%m."])
def test_unknown_date_format_is_refused(date_format: str) -> None:
    with pytest.raises(BadInput, match=f"date_format '{date_format}' is not known"):
        read(made("2023-01-01", 5, "D"), date_format=date_format)


def test_sales_beside_numbered_rows_are_no_days_of_a_spreadsheet() -> None:
    lines = (f"{i},{30_000 + i * i % 97 * 37.5}" for i in range(1, 60))
    assert upload("n,sales", *lines).profile.detected.time_column == "n"


@pytest.mark.parametrize(
    "name",
    ["März", "mars", "Mrz", "mrt", "marzo", "março", "maart", "MAR", "févr.", "Dez", "août", "ene", "lug"],
)
def test_month_names_of_many_languages_are_known(name: str) -> None:
    found = read_times(pd.Series([f"{name} 2023"]), Hints())
    assert found.readable.all()
