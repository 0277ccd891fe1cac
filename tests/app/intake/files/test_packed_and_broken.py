"""Packed files, and files that are broken, cut off or made to fill the memory: refused, and nothing else."""

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from app.errors import BadInput, TooLarge
from app.intake.files import json_columns
from app.intake.files.conversion import FileLimits
from app.intake.files.refusals import Bounds, Vast
from app.intake.reader import ReadOptions, read_csv

ROWS = [(2000 + i, i * 1.5) for i in range(8)]
CSV = b"ds,y\n" + b"".join(b"%d,%f\n" % row for row in ROWS)
MIB = 1 << 20
ROOT = Path(__file__).parents[4]
SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>',
    b"</sheetData></worksheet>",
)
SMALL = FileLimits(size=64 * MIB)


def workbook() -> bytes:
    file = io.BytesIO()
    with Workbook(file) as book:
        sheet = book.add_worksheet("data")
        for number, row in enumerate([("ds", "y"), *ROWS]):
            sheet.write_row(number, 0, row)
    return file.getvalue()


def typed(kind: str) -> bytes:
    table, file = pa.table({"ds": [row[0] for row in ROWS], "y": [row[1] for row in ROWS]}), io.BytesIO()
    if kind == "parquet":
        pq.write_table(table, file)
        return file.getvalue()
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


FILES: dict[str, bytes] = {
    "csv": CSV,
    "gzip": gzip.compress(CSV),
    "zstd": pa.compress(CSV, "zstd", asbytes=True),
    "xlsx": workbook(),
    "parquet": typed("parquet"),
    "arrow": typed("arrow"),
    "json": b'[{"ds": 2000, "y": 1}, {"ds": 2001, "y": 2.5}]',
}


def zipped_sheet(xml: Iterable[bytes]) -> bytes:
    """A workbook whose only sheet has this content."""
    file, source = io.BytesIO(), zipfile.ZipFile(io.BytesIO(workbook()))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name in source.namelist():
            with target.open(name, "w") as part:
                for piece in xml if name == "xl/worksheets/sheet1.xml" else [source.read(name)]:
                    part.write(piece)
    return file.getvalue()


@pytest.mark.parametrize("name", ["csv", "xlsx", "parquet", "json"])
@pytest.mark.parametrize("pack", [gzip.compress, lambda data: pa.compress(data, "zstd", asbytes=True)])
def test_a_packed_file_is_what_it_holds(name: str, pack: Callable[[bytes], bytes]) -> None:
    plain = read_csv(FILES[name], ReadOptions())
    packed = read_csv(pack(FILES[name]), ReadOptions())
    assert packed.profile == plain.profile


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("name", ["csv", "xlsx", "parquet", "json"])
def test_the_only_file_of_a_zip_archive_is_read(name: str) -> None:
    intake = read_csv(zipped(file=FILES[name]), ReadOptions())
    assert intake.profile.observations == read_csv(FILES[name], ReadOptions()).profile.observations
    assert "Of the archive 'file' was read." in intake.profile.detected.notes


def test_metadata_beside_the_table_of_an_archive_are_passed_over_and_noted() -> None:
    intake = read_csv(zipped(API_SP=CSV, Metadata_Country=b"a,b", Metadata_Indicator=b"a,b"), ReadOptions())
    assert intake.profile.observations == len(ROWS)
    assert "and not 'Metadata_Country', 'Metadata_Indicator'." in intake.profile.detected.notes[0]


def test_an_archive_of_several_files_is_refused_with_their_names() -> None:
    with pytest.raises(BadInput, match=r"holds 2 files: 'a', 'b'\. Unpack it"):
        read_csv(zipped(a=CSV, b=CSV), ReadOptions())


def test_a_file_of_an_archive_that_unpacks_beyond_the_limit_is_too_large() -> None:
    with pytest.raises(TooLarge, match="more than 64 MiB"):
        read_csv(zipped(a=bytes(65 * MIB)), ReadOptions(), SMALL)


@pytest.mark.parametrize(("pack", "name"), [(bz2.compress, "bzip2"), (lzma.compress, "xz")])
def test_packings_that_are_not_read_are_named(pack: Callable[[bytes], bytes], name: str) -> None:
    with pytest.raises(BadInput, match=f"packed by {name}, which is not read. Unpack it"):
        read_csv(pack(CSV), ReadOptions())


def test_a_file_of_several_packed_parts_is_read_whole() -> None:
    intake = read_csv(gzip.compress(CSV[:30]) + gzip.compress(CSV[30:]), ReadOptions())
    assert intake.profile.observations == len(ROWS)


def test_a_packing_inside_another_is_refused() -> None:
    with pytest.raises(BadInput, match="packed more than once"):
        read_csv(gzip.compress(gzip.compress(CSV)), ReadOptions())


@pytest.mark.parametrize("name", FILES)
def test_no_broken_file_raises_anything_but_a_refusal(name: str) -> None:
    data = FILES[name]

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(drawn: st.DataObject) -> None:
        broken = bytearray(data[: drawn.draw(st.integers(1, len(data)))])
        for _ in range(drawn.draw(st.integers(0, 4))):
            broken[drawn.draw(st.integers(0, len(broken) - 1))] = drawn.draw(st.integers(0, 255))
        try:
            read_csv(bytes(broken), ReadOptions())
        except (BadInput, TooLarge):
            return

    check()


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_what_unpacks_beyond_the_limit_is_too_large(packing: str) -> None:
    with pytest.raises(TooLarge, match="more than 64 MiB"):
        read_csv(pa.compress(bytes(65 * MIB), packing, asbytes=True), ReadOptions(), SMALL)


def test_two_cells_in_far_corners_of_a_sheet_are_too_large() -> None:
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(TooLarge, match="more memory, room or time"):
        read_csv(zipped_sheet([SHEET[0], cells, SHEET[1]]), ReadOptions())


def test_a_short_parquet_file_of_many_rows_is_too_large() -> None:
    file, column = io.BytesIO(), np.zeros(20_000_000)
    pq.write_table(pa.table({"ds": column, "y": column}), file)
    assert len(file.getvalue()) < MIB
    with pytest.raises(TooLarge):
        read_csv(file.getvalue(), ReadOptions(), SMALL)


def sheet_of(count: int) -> bytes:
    return zipped_sheet([SHEET[0], b"<row><c><v>1</v></c></row>" * count, SHEET[1]])


def parquet_of(count: int) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"ds": np.arange(count), "y": np.zeros(count, dtype=np.int8)}), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (parquet_of(40_000), "40,000 rows"),
        (sheet_of(20_000), "20,000 cells"),
        (gzip.compress(b'{"ds": 1, "y": 2}\n' * 40_000), "40,000 lines"),
        (gzip.compress(b"ds,y\n" + b"1,2\n" * 40_000), "40,001 rows"),
    ],
    ids=["parquet", "sheet", "lines", "text"],
)
def test_rows_and_cells_beyond_the_limit_are_counted_before_they_are_read(data: bytes, count: str) -> None:
    with pytest.raises(TooLarge, match=f"The file has {count}"):
        read_csv(data, ReadOptions(), FileLimits(size=MIB))


def test_objects_of_more_memory_than_there_is_are_refused_before_they_are_read() -> None:
    text = io.BytesIO(b"[" + b"{}," * 8_000_000 + b"{}]")
    with pytest.raises(Vast):
        json_columns.convert(text, io.BytesIO(), Bounds(columns=10, size=512 * MIB))


def test_a_text_that_no_cell_is_as_long_as_is_refused() -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int32()), pa.array(["x" * 2 * MIB]))
    file = io.BytesIO()
    pq.write_table(pa.table({"ds": [1, 2], "y": texts}), file)
    with pytest.raises(BadInput, match="2,097,152 bytes"):
        read_csv(file.getvalue(), ReadOptions())


MEASURE = """
import resource, sys
from app.errors import AppError
from app.intake.reader import ReadOptions, read_csv
try:
    read_csv(open(sys.argv[1], "rb").read(), ReadOptions())
except AppError as error:
    print(error.status)
# Not by getrusage: what it says of a process includes what the parent held when it began.
own = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(own.split()[1]) // 1024)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def bombs() -> Iterator[tuple[str, bytes]]:
    """Short files that hold much."""
    gibibyte = bytes(1024 * MIB)
    yield "gzip", gzip.compress(gibibyte, 1)
    yield "zstd", pa.compress(gibibyte, "zstd", asbytes=True)
    cells = b"<row>" + b"<c><v>1</v></c>" * 10_000 + b"</row>"
    yield "sheet", zipped_sheet([SHEET[0], *([cells] * 5_000), SHEET[1]])
    text = b'<row r="1"><c r="A1" t="inlineStr"><is><t>', b"</t></is></c></row>"
    yield "cell", zipped_sheet([SHEET[0], text[0], *([b"x" * MIB] * 1500), text[1], SHEET[1]])
    table = pa.table({"ds": np.zeros(150_000_000), "y": np.zeros(150_000_000)})
    file = io.BytesIO()
    pq.write_table(table, file)
    yield "parquet", file.getvalue()
    file = io.BytesIO()
    with pa.ipc.new_file(file, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    yield "arrow", file.getvalue()
    yield "rows", zipped_sheet([SHEET[0], *([b"<row><c><v>1</v></c></row>" * 40_000] * 1_000), SHEET[1]])
    codes = pa.DictionaryArray.from_arrays(pa.array([0] * 60_000_000, pa.int8()), pa.array(["x" * 2000]))
    file = io.BytesIO()
    pq.write_table(pa.table({"ds": codes, "y": np.ones(60_000_000, dtype=np.int8)}), file, compression="zstd")
    yield "codes", file.getvalue()
    objects = b'{"ds":"2023-01-01","y":1}'
    yield "objects", gzip.compress(b"[" + (objects + b",") * 20_000_000 + b"{}]", 1)
    yield "lines", gzip.compress((objects + b"\n") * 20_000_000, 1)
    yield "json", b"[" + b"[]," * 40_000_000 + b"[]]"
    yield "columns", b",".join(b"c%d" % i for i in range(1_000_000)) + b"\n" + b"1," * 1_000_000
    yield "rows of text", gzip.compress(b"ds,y\n" + b"1,2\n" * 100 * MIB, 1)
    yield "line", b"ds,y\n1," + b"2" * 100 * MIB + b"\n"


@pytest.mark.long
def test_files_made_to_fill_the_memory_are_refused_within_bounds(tmp_path: Path) -> None:
    for name, data in bombs():
        path = tmp_path / name
        path.write_bytes(data)
        words = [sys.executable, "-c", MEASURE, str(path)]
        done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
        status, own, children = map(int, done.stdout.split())
        assert status in {413, 422}, name
        assert own < len(data) // MIB + 1024, name  # a packing is unpacked up to the limit of 512 MiB
        assert children < 1536, name


def test_a_line_of_text_that_no_row_is_as_long_as_is_refused() -> None:
    with pytest.raises(BadInput, match="A line is longer than 4,194,304 bytes"):
        read_csv(b"ds,y\n1,2\n" + b"x" * 5 * MIB + b"\n", ReadOptions())
