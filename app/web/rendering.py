"""Render the templates of the page in each language."""

import json
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.web import languages, numbers, sparklines, static_files, times
from app.web.words import WORDS

FOLDER = Path(__file__).with_name("templates")
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}  # within a data block


def render(template: str, language: str, **facts: Any) -> str:
    """Return a template as HTML in a language."""
    return _environment(language).get_template(template).render(facts)


def word(key: str, language: str) -> str:
    """Return what a value of the API is called in a language; the value itself where nothing is known."""
    return languages.translations(language).gettext(WORDS.get(key, key))


def data_block(content: Any) -> Markup:
    """Return JSON for a data block of a page, in which nothing can end the block."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Markup("".join(UNSAFE.get(sign, sign) for sign in text))  # noqa: S704  # escaped just here


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    translations = languages.translations(language)
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {
        "number": lambda value, precision=0.0: numbers.rounded(value, language, precision),
        "exact": partial(numbers.exact, language=language),
        "count": partial(numbers.count, language=language),
        "percent": partial(numbers.percent, language=language),
        "time": partial(times.shown, language=language),
        "ago": partial(_ago, language),
        "data": data_block,
        "sparkline": sparklines.draw,
        "word": partial(word, language=language),
    }
    environment.globals |= {
        "static": f"{static_files.folder()}/",
        "languages": languages.LANGUAGES,
        "unit_of": times.unit_of,
        "precision_of": numbers.precision_of,
    }
    return environment


def _ago(language: str, moment: datetime) -> str:
    return times.since(moment, datetime.now(UTC), language)
