"""The table of a text as another kind of file: workbooks, typed columns, JSON, packed, other encodings."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.resources import files
from itertools import islice, zip_longest
from random import Random
from struct import pack
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from xlsxwriter import Workbook

MOST_ROWS = 120  # what a workbook takes a process for
ENCODINGS = (
    *(
        "gb18030",
        "cp950",
        "cp932",
        "euc_jp",
        "cp949",
        "cp1251",
        "koi8_r",
        "cp1252",
        "cp1254",
        "cp1256",
        "cp1250",
    ),
    *("utf-16", "utf-16-le", "utf-8-sig", "mac_roman"),
)
WORDS = (
    "日期",
    "销售额",
    "年月",
    "売上",
    "날짜",
    "Дата",
    "Выручка",
    "التاريخ",
    "Satış",
    "Müşteri",
    "Größe",
    "令和2年",
)
SCHEMAS = "http://schemas.openxmlformats.org"
Lines = list[list[str]]


def lines_of(data: bytes) -> Lines:
    """The cells of a delimited text, whatever delimits it."""
    text = data.decode("utf-8", "replace").replace("\0", "")
    delimiter = max(",;\t|", key=text.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [line for line in islice(reader, MOST_ROWS) if line] or [["ds", "y"]]


def cell_of(text: str, random: Random) -> Any:
    """A cell as a spreadsheet may have it: a number, a time, true, nothing or the text."""
    if random.random() < 0.05:
        return random.choice((None, True, text, "", 1e300, -1))
    for read in (float, datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def workbook(lines: Lines, random: Random) -> bytes:
    file = io.BytesIO()
    said = {"nan_inf_to_errors": True, "default_date_format": random.choice(("yyyy-mm-dd", "dd/mm/yy hh:mm"))}
    with Workbook(file, said) as book:
        for name in random.choice((["data"], ["data"], ["2023", "2024"], ["about", "data"])):
            sheet, first = book.add_worksheet(name), random.choice((0, 0, 2))
            if first:
                sheet.merge_range(0, 0, 0, 3, "A title")
            for number, line in enumerate(lines if name != "about" else [["made", "by hand"]]):
                sheet.write_row(first + number, 0, [cell_of(text, random) for text in line])
            if random.random() < 0.3:
                sheet.write_formula(first + 2, 1, "=1/0", value=random.choice((3, "#DIV/0!", "")))
            if random.random() < 0.3:
                sheet.merge_range(first + 1, 0, first + 4, 0, "merged")
    return file.getvalue()


def zipped(parts: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def open_document(lines: Lines, random: Random) -> bytes:
    def cell(text: str) -> str:
        found = cell_of(text, random)
        if isinstance(found, float):
            return f'<table:table-cell office:value-type="float" office:value="{found}"/>'
        if isinstance(found, datetime):
            return f'<table:table-cell office:value-type="date" office:date-value="{found.isoformat()}"/>'
        return (
            f'<table:table-cell office:value-type="string"><text:p>{escape(text)}</text:p></table:table-cell>'
        )

    rows = (f"<table:table-row>{''.join(map(cell, line))}</table:table-row>" for line in lines)
    spaces = ("office", "table", "text")
    names = " ".join(f'xmlns:{each}="urn:oasis:names:tc:opendocument:xmlns:{each}:1.0"' for each in spaces)
    sheet = f'<table:table table:name="data">{"".join(rows)}</table:table>'
    body = f"<office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body>"
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": f"<office:document-content {names}>{body}</office:document-content>",
        }
    )


def binary_workbook(lines: Lines, random: Random) -> bytes:
    """A workbook as Excel writes it in binary (.xlsb), with what is needed to read it."""

    def record(kind: int, body: bytes = b"") -> bytes:
        head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
        size = bytes([len(body)]) if len(body) < 0x80 else bytes([len(body) & 0x7F | 0x80, len(body) >> 7])
        return head + size + body

    def wide(text: str) -> bytes:
        return pack("<I", len(text)) + text.encode("utf-16-le")

    def cell(column: int, text: str) -> bytes:
        found, at = cell_of(text[:40], random), pack("<II", column, 0)
        return (
            record(5, at + pack("<d", found)) if isinstance(found, float) else record(6, at + wide(text[:40]))
        )

    body = record(0x81) + record(0x94, pack("<IIII", 0, len(lines), 0, len(lines[0]))) + record(0x91)
    for number, line in enumerate(lines):
        body += record(0, pack("<I", number) + bytes(13)) + b"".join(
            cell(i, text) for i, text in enumerate(line)
        )
    book = record(0x8F) + record(0x9C, pack("<II", 0, 1) + wide("rId1") + wide("data")) + record(0x90)
    kind = f"{SCHEMAS}/officeDocument/2006/relationships/worksheet"
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{SCHEMAS}/package/2006/content-types"/>',
            "xl/workbook.bin": book + record(0x84),
            "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{SCHEMAS}/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{kind}" Target="worksheets/sheet1.bin"/></Relationships>',
            "xl/worksheets/sheet1.bin": body + record(0x92) + record(0x82),
        }
    )


def old_workbook(_lines: Lines, _random: Random) -> bytes:
    """A workbook of Excel 97 (.xls), which comes with a library."""
    return (files("statsmodels") / "datasets/macrodata/src/macrodata.xls/macrodata.xls").read_bytes()


def columns_of(lines: Lines, random: Random) -> dict[str, pa.Array]:
    """The columns of a table, each as one of the types that hold such cells."""
    names, *rows = lines
    columns = islice(zip_longest(*rows, fillvalue=""), len(names))
    return {
        name or f"c{i}": typed(pd.Series(cells), random)
        for i, (name, cells) in enumerate(zip(names, columns, strict=False))
    }


def typed(cells: "pd.Series[str]", random: Random) -> pa.Array:
    numbers = pd.to_numeric(cells, errors="coerce")
    times = pd.to_datetime(cells, errors="coerce", format="ISO8601", utc=True)
    small = numbers.where(numbers.abs() < 1e15).round().astype("Int64")
    kinds: list[Callable[[], Any]] = [lambda: pa.array(cells)] * 2
    if numbers.notna().any():
        kinds += [lambda: pa.array(numbers)] * 3 + [lambda: pa.array(small)]
        kinds += [
            lambda: pa.array(small.astype("float64")).cast(pa.float32()),
            lambda: pa.array(small, pa.duration("s")),
        ]
    if times.notna().any():
        zone = random.choice((None, "UTC", "Europe/Berlin", "+05:30"))
        kinds += [
            lambda: pa.array(times.dt.tz_convert(zone)).cast(
                pa.timestamp(random.choice(("s", "ms", "us")), zone), safe=False
            )
        ] * 3
        kinds += [
            lambda: pa.array(times.dt.date),
            lambda: pa.array(times.dt.tz_localize(None).dt.to_period(random.choice("DMQWY"))),
        ]
    odd: list[Callable[[], Any]] = [
        lambda: pa.array(cells).dictionary_encode(),
        lambda: pa.array([[text] for text in cells]),
        lambda: pa.array([{"a": text} for text in cells]),
    ]
    return random.choice([*kinds, *kinds, *odd])()


def parquet(lines: Lines, random: Random) -> bytes:
    file = io.BytesIO()
    pq.write_table(
        pa.table(columns_of(lines, random)), file, compression=random.choice(("snappy", "zstd", "none"))
    )
    return file.getvalue()


def arrow(lines: Lines, random: Random) -> bytes:
    table, file = pa.table(columns_of(lines, random)), io.BytesIO()
    opened = random.choice((pa.ipc.new_file, pa.ipc.new_stream))
    with opened(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=random.choice((None, 7)))
    return file.getvalue()


def as_json(lines: Lines, random: Random) -> bytes:
    names, *rows = lines
    cells = [[None if text == "" else _plain(cell_of(text, random)) for text in row] for row in rows]
    records = [dict(zip(names, row, strict=False)) for row in cells]
    forms: Sequence[Callable[[], Any]] = (
        lambda: records,
        lambda: {name: [row.get(name) for row in records] for name in names},
        lambda: {"columns": names, "data": cells},
        lambda: {str(i): row for i, row in enumerate(records)},
        lambda: {name: {str(i): row.get(name) for i, row in enumerate(records)} for name in names},
        lambda: [names, *cells],
        lambda: cells,
        lambda: {"result": {"unit": "MW", "points": [row[:2] for row in cells]}},
        lambda: {name: [[row[0], row[i % len(row)]] for row in cells] for i, name in enumerate(names)},
        lambda: [{"name": "a", "values": cells}, {"name": "b", "values": cells[1:]}],
        lambda: {"ok": 1, "items": records},
    )
    if random.random() < 0.3:
        return "\n".join(map(json.dumps, records)).encode()
    return json.dumps(random.choice(forms)()).encode()


def _plain(cell: Any) -> Any:
    return int(cell.timestamp() * 1000) if isinstance(cell, datetime) else cell


def encoded(lines: Lines, random: Random) -> bytes:
    """The table as text in another encoding, with words of other languages in its header."""
    names = [random.choice(WORDS) if random.random() < 0.5 else name for name in lines[0]]
    return joined([names, *lines[1:]]).encode(random.choice(ENCODINGS), "replace")


def across(lines: Lines, random: Random) -> bytes:
    """The table with its rows as columns, so that times or series are in the header."""
    turned = [list(line) for line in zip_longest(*lines, fillvalue="")]
    return joined(turned[:: random.choice((1, -1))]).encode()


def joined(lines: Lines) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(lines)
    return file.getvalue()


KINDS = (
    workbook,
    workbook,
    open_document,
    binary_workbook,
    old_workbook,
    parquet,
    parquet,
    arrow,
    as_json,
    as_json,
    encoded,
    across,
)


def packed(data: bytes, random: Random) -> bytes:
    """The file packed in one of the ways that are read, or as it is."""
    ways: Sequence[Callable[[], bytes]] = (
        lambda: gzip.compress(data, 1),
        lambda: pa.compress(data, "zstd", asbytes=True),
        lambda: zipped({"file": data}),
        lambda: zipped({"file": data, random.choice(("Metadata_a", "other")): b"a,b\n1,2\n"}),
    )
    return random.choice(ways)() if random.random() < 0.2 else data


def another(data: bytes, random: Random) -> bytes:
    """The table of a delimited text as a file of another kind; the text itself where it makes none."""
    try:
        return random.choice(KINDS)(lines_of(data), random)
    except (ValueError, TypeError, OverflowError, csv.Error, pa.ArrowException, IndexError, AttributeError):
        return data
