"""Take the only table out of a zip archive that is no workbook, and name packings that are not read."""

import io
import struct
import zipfile
import zlib

from app.errors import BadInput
from app.intake.files.unpacking import too_large
from app.intake.problems import listed

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


def refuse_unread_packing(content: bytes) -> None:
    """Raise BadInput for a packing that is known and not read."""
    name = next((name for magic, name in UNREAD if content.startswith(magic)), None)
    if name is None and content[TAR_AT : TAR_AT + len(TAR)] == TAR:
        name = "tar"
    if name is not None:
        raise BadInput(
            f"The file is packed by {name}, which is not read. Unpack it and send the table in it, or"
            " pack that by gzip, Zstandard or zip."
        )


def out_of_archive(content: bytes, limit: int) -> tuple[bytes, tuple[str, ...]]:
    """Return the only file of a zip archive, and a note on those passed over; other content as it is.

    Metadata that the World Bank packs beside a table do not count. Raises BadInput for an archive of several
    files or a broken one, TooLarge for a file of more than `limit` bytes.
    """
    if not content.startswith(ZIP) or content.count(ENTRY) > MOST_ENTRIES:
        return content, ()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if OF_WORKBOOKS & set(archive.namelist()):
                return content, ()
            names = [each for each in archive.infolist() if _is_file(each)]
            one, others = _the_only(names)
            if one.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise NotImplementedError
            with archive.open(one) as file:
                found = file.read(limit + 1)
    except BROKEN as error:
        if any(name.encode() in content for name in OF_WORKBOOKS):
            return content, ()  # whose reader says what is wrong
        raise BadInput(
            "The file begins as a ZIP archive or a workbook, but cannot be unpacked. Unpack it, and send the"
            " table in it."
        ) from error
    if len(found) > limit:
        raise too_large(limit)
    beside = f", and not {listed(each.filename for each in others)}" if others else ""
    return found, (f"Of the archive {one.filename!r} was read{beside}.",)


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
