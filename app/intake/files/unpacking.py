"""Unpack gzip and Zstandard, piece by piece and no further than a limit."""

import io
import zlib
from collections.abc import Iterator

import pyarrow as pa

from app.errors import BadInput, TooLarge
from app.intake.files.kinds import BEGINNING, Packing, packing_of
from app.settings import MEBIBYTE

PIECE = MEBIBYTE


def unpacked(data: bytes, limit: int) -> bytes:
    """Return the bytes of a file, unpacked if it is packed.

    Raises TooLarge for more than `limit` bytes, BadInput for a file that is broken or packed twice.
    """
    packing = packing_of(data[:BEGINNING])
    if packing is None:
        return data
    found = io.BytesIO()
    try:
        for piece in _pieces(data, packing):
            found.write(piece)
            if found.tell() > limit:
                raise too_large(limit)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(
            f"The file begins as {packing} but is broken or cut off. Pack it again, or send it unpacked."
        ) from error
    content = found.getvalue()
    if packing_of(content[:BEGINNING]):
        raise BadInput(
            "The file is packed more than once. Unpack it, and send the table or one packing of it."
        )
    return content


def too_large(limit: int) -> TooLarge:
    """Return the error for a file that is small only as long as it is packed."""
    return TooLarge(
        f"Unpacked, the file takes more than {limit // MEBIBYTE:,} MiB. Send fewer series in one dataset, or"
        " raise GATECAST_MAX_UPLOAD_MB."
    )


def _pieces(data: bytes, packing: Packing) -> Iterator[bytes]:
    with pa.CompressedInputStream(pa.BufferReader(data), packing) as stream:
        while piece := stream.read(PIECE):
            yield piece
