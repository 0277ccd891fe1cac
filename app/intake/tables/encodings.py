"""Detect the encoding of a text."""

import codecs

from charset_normalizer import from_bytes

from app.errors import BadInput

HEAD = 65_536  # bytes that show the encoding, the delimiter and the header
CHUNK = 1_048_576
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Western first: of encodings that read the bytes alike, the first is reported.
LEGACY = ("cp1252", "latin_1", "cp1250", "cp1251", "cp1253", "cp1254", "iso8859_15")
NOT_TEXT = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
)


def find_encoding(data: bytes) -> tuple[str, memoryview]:
    """Return the encoding, and the text without its byte order mark; raises BadInput for what is not text."""
    for start, kind in NOT_TEXT:
        if data.startswith(start):
            raise BadInput(f"The file is {kind}, not a text table. Save it as CSV and send that.")
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            body = memoryview(data)[len(mark) :]
            return _checked(body, encoding), body
    if b"\0" in data:
        raise BadInput("The file is binary, not a text table. Save it as CSV and send that.")
    body = memoryview(data)
    return ("utf-8" if _decodes(body, "utf-8") else _legacy(data)), body


def _checked(body: memoryview, encoding: str) -> str:
    if not _decodes(body, encoding):
        raise BadInput(f"The file begins as {encoding} text but is not. Save it as UTF-8 and send that.")
    return encoding


def _decodes(body: memoryview, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(body), CHUNK):
            if "\0" in decoder.decode(bytes(body[start : start + CHUNK])):
                return False  # the parser would treat it as the end
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _legacy(data: bytes) -> str:
    """Return the encoding of text that is not UTF-8, judged by its lines beyond ASCII."""
    lines = [line for line in data[: 16 * HEAD].splitlines() if not line.isascii()] or [data]
    found = from_bytes(b"\n".join(lines)[:HEAD], cp_isolation=list(LEGACY)).best()
    if found is None:
        raise BadInput("The file is not text in an encoding that is known. Save it as UTF-8 and send that.")
    alike = {found.encoding, *found.could_be_from_charset}
    encoding = next((name for name in LEGACY if name in alike), found.encoding)
    return encoding if _decodes(memoryview(data), encoding) else "latin_1"
