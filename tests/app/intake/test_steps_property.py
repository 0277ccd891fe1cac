"""Whatever becomes of times, an accepted file keeps its values at its times, but for what is named."""

import contextlib
from datetime import date, timedelta

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import AppError
from app.intake.frame import Intake
from app.intake.options import ReadOptions
from app.intake.reader import read_csv
from tests.app.intake.uploads import times
from tests.factories import EACH

quick = settings(
    max_examples=50 * EACH,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
OPTIONS = ReadOptions(time_column="ds", target_column="y")
FREQUENCIES = ("D", "B", "W-MON", "2W-FRI", "MS", "ME", "BME", "QS", "QE-NOV", "YS", "YE", "4W-SUN", "SMS")
FORMATS = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%Y%m%d",
    "%d-%b-%Y",
    "%d %B %Y",
    "%Y%j",
    "%G-W%V-%u",
    "%d/%m/%Y",
    "%d/%m/%y",
)
EPOCH = date(1970, 1, 1)


def text_of(day: date, form: str) -> str:
    if form == "excel":
        return str((day - EPOCH).days + 25_569)
    if form == "epoch_s":
        return str((day - EPOCH).days * 86_400)
    return day.strftime(form)


@st.composite
def days(draw: st.DrawFn) -> list[date]:
    """Days of a calendar, a few of which are shifted, left out or mistyped."""
    start = draw(st.dates(date(1990, 1, 1), date(2015, 1, 1)))
    count = draw(st.integers(3, 60))
    found = [
        stamp.date() for stamp in pd.date_range(start, periods=count, freq=draw(st.sampled_from(FREQUENCIES)))
    ]
    for at in draw(st.lists(st.integers(0, count - 1), max_size=3)):
        found[at] += timedelta(days=draw(st.sampled_from([-1, 1, 2, -3, 5, 11, 365, 2192])))
    return draw(st.permutations([day for i, day in enumerate(found) if i % 7 != draw(st.integers(0, 30))]))


def accepted(texts: list[str]) -> Intake | None:
    lines = ["ds,y", *(f"{text},{i + 1}" for i, text in enumerate(texts))]
    with contextlib.suppress(AppError):
        return read_csv("\n".join(lines).encode(), OPTIONS)
    return None


@quick
@given(days(), st.sampled_from([*FORMATS, "excel", "epoch_s"]))
def test_accepted_values_stand_at_their_times_or_are_named(file: list[date], form: str) -> None:
    intake = accepted([text_of(day, form) for day in file])
    if intake is None:
        return
    named = {repair.row for repair in intake.profile.repairs if repair.row is not None}
    read = {value: time for time, value in zip(times(intake), intake.frame.y.tolist(), strict=True)}
    kept = [i + 1 for i in range(len(file)) if i + 2 not in named]
    assert set(kept) <= set(read)
    moved = {i: read[i] for i in kept if str(read[i])[:10] != str(file[i - 1])}
    assert not moved or intake.profile.detected.notes
    order = sorted(kept, key=lambda i: file[i - 1])
    assert [i for i in read if i in set(kept)] == order or any(
        "day-first" in note or "month-first" in note for note in intake.profile.detected.notes
    )


@quick
@given(days(), st.sampled_from(FORMATS), st.data())
def test_mutated_times_are_answered(file: list[date], form: str, data: st.DataObject) -> None:
    lines = ["ds,y", *(f"{text_of(day, form)},{i}" for i, day in enumerate(file))]
    content = bytearray("\n".join(lines).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(len(content) // 2, len(content)))
    with contextlib.suppress(AppError):
        read_csv(bytes(content[:end]), OPTIONS)
        read_csv(bytes(content[:end]), ReadOptions())
