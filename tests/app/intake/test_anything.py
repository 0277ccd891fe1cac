"""Any upload gives an intake or an error with a sentence."""

import contextlib
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import AppError
from app.intake.frame import Intake
from app.intake.preview import preview_csv
from app.intake.reader import ReadOptions, read_csv
from tests.factories import EACH

quick = settings(
    max_examples=25 * EACH,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

CELLS = (
    *(
        "",
        "a",
        "1",
        "1.5",
        "1,5",
        "1.234",
        "1 234",
        "NaN",
        "inf",
        "1e999",
        "-",
        '"',
        "\0",
        "\u00e9",
        "\u0661",
        "1_0",
    ),
    *(
        "2020-01-01",
        "2020-01-02",
        "2020-01-03T10:00:00Z",
        "01/02/2020",
        "13/02/2020",
        "2020Q1",
        "2020-01",
        "1960",
    ),
    *("Jan 5, 2020", "20200101", "9" * 20, "0001-01-01", "9999-12-31", "01/01/2020 25:00", "now", "0x1"),
)
NAMES = ("unique_id", "ds", "y", "date", "value", "store", "id", "year", "", " ")
FREQUENCIES = (
    None,
    "D",
    "M",
    "QS",
    "A",
    "W",
    "W-MON",
    "H",
    "15min",
    "B",
    "7B",
    "us",
    "W-JAN",
    "\u00b2",
    1,
    0,
    10**30,
)

cells = st.sampled_from(CELLS) | st.text(max_size=5)
names = st.sampled_from(NAMES) | st.text(max_size=5)
frequencies = st.sampled_from(FREQUENCIES) | st.text(max_size=4)
stamps = st.dates().map(str) | st.datetimes().map(str) | st.integers(-5, 3000).map(str)


def attempt(data: bytes, columns: ReadOptions) -> None:
    with contextlib.suppress(AppError):
        check(read_csv(data, columns))


def check(intake: Intake) -> None:
    frame = intake.frame
    assert len(frame.ds) == len(frame.y) == frame.offsets[-1]
    assert list(frame.unique_ids) == sorted(frame.unique_ids)
    assert not np.isnan(frame.y[frame.offsets[:-1]]).any()
    for first, after in zip(frame.offsets[:-1], frame.offsets[1:], strict=True):
        ahead = frame.axis.future(int(frame.ds[first]), int(after - first) - 1)
        assert ahead.tolist() == frame.ds[first + 1 : after].tolist()


@quick
@given(st.binary(max_size=200))
def test_random_bytes_are_answered(data: bytes) -> None:
    attempt(data, ReadOptions())


@quick
@given(
    st.lists(names, min_size=1, max_size=4),
    st.lists(st.lists(cells, min_size=1, max_size=5), max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "gb18030", "cp932", "koi8-r"]),
    frequencies,
)
def test_random_tables_are_answered(
    header: list[str], rows: list[list[str]], delimiter: str, encoding: str, frequency: str | int | None
) -> None:
    text = "\n".join(delimiter.join(row) for row in [header, *rows])
    attempt(text.encode(encoding, "ignore"), ReadOptions(frequency=frequency))


@quick
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), stamps, st.sampled_from(["", "1", "2.5"])), min_size=2, max_size=9
    ),
    frequencies,
)
def test_random_times_are_answered(rows: list[tuple[str, str, str]], frequency: str | int | None) -> None:
    text = "\n".join(["unique_id,ds,y", *(",".join(row) for row in rows)])
    attempt(text.encode(), ReadOptions(frequency=frequency))


@quick
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.sampled_from(["", "1", "2.5"])), min_size=4
    ),
    st.integers(1, 9),
)
def test_random_series_with_holes_are_answered(rows: list[tuple[str, int, str]], step: int) -> None:
    lines = (f"{name},{time * step},{y}" for name, time, y in rows)
    attempt("\n".join(["unique_id,ds,y", *lines]).encode(), ReadOptions(frequency=step))


COLUMNS = (None, "date", "store,item", "sales", "a,b", '"', ",", "date,sales")
said = st.fixed_dictionaries(
    {},
    optional={
        "id_column": st.sampled_from(COLUMNS),
        "time_column": st.sampled_from(COLUMNS),
        "target_column": st.sampled_from(COLUMNS),
        "date_format": st.sampled_from(("%d/%m/%Y", "excel", "bad", "%Y%Y", "%")) | st.text(max_size=6),
        "decimal": st.sampled_from((".", ",")),
        "skip_rows": st.integers(0, 5),
        "layout": st.sampled_from(("long", "wide")),
        "encoding": st.sampled_from(("gb18030", "utf-16", "utf-7", "idna", "hex", "")) | st.text(max_size=6),
        "duplicates": st.sampled_from(("refuse", "sum", "mean", "last")),
        "missing": st.sampled_from(("gap", "zero")),
        "missing_values": st.sampled_from(("-999", "a,nan,inf", '"', ",,")),
    },
)
shop_rows = st.lists(
    st.tuples(st.integers(1, 20), st.sampled_from("12"), st.sampled_from("ab"), st.integers(0, 99)),
    min_size=4,
)


def shop_table(rows: list[tuple[int, str, str, int]]) -> str:
    lines = (f"2024-01-{day:02},{store},{item},{sales}.5" for day, store, item, sales in rows)
    return "\n".join(["date,store,item,sales", *lines])


@quick
@given(shop_rows, said)
def test_whatever_is_said_of_a_table_is_answered(
    rows: list[tuple[int, str, str, int]], options: dict[str, Any]
) -> None:
    data = shop_table(rows).encode()
    attempt(data, ReadOptions(**options))
    with contextlib.suppress(AppError):
        preview_csv(data, ReadOptions(**options))


@quick
@given(shop_rows)
def test_no_value_of_an_accepted_table_is_lost(rows: list[tuple[int, str, str, int]]) -> None:
    with contextlib.suppress(AppError):
        intake = read_csv(shop_table(rows).encode(), ReadOptions(id_column="store,item"))
        values = intake.frame.y[~np.isnan(intake.frame.y)]
        assert sorted(values) == sorted(sales + 0.5 for *_, sales in rows)


@quick
@given(shop_rows)
def test_sums_of_repeated_times_lose_nothing(rows: list[tuple[int, str, str, int]]) -> None:
    with contextlib.suppress(AppError):
        said = ReadOptions(id_column="item", duplicates="sum", missing="zero")
        frame = read_csv(shop_table(rows).encode(), said).frame
        assert frame.y.sum() == sum(sales + 0.5 for *_, sales in rows)
