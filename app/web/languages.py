"""The languages of the page: gettext catalogues, compiled from their texts when they are first asked for."""

import io
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).with_name("locales")
LANGUAGES = {"en": "English", "de": "Deutsch", "zh": "中文"}
DEFAULT = "en"


@cache
def translations(language: str) -> NullTranslations:
    """Return the translations into one of the languages; English texts are their own keys."""
    if language == DEFAULT:
        return NullTranslations()
    with (FOLDER / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def chosen(wanted: str | None, accept_language: str) -> str:
    """Return the wanted language if there is such a one, else the reader's first that there is."""
    if wanted in LANGUAGES:
        return wanted
    return next((language for language in _accepted(accept_language) if language in LANGUAGES), DEFAULT)


def _accepted(header: str) -> Iterator[str]:
    """Yield the languages of an `Accept-Language` without their regions, the most wanted first."""
    ranked = []
    for part in header.split(","):
        tag, _, quality = part.partition(";q=")
        ranked.append((_number(quality), tag.strip().partition("-")[0].lower()))
    yield from (tag for _, tag in sorted(ranked, key=lambda pair: -pair[0]))


def _number(quality: str) -> float:
    try:
        return float(quality or 1)
    except ValueError:
        return 0.0
