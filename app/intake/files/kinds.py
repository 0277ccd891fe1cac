"""Tell what kind of file some bytes are, by how they begin: names and media types are often wrong."""

import codecs
import re
from typing import Literal

Kind = Literal["text", "json", "workbook", "parquet", "arrow"]
Packing = Literal["gzip", "zstd"]

BEGINNING = 65_536  # bytes that show the kind
PACKINGS: tuple[tuple[bytes, Packing], ...] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
STREAM = b"\xff\xff\xff\xff"  # before the schema of an Arrow stream
MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "workbook"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook"),  # of Excel 97
    (b"PAR1", "parquet"),
    (b"ARROW1\0\0", "arrow"),
    (STREAM, "arrow"),
)
# A list of objects, lists or values, or an object; a header such as [date],[value] is neither.
JSON = re.compile(rb'\s*(?:\{\s*(?:"|\})|\[\s*(?:[\[{\]]|$))')


def packing_of(beginning: bytes) -> Packing | None:
    """Return how a file is packed, None if it is not."""
    return next((packing for magic, packing in PACKINGS if beginning.startswith(magic)), None)


def kind_of(beginning: bytes) -> Kind:
    """Return the kind of an unpacked file; text where it shows no other."""
    for magic, kind in MAGIC:
        if beginning.startswith(magic):
            return kind
    return "json" if JSON.match(beginning.removeprefix(codecs.BOM_UTF8)) else "text"
