"""Files as people have them, and ways to damage them: what a storm of uploads is made of."""

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.app.intake import test_field_roles as roles
from tests.app.intake import test_field_steps as steps

FOLDER = Path(os.environ.get("STORM_FOLDER", "../shared/field"))
TABLES = (
    *(roles.prices, roles.load_and_temperature, roles.two_keys, roles.receipts, roles.month_names),
    *(roles.hour_ending, roles.index_column, roles.separator_line, roles.comments, roles.total_row),
    *(roles.future_rows, roles.one_stopped, roles.sparse_sales, roles.leading_zeros, roles.numbered_months),
    *(roles.flags_beside, roles.units_and_price, roles.planned_prices),
)
PIECES = (
    *(b"", b"0", b"-", b",", b";", b"\t", b"\n", b"\r\n", b"\r", b'"', b"\x00", b"\xff", b"\xef\xbb\xbf"),
    *(b"NaN", b"inf", b"1e308", b"1e999", b"-999", b"24:00", b"2022-02-30", b"9999-12-31", b"0001-01-01"),
    *(b"99999999999999999999", b"Total", b"ds", b"2022-03-27 02:30", b"2022-10-30 02:00", b"+01:00", b"Z"),
    *("\u0661".encode(), b"W53", b"Q5", b"1969", b"2262-04-12", b"%", b"(3)", b"3-", b"1.234,5"),
)
OPTIONS: dict[str, Sequence[str]] = {
    "id_column": ("sku", "store_nbr,family", "date", "", "nothing", '"'),
    "time_column": ("date", "ds", "Year,Month", "OperDay,HourEnding", "y", "a,b"),
    "target_column": ("y", "Close", "sales", "High,Low", "ds", ","),
    "frequency": ("D", "h", "MS", "W-MON", "15min", "1", "B", "QE-NOV", "MS-15", "YS", "7", "us", "bad"),
    "season_length": ("7", "12", "24,168", "1", "0", "x"),
    "date_format": ("%d/%m/%Y", "excel", "epoch_s", "epoch_ns", "integer", "year", "%Y%q", "%Y", "%H", "%p"),
    "decimal": (".", ","),
    "skip_rows": ("0", "1", "5", "999"),
    "sheet": ("data", "2023", "nothing"),
    "layout": ("long", "wide"),
    "encoding": ("gb18030", "utf-16", "latin-1", "hex", "nothing"),
    "duplicates": ("refuse", "sum", "mean", "last"),
    "missing": ("gap", "zero"),
    "missing_values": ("-999", "0", "Total,x", '"'),
    "time_zone": ("Europe/Berlin", "UTC", "Asia/Kolkata", "America/New_York", "Mars"),
    "past_columns": ("promo", "price", "Volume", "temperature,x", "visitors"),
    "future_columns": ("price", "promo,visitors", "ds"),
    "static_columns": ("size", "price", "sku"),
    "category_columns": ("size", "promo", "date", "price,visitors"),
    "unused_columns": ("price", "weekday", "High,Low", "size,y"),
    "lower": ("0", "-1e9"),
    "integer": ("true",),
}
FOR_ROWS = (
    *("id_column", "time_column", "target_column", "date_format", "decimal", "skip_rows", "duplicates"),
    *("missing_values", "layout", "encoding", "sheet"),
)


def texts(case: "steps.Case") -> bytes:
    lines = (f'"{text}",{i % 7 + 1}' for i, text in enumerate(case.texts[:200]))
    return "\n".join(["ds,y", *lines]).encode()


def files(folder: Path = FOLDER) -> list[bytes]:
    """The files of the table tests, and those of a folder where it is there; 30,000 bytes of each."""
    made = ["\n".join(table()).encode() for table in TABLES] + [texts(case) for case in steps.CASES.values()]
    return [*made, *(path.read_bytes()[:30_000] for path in sorted(folder.glob("*.csv")))]


def damaged(data: bytes, random: Random) -> bytes:
    """The file with a few bytes, cells or lines changed, or cut short; as it is once in a while."""
    for _ in range(random.choice((0, 1, 1, 2, 3, 8))):
        data = random.choice((_byte, _piece, _piece, _cut, _lines, _cell))(data, random)
    return data


def _byte(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.randrange(256)]) + data[at + random.randrange(2) :]


def _piece(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(PIECES) + data[at + random.choice((0, 0, 1, 4, 10)) :]


def _cut(data: bytes, random: Random) -> bytes:
    end = random.randrange(len(data) + 1)
    return data[:end] if random.random() < 0.8 else data[end:]


def _lines(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    if random.random() < 0.5:
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at:at] = [lines[other]] * random.choice((1, 1, 3))
    return b"\n".join(lines)


def _cell(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    cells = lines[at].split(b",")
    cells[random.randrange(len(cells))] = random.choice(PIECES)
    lines[at] = b",".join(cells)
    return b"\n".join(lines)


def said(random: Random, names: Sequence[str] = tuple(OPTIONS)) -> dict[str, Any]:
    """A few of the named options, each with a value that may fit."""
    some = random.sample(names, random.choice((0, 0, 1, 1, 2, 4)))
    return {name: random.choice(OPTIONS[name]) for name in some}
