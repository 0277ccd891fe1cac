"""Names and identifiers: their lengths, and the characters that a name must not contain."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

MAX_ID_LENGTH = 200
MAX_NAME_LENGTH = 200
# Control characters (C0, DEL, C1), line and paragraph separators, marks that change the direction of writing,
# and surrogates. Zero-width joiners are allowed: Persian and Hindi need them.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
RULE = "A name holds no tab, line break or other character that controls how text is shown"


def forbidden_character(name: str) -> str | None:
    """Return the first forbidden character as `U+202E`, or None."""
    found = _FORBIDDEN.search(name)
    return None if found is None else f"U+{ord(found[0]):04X}"


def trimmed(name: str) -> str:
    """Return a name without surrounding blanks and without a byte order mark."""
    return name.strip().strip("\ufeff").strip()


def _validated(name: str) -> str:
    if (character := forbidden_character(name)) is not None:
        raise ValueError(f"{RULE}, and this one has {character}: leave it out")
    return trimmed(name)


Name = Annotated[
    str,
    AfterValidator(_validated),
    Field(
        max_length=MAX_NAME_LENGTH,
        json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$"},
    ),
]
"""The name of a dataset or a model; empty, or of blanks alone, it counts as none."""
