"""Text in UTF-8 with a few bytes that are not: cut off, or pasted from a file of another encoding."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.errors import BadInput, FieldError

CHUNK = 1_048_576
LEAST_EACH = 2  # characters of several bytes for each byte that is none: other encodings have fewer by chance
SHOWN = 20  # characters before the wrong byte
BEYOND_ASCII = 0x80
ESCAPED = (0xDC80, 0xDCFF)  # what Python puts in place of a byte that does not decode


@dataclass(frozen=True)
class _Wrong:
    """The first byte of a text that is not UTF-8."""

    at: int
    is_end: bool  # whether the text ends inside its character


def refuse_broken_utf8(data: bytes) -> None:
    """Raise BadInput naming the first wrong byte of a text that is UTF-8 but for a few bytes."""
    broken = whole = 0
    first = None
    for start, portion in _portions(data):
        if portion.isascii():
            continue
        text = portion.decode("utf-8", "surrogateescape")
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        wrong = int(np.count_nonzero((codes >= ESCAPED[0]) & (codes <= ESCAPED[1])))
        first = first or _first_wrong(portion, start)
        broken += wrong
        whole += int(np.count_nonzero(codes >= BEYOND_ASCII)) - wrong
    if first and whole >= (1 if first.is_end else LEAST_EACH * broken):
        raise _refusal(data, first, broken)


def _portions(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield parts that end with a line, for no character goes over it, and where each begins."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + CHUNK) + 1 or len(data)
        yield start, data[start:end]
        start = end


def _first_wrong(portion: bytes, start: int) -> _Wrong | None:
    try:
        portion.decode("utf-8")
    except UnicodeDecodeError as error:
        return _Wrong(start + error.start, error.reason == "unexpected end of data")
    return None


def _refusal(data: bytes, wrong: _Wrong, broken: int) -> BadInput:
    line = data.count(b"\n", 0, wrong.at) + 1
    begin = data.rfind(b"\n", 0, wrong.at) + 1
    byte = f"0x{data[wrong.at]:02X}"
    before = data[begin : wrong.at].decode("utf-8")[-SHOWN:]
    where = f"line {line:,}, byte {wrong.at - begin + 1:,} ({byte}, after {before!r})"
    way = "or say by encoding in which other one the whole file is, such as cp1252."
    count = "1 byte is" if broken == 1 else f"{broken:,} bytes are"
    detail = f"The file is UTF-8 but for a few bytes: {count} not, the first in {where}. Mend them, {way}"
    if wrong.is_end:
        detail = (
            f"The file is UTF-8 but ends inside a character, in {where}: it was cut. Send all of it, {way}"
        )
    return BadInput(
        detail,
        [
            FieldError(f"#row={line}", f"byte {byte} is not UTF-8"),
            FieldError("#/encoding", "needed, if the file is not meant to be UTF-8"),
        ],
    )
