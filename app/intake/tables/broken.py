"""Text in UTF-8 with a few bytes that are not: cut off, or pasted from a file of another encoding."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np

from app.errors import BadInput, FieldError
from app.intake.tables.text import pieces

LEAST_EACH = 2  # characters of several bytes for each byte that is none: other encodings have fewer by chance
SHOWN = 20  # characters before the wrong byte
BEYOND_ASCII = 0x80
ESCAPED = (0xDC80, 0xDCFF)  # what Python puts in place of a byte that does not decode


@dataclass(frozen=True)
class _Wrong:
    """The first byte of a text that is not UTF-8."""

    at: int
    is_end: bool  # whether the text ends inside its character


def refuse_broken_utf8(file: IO[bytes], least_each: int = LEAST_EACH) -> None:
    """Raise BadInput naming the first wrong byte of a text that is UTF-8 but for a few bytes.

    `least_each` is how many characters of several bytes there must be for each wrong one.
    """
    broken = whole = 0
    first = None
    for start, portion in _portions(file):
        if portion.isascii():
            continue
        text = portion.decode("utf-8", "surrogateescape")
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        wrong = int(np.count_nonzero((codes >= ESCAPED[0]) & (codes <= ESCAPED[1])))
        first = first or _first_wrong(portion, start)
        broken += wrong
        whole += int(np.count_nonzero(codes >= BEYOND_ASCII)) - wrong
    if first and whole >= (1 if first.is_end else least_each * broken):
        raise _refusal(file, first, broken)


def _portions(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield parts that end with a line, for no character goes over it, and where each begins."""
    start, rest = 0, b""
    for piece in pieces(file):
        whole = rest + piece
        end = max(whole.rfind(b"\n"), whole.rfind(b"\r")) + 1
        yield start, whole[:end]
        start, rest = start + end, whole[end:]
    yield start, rest


def _first_wrong(portion: bytes, start: int) -> _Wrong | None:
    try:
        portion.decode("utf-8")
    except UnicodeDecodeError as error:
        return _Wrong(start + error.start, error.reason == "unexpected end of data")
    return None


def _refusal(file: IO[bytes], wrong: _Wrong, broken: int) -> BadInput:
    line, before = _line_of(file, wrong.at)
    file.seek(wrong.at)
    byte = f"0x{file.read(1)[0]:02X}"
    where = f"line {line:,}, byte {len(before) + 1:,} ({byte}, after {before.decode()[-SHOWN:]!r})"
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


def _line_of(file: IO[bytes], at: int) -> tuple[int, bytes]:
    """Return the number of the line that a byte is in, from 1, and what stands before it there."""
    file.seek(0)
    number = 0
    while True:
        line = file.readline()
        number += 1
        if len(line) > at:
            return number, line[:at]
        at -= len(line)
