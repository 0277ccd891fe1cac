"""Every text of the page has its translation into every language, and no translation is left over."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app.web import languages
from app.web.rendering import word

WEB = Path(languages.__file__).parent
TRANSLATED = [language for language in languages.LANGUAGES if language != languages.DEFAULT]
PLACES = re.compile(r"%\(\w+\)s|%%|\{\w+\}")


@cache
def texts() -> set[str]:
    """Return every text of templates and modules that is marked for translation."""
    found = extract_from_dir(
        WEB,
        method_map=[("**.html", "jinja2.ext.babel_extract"), ("**.py", "python")],
        options_map={"**.html": {"newstyle_gettext": "true", "trim_blocks": "true"}},
        keywords={"_": None, "N_": None, "ngettext": (1, 2)},
    )
    return {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}


def messages(language: str) -> list[Message]:
    with (WEB / "locales" / f"{language}.po").open("rb") as file:
        return [message for message in read_po(file, locale=language) if message.id]


def key(message: Message) -> str:
    return str(message.id if isinstance(message.id, str) else message.id[0])


def forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_no_other(language: str) -> None:
    found = {key(message): message for message in messages(language)}
    assert len(texts()) > 200
    assert set(found) == texts()
    assert [text for text, message in found.items() if message.fuzzy or not all(forms(message))] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translation_has_the_places_of_its_text(language: str) -> None:
    differing = [
        key(message)
        for message in messages(language)
        for form in forms(message)
        if sorted(PLACES.findall(form)) != sorted(PLACES.findall(key(message)))
    ]
    assert differing == []


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        ("de", "zh", "de"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "fr, de;q=0.3, en;q=0.5", "en"),
        ("xx", "de-AT", "de"),
        (None, "fr", "en"),
        (None, "de;q=x, zh;q=0.1", "zh"),
        (None, "", "en"),
    ],
)
def test_language_is_the_chosen_one_or_the_most_wanted(
    wanted: str | None, accepted: str, language: str
) -> None:
    assert languages.chosen(wanted, accepted) == language


def test_value_of_the_api_is_shown_in_the_reader_language() -> None:
    assert [word("week", language) for language in languages.LANGUAGES] == ["week", "Woche", "周"]
    assert word("something new", "de") == "something new"
