"""Unpack gzip and Zstandard, piece by piece and no further than a limit."""

import zlib
from collections.abc import Iterator
from typing import IO

import pyarrow as pa

from app.errors import BadInput, TooLarge
from app.intake.files.kinds import BEGINNING, Packing, packing_of
from app.intake.tables.text import pieces, scratch_file, stream
from app.settings import MEBIBYTE

PIECE = MEBIBYTE


def unpacked(file: IO[bytes], limit: int) -> IO[bytes]:
    """Return a file, unpacked into another one if it is packed.

    Raises TooLarge for more than `limit` bytes, BadInput for a file that is broken or packed twice.
    """
    packing = packing_of(beginning_of(file))
    if packing is None:
        return file
    try:
        found = limited(_pieces(file, packing), limit)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(
            f"The file begins as {packing} but is broken or cut off. Pack it again, or send it unpacked."
        ) from error
    if packing_of(beginning_of(found)):
        raise BadInput(
            "The file is packed more than once. Unpack it, and send the table or one packing of it."
        )
    return found


def beginning_of(file: IO[bytes]) -> bytes:
    """Return the bytes that show what kind of file it is."""
    file.seek(0)
    return file.read(BEGINNING)


def limited(parts: Iterator[bytes], limit: int) -> IO[bytes]:
    """Return pieces as a temporary file; raises TooLarge for more than `limit` bytes."""
    found = scratch_file()
    for part in parts:
        found.write(part)
        if found.tell() > limit:
            raise too_large(limit)
    return found


def too_large(limit: int) -> TooLarge:
    """Return the error for a file that is small only as long as it is packed."""
    return TooLarge(
        f"Unpacked, the file takes more than {limit // MEBIBYTE:,} MiB. Send fewer series in one dataset, or"
        " raise GATECAST_MAX_UPLOAD_MB."
    )


def _pieces(file: IO[bytes], packing: Packing) -> Iterator[bytes]:
    with pa.CompressedInputStream(stream(pieces(file)), packing) as packed:
        while piece := packed.read(PIECE):
            yield piece
