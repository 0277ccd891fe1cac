"""Take the only table out of a zip archive that is no workbook, and name packings that are not read."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from app.errors import BadInput
from app.intake.files.unpacking import PIECE, beginning_of, limited
from app.intake.problems import listed
from app.intake.tables.text import pieces

ZIP, ENTRY = b"PK\x03\x04", b"PK\x01\x02"
MOST_ENTRIES = 1_000  # of a directory, which is read whole
OF_WORKBOOKS = {"[Content_Types].xml", "mimetype", "content.xml"}
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError),
    *(NotImplementedError, RuntimeError),
)
"""What `zipfile` raises for an archive that is broken, has a password or is packed in another way."""
UNREAD = (
    (b"BZh91AY&SY", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
)
TAR, TAR_AT = b"ustar", 257


def refuse_unread_packing(file: IO[bytes]) -> None:
    """Raise BadInput for a packing that is known and not read."""
    content = beginning_of(file)
    name = next((name for magic, name in UNREAD if content.startswith(magic)), None)
    if name is None and content[TAR_AT : TAR_AT + len(TAR)] == TAR:
        name = "tar"
    if name is not None:
        raise BadInput(
            f"The file is packed by {name}, which is not read. Unpack it and send the table in it, or"
            " pack that by gzip, Zstandard or zip."
        )


def out_of_archive(file: IO[bytes], limit: int) -> tuple[IO[bytes], tuple[str, ...]]:
    """Return the only file of a zip archive, and a note on those passed over; another file as it is.

    Metadata that the World Bank packs beside a table do not count. Raises BadInput for an archive of several
    files or a broken one, TooLarge for a file of more than `limit` bytes.
    """
    if not beginning_of(file).startswith(ZIP) or _count(file, ENTRY) > MOST_ENTRIES:
        return file, ()
    try:
        with zipfile.ZipFile(file) as archive:
            if OF_WORKBOOKS & set(archive.namelist()):
                return file, ()
            names = [each for each in archive.infolist() if _is_file(each)]
            one, others = _the_only(names)
            if one.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise NotImplementedError
            found = limited(_pieces(archive, one), limit)
    except BROKEN as error:
        if any(_count(file, name.encode()) for name in OF_WORKBOOKS):
            return file, ()  # whose reader says what is wrong
        raise BadInput(
            "The file begins as a ZIP archive or a workbook, but cannot be unpacked. Unpack it, and send the"
            " table in it."
        ) from error
    beside = f", and not {listed(each.filename for each in others)}" if others else ""
    return found, (f"Of the archive {one.filename!r} was read{beside}.",)


def _count(file: IO[bytes], word: bytes) -> int:
    """Return how often a word stands in a file, whichever pieces it goes over."""
    count, rest = 0, b""
    for piece in pieces(file):
        whole = rest + piece
        count += whole.count(word)
        rest = whole[max(0, len(whole) - len(word) + 1) :]
    return count


def _pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as file:
        while piece := file.read(PIECE):
            yield piece


def _is_file(part: zipfile.ZipInfo) -> bool:
    hidden = part.filename.startswith("__MACOSX/") or part.filename.rsplit("/", 1)[-1].startswith(".")
    return not part.is_dir() and not hidden


def _the_only(parts: list[zipfile.ZipInfo]) -> tuple[zipfile.ZipInfo, list[zipfile.ZipInfo]]:
    """Return the only table and what lies beside it; raises BadInput where several may be the table."""
    beside = [part for part in parts if part.filename.rsplit("/", 1)[-1].startswith("Metadata_")]
    tables = [part for part in parts if part not in beside]
    if len(tables) != 1:
        found = f"{len(tables):,} files: {listed(part.filename for part in tables)}" if tables else "no file"
        raise BadInput(
            f"The zip archive holds {found}. Unpack it, and send the table alone or in an archive of its own."
        )
    return tables[0], beside
