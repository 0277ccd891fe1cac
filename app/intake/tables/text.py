"""A text in a file: where it begins and how it is encoded; it is read piece by piece, never as a whole."""

import codecs
import csv
import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

CHUNK = 1_048_576
END = "\x1eend\x1e"  # the last row of every stream: a quote that is not closed would swallow it


def pieces(file: IO[bytes], start: int = 0) -> Iterator[bytes]:
    """Yield the bytes of a file from `start` on, some at a time."""
    file.seek(start)
    while piece := file.read(CHUNK):
        start += len(piece)
        yield piece
        file.seek(start)  # others read it meanwhile


@dataclass(frozen=True)
class Text:
    """A text in a file, from its first line or from a later one on."""

    file: IO[bytes] = field(repr=False)
    start: int  # bytes, after a byte order mark
    encoding: str
    cut: int = 0  # characters after `start` that do not belong to it

    def utf8(self) -> Iterator[bytes]:
        """Yield the text in UTF-8, with `END` as a last line of its own."""
        cut, last = self.cut, "\n"
        for piece in codecs.iterdecode(pieces(self.file, self.start), self.encoding):
            text = piece[cut:]
            cut -= min(cut, len(piece))
            last = text[-1:] or last
            yield text.encode(errors="replace")
        yield f"{END}\n".encode() if last in "\r\n" else f"\n{END}\n".encode()

    def rows(self, delimiter: str) -> Iterator[list[str]]:
        """Yield the cells of each row, `END` the last; raises `csv.Error` for a cell of 4 MiB or more."""
        lines = io.TextIOWrapper(stream(self.utf8()), "utf-8", newline="")
        return csv.reader(lines, delimiter=delimiter, skipinitialspace=True)


class _Scratch(io.BufferedRandom):
    def __init__(self, descriptor: int) -> None:
        super().__init__(io.FileIO(descriptor, "r+", closefd=False))
        self._descriptor = descriptor

    def __del__(self) -> None:
        self.close()
        os.close(self._descriptor)


def scratch_file() -> IO[bytes]:
    """Return a temporary file that is closed, and gone, with the last that holds it."""
    with tempfile.TemporaryFile() as file:
        return _Scratch(os.dup(file.fileno()))


def stream(parts: Iterator[bytes]) -> io.BufferedReader:
    """Return pieces as one file that can be read once."""
    return io.BufferedReader(_Joined(parts), CHUNK)


class _Joined(io.RawIOBase):
    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts, self._rest = parts, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size
