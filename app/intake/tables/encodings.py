"""Detect the encoding of a text."""

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from charset_normalizer import from_bytes

from app.errors import BadInput, FieldError
from app.intake.problems import Question, Unsettled
from app.intake.tables.broken import refuse_broken_utf8
from app.intake.tables.languages import LANGUAGES, tokens_of
from app.intake.tables.text import Text, pieces

HEAD = 65_536  # bytes that show the encoding, the delimiter and the header
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Of encodings that read a text alike, the first is reported; the languages are those it is used for.
LEGACY: Mapping[str, tuple[str, ...]] = {
    "cp1252": ("en", "de", "fr", "es", "pt", "it", "sv", "da", "ca", "is"),
    "cp1254": ("tr",),
    "cp1250": ("en_DE", "pl", "cs", "sk", "hu", "hr", "ro"),
    "cp1257": ("lt", "lv"),
    "iso8859_15": ("fr", "de"),
    "iso8859_2": ("en_DE", "pl", "cs", "sk", "hu", "hr", "ro"),
    "gb18030": ("zh",),
    "cp950": ("zh_Hant",),
    "cp932": ("ja",),
    "euc_jp": ("ja",),
    "cp949": ("ko",),
    "cp1251": ("ru", "uk", "bg"),
    "koi8_r": ("ru",),
    "koi8_u": ("uk",),
    "cp866": ("ru",),
    "cp1253": ("el",),
    "cp1255": ("he",),
    "cp1256": ("ar",),
    "cp874": ("th",),
    "mac_roman": ("de", "fr", "es", "pt", "it", "sv"),
    "cp850": ("de", "fr", "es", "pt", "it", "sv"),
}
LATIN = ("cp1252", "cp1254", "cp1250", "cp1257", "iso8859_15", "iso8859_2")
OLD = ("mac_roman", "cp850")  # of Macs and DOS, taken where they suit plainly better than all others
QUOTES = 0.9  # of a score: marks alone, such as the apostrophe between thousands
SHOWN = 5  # words in a question
LEAST, APART = 0.4, 0.2  # of a score from 0 to 2: what shows a language, and what tells two apart
# Letters of UTF-8 that lost all but their first byte, as Python escapes it; other characters are whole.
CUT_LETTERS = re.compile("(?:[^\udc80-\udcff]|[\udcc2-\udcf4](?![\udc80-\udcff]))*")
NOT_TEXT = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
)


@dataclass(frozen=True)
class FoundEncoding:
    """A text whose encoding is known, without a byte order mark, and notes on how it was found."""

    text: Text
    notes: tuple[str, ...] = ()


def find_encoding(file: IO[bytes], said: str | None = None) -> FoundEncoding:
    """Return the text of a file, in the encoding that is said or found.

    Raises BadInput for what is not text, UTF-8 but for a few bytes, or not in the encoding said; Unsettled
    where two suit it.
    """
    file.seek(0)
    head = file.read(HEAD)
    for start, kind in NOT_TEXT:
        if head.startswith(start):
            raise BadInput(f"The file is {kind}, not a text table. Save it as CSV and send that.")
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return _checked(Text(file, len(mark), encoding), f"begins as {encoding} text")
    if said is not None:
        return _checked(Text(file, 0, _known(said)), f"is said to be {said[:40]!r} text")
    if any(b"\0" in piece for piece in pieces(file)):
        raise BadInput("The file is binary, not a text table. Save it as CSV and send that.")
    if _decodes(utf8 := Text(file, 0, "utf-8")):
        return FoundEncoding(utf8)
    refuse_broken_utf8(file)
    return _legacy(file)


def _known(said: str) -> str:
    """Return an encoding's name; raises BadInput where it is none of texts."""
    try:
        "".encode(said)
        return codecs.lookup(said).name
    except (LookupError, ValueError) as error:
        detail = f"encoding {said[:40]!r} is not known. Say one as Python names it: {', '.join(LEGACY)}."
        raise BadInput(detail, [FieldError("#/encoding", "no encoding that is known")]) from error


def _checked(text: Text, what: str) -> FoundEncoding:
    if not _decodes(text):
        raise BadInput(f"The file {what} but is not. Save it as UTF-8 and send that.")
    return FoundEncoding(text)


def _decodes(text: Text) -> bool:
    try:
        # The parser would treat a NUL as the end.
        return not any(
            "\0" in part for part in codecs.iterdecode(pieces(text.file, text.start), text.encoding)
        )
    except UnicodeError:
        return False


@dataclass(frozen=True)
class _Reading:
    """A text as an encoding reads it."""

    encoding: str
    tokens: tuple[str, ...]  # beyond ASCII
    score: float  # from 0 to 2, of the language that suits best

    @classmethod
    def of(cls, some: bytes, encoding: str) -> "_Reading | None":
        """Return how an encoding reads a text; None where it cannot."""
        try:
            tokens = tokens_of(codecs.getincrementaldecoder(encoding)().decode(some))
        except UnicodeError:
            return None
        return cls(encoding, tokens, _score(tokens, encoding))

    def shown(self) -> str:
        """Return the encoding with a few words as it reads them."""
        return f"{self.encoding} ({', '.join(self.tokens[:SHOWN])})"


def _score(tokens: Sequence[str], encoding: str) -> float:
    if not tokens:
        return QUOTES if encoding in LATIN else 0.0
    return max(LANGUAGES[name].score(tokens) for name in LEGACY[encoding])


def _legacy(file: IO[bytes]) -> FoundEncoding:
    """Return the encoding of text that is not UTF-8, by the language that its words beyond ASCII are in."""
    file.seek(0)
    head = file.read(16 * HEAD)
    lines = [line for line in head.splitlines() if not line.isascii()] or [head]
    some = b"\n".join(lines)[:HEAD]
    readings = [each for encoding in LEGACY if (each := _Reading.of(some, encoding)) is not None]
    latin = _by_difference([each for each in readings if each.encoding in LATIN])
    others = [each for each in readings if each.encoding not in {*LATIN, *OLD}]
    found = [*latin[:1], *_different(sorted(others, key=lambda each: -each.score))]
    usual = max((each.score for each in found), default=0.0)
    found += [each for each in readings if each.encoding in OLD and each.score >= usual + APART]
    found.sort(key=lambda each: -each.score)
    found = [each for each in found if each.score >= LEAST and _decodes(Text(file, 0, each.encoding))]
    _refuse_damaged(file, some, found)
    if not found:
        raise _ask_guess(some, readings)
    best, second = found[0], found[1] if len(found) > 1 else None
    if second is not None and second.score > best.score - APART:
        raise _ask(best, second)
    if best not in latin[:1] or len(latin) == 1:
        return FoundEncoding(Text(file, 0, best.encoding))
    note = f"The text is read as {best.shown()}; if it is {latin[1].shown()}, say so by encoding."
    return FoundEncoding(Text(file, 0, best.encoding), (note,))


def _different(readings: Sequence[_Reading]) -> list[_Reading]:
    """Return the first of those that read the same."""
    found: dict[tuple[str, ...], _Reading] = {}
    for each in readings:
        found.setdefault(each.tokens, each)
    return [*found.values()]


def _by_difference(readings: Sequence[_Reading]) -> list[_Reading]:
    """Return the Latin encoding that suits best where it differs from each other one; then those as good."""
    if not readings:
        return []
    best, *others = readings
    for other in others:
        if _lead(best, other) < 0:
            best = other
    close = [each for each in readings if each.tokens != best.tokens and _lead(best, each) < APART]
    return [best, *sorted(close, key=lambda each: _lead(best, each))]


def _lead(one: _Reading, other: _Reading) -> float:
    """Return by how much one reading suits better than another: where they differ, and by half as a whole."""
    as_whole = one.score - other.score
    if len(one.tokens) != len(other.tokens):
        return as_whole
    apart = [i for i, pair in enumerate(zip(one.tokens, other.tokens, strict=True)) if len(set(pair)) > 1]
    scores = (_score([each.tokens[i] for i in apart], each.encoding) for each in (one, other))
    return next(scores) - next(scores) + as_whole / 2


def _refuse_damaged(file: IO[bytes], some: bytes, found: Sequence[_Reading]) -> None:
    """Raise BadInput for damaged UTF-8: it suits plainly better, or nothing does and letters are cut."""
    tokens = tokens_of(some.decode(errors="ignore"))
    in_utf8 = max(language.score(tokens) for language in LANGUAGES.values()) if tokens else 0.0
    if in_utf8 >= (found[0].score + APART if found else LEAST):
        refuse_broken_utf8(file, least_each=1)
    if not found and CUT_LETTERS.fullmatch(some.decode(errors="surrogateescape")):
        refuse_broken_utf8(file, least_each=0)


def _ask_guess(some: bytes, readings: Sequence[_Reading]) -> BadInput:
    """Return the question of text in a language that is not known here; an error where it is no text."""
    found = from_bytes(some).best()
    if found is None:
        return BadInput("The file is not text in an encoding that is known. Save it as UTF-8 and send that.")
    usual = max(readings, key=lambda each: each.score)  # any bytes are text in some
    guess = _Reading(found.encoding, tokens_of(str(found)), 0.0)
    return _ask(usual, guess)


def _ask(best: _Reading, other: _Reading) -> Unsettled:
    question = Question(
        "encoding",
        f"The file is no UTF-8, and may be {best.shown()} or {other.shown()}. Say by encoding which it is.",
        (best.encoding, other.encoding),
        "the text can be read in two ways",
    )
    return Unsettled([question])
