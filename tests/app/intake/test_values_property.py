"""An accepted table holds the values of its file at their times, but for what repairs and notes name."""

import contextlib
import csv
import io
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import AppError
from app.intake.frame import Intake
from app.intake.options import ReadOptions
from app.intake.reader import read_csv
from app.schemas.choices import Duplicates
from tests.factories import EACH

quick = settings(
    max_examples=40 * EACH,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def grouped(value: float, mark: str = ",") -> str:
    return f"{value:,.2f}".replace(",", "\0").replace(".", "," if mark == "." else ".").replace("\0", mark)


# How the values of a file are written, after they were rounded as the first format does.
WAYS: dict[str, tuple[str, Callable[[float], str]]] = {
    "plain": (".2f", lambda value: f"{value:.2f}"),
    "whole": (".0f", lambda value: f"{value:.0f}"),
    "shortest": (".17g", repr),
    "power": (".5e", lambda value: f"{value:.5e}"),
    "comma": (".2f", lambda value: f"{value:.2f}".replace(".", ",")),
    "thousands": (".2f", grouped),
    "points": (".2f", lambda value: grouped(value, ".")),
    "spaces": (".2f", lambda value: grouped(value, " ")),
    "three": (".3f", lambda value: f"{value:.3f}"),
    "brackets": (".2f", lambda value: f"({-value:.2f})" if value < 0 else f"{value:.2f}"),
    "behind": (".2f", lambda value: f"{-value:.2f}-" if value < 0 else f"{value:.2f}"),
    "percent": (".1f", lambda value: f"{value:.1f}%"),
}
NAMES = ("A", "b 2", "007", "NA", "x,y", 'say "so"', "Ünder")
STEPS = {
    "D": timedelta(days=1),
    "h": timedelta(hours=1),
    "W": timedelta(weeks=1),
    "15min": timedelta(minutes=15),
}
FORMS = ("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%d/%m/%Y %H:%M:%S", "%b %d, %Y %I:%M %p")
EMPTY = ("", "NA", "n/a", "NaN", "null", "-")


@dataclass(frozen=True)
class Row:
    """A row of a file, and what stands in it."""

    name: str | None
    time: datetime | None
    value: float | None
    text: str  # of the value


@dataclass(frozen=True)
class Table:
    """A file, and its rows: the first is row 2."""

    data: bytes
    rows: tuple[Row, ...]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Draw series on regular steps, with odd rows: empty, repeated, blank, of totals, out of order."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    step, (rounded, write) = (
        STEPS[draw(st.sampled_from(sorted(STEPS)))],
        WAYS[draw(st.sampled_from(sorted(WAYS)))],
    )
    start = draw(st.datetimes(datetime(2001, 1, 1), datetime(2024, 1, 1))).replace(second=0, microsecond=0)  # noqa: DTZ001
    number = st.floats(-1e6, 1e6, allow_nan=False) if draw(st.booleans()) else st.integers(-99, 10**7)
    rows = []
    for name in names:
        for at in range(draw(st.integers(3, 14))):
            value = float(f"{draw(number):{rounded}}")
            rows.append(Row(name, start + at * step, value, write(value)))
    for odd in draw(
        st.lists(st.sampled_from(["empty", "again", "nameless", "timeless", "total", "blank"]), max_size=3)
    ):
        rows.insert(draw(st.integers(0, len(rows))), _odd(odd, draw(st.sampled_from(rows)), draw))
    if draw(st.booleans()):
        rows = draw(st.permutations(rows))
    return Table(_text(rows, draw), tuple(rows))


def _odd(kind: str, row: Row, draw: st.DrawFn) -> Row:
    if kind == "empty":
        return Row(row.name, row.time, None, draw(st.sampled_from(EMPTY)))
    if kind == "again":
        return row
    if kind == "blank":
        return Row(None, None, None, "")
    return Row(
        row.name if kind == "timeless" else None,
        row.time if kind == "nameless" else None,
        row.value,
        row.text,
    )


def _text(rows: list[Row], draw: st.DrawFn) -> bytes:
    form = draw(st.sampled_from(FORMS))
    out = io.StringIO()
    writer = csv.writer(
        out, delimiter=draw(st.sampled_from(",;\t|")), lineterminator=draw(st.sampled_from(["\n", "\r\n"]))
    )
    writer.writerow(["sku", "when", "amount"])
    for row in rows:
        time = (
            row.time.strftime(form) if row.time else draw(st.sampled_from(["", "Total"])) if row.text else ""
        )
        writer.writerow([row.name or "", time, row.text])
    return out.getvalue().encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])))


def accepted(table: Table, options: ReadOptions) -> Intake | None:
    with contextlib.suppress(AppError):
        return read_csv(table.data, options)
    return None


def stored(intake: Intake) -> dict[tuple[str, str], float]:
    """The values of an upload by series and time."""
    frame = intake.frame
    names = np.repeat(frame.unique_ids, np.diff(frame.offsets))
    times = [str(time)[:16].replace("T", " ") for time in frame.axis.format(frame.ds)]
    every = zip(names, times, frame.y.tolist(), strict=True)
    return {
        (str(name), time if ":" in time else f"{time} 00:00"): y for name, time, y in every if not np.isnan(y)
    }


def written(table: Table, left_out: Collection[int | None]) -> dict[tuple[str, str], list[float]]:
    """The values of a file by series and time, without those of some rows."""
    found: dict[tuple[str, str], list[float]] = {}
    for number, row in enumerate(table.rows, start=2):
        if number not in left_out and row.name and row.time and row.value is not None:
            found.setdefault((row.name, row.time.isoformat(" ", "minutes")), []).append(row.value)
    return found


@quick
@given(tables())
def test_accepted_table_has_the_values_of_its_file(table: Table) -> None:
    intake = accepted(table, ReadOptions())
    if intake is None:
        return
    named = [repair.row for repair in intake.profile.repairs if repair.kind != "gap"]
    assert stored(intake) == {key: values[0] for key, values in written(table, named).items()}


def combined(values: list[float], duplicates: Duplicates) -> float:
    if duplicates == "last":
        return values[-1]
    return sum(values) / (len(values) if duplicates == "mean" else 1)


@quick
@given(tables(), st.sampled_from(["sum", "mean", "last"]))
def test_repeated_times_become_what_was_said(table: Table, duplicates: Duplicates) -> None:
    intake = accepted(table, ReadOptions(duplicates=duplicates, decimal="."))
    if intake is None:
        return
    named = [repair.row for repair in intake.profile.repairs if repair.kind == "refused"]
    wanted = {key: combined(values, duplicates) for key, values in written(table, named).items()}
    if duplicates == "last":  # which may be an empty one
        wanted = {key: value for key, value in wanted.items() if key in stored(intake)}
    assert stored(intake) == pytest.approx(wanted)
