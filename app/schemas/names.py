"""What a clean name is: of a series, a dataset, a model, however it comes in."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

# Controls (C0, DEL, C1), the separators of lines and paragraphs, what turns the direction of writing for all
# that follows, and halves of characters. Joiners without width stay: Persian and Hindi need them.
_UNCLEAN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
RULE = "A name holds no tab, line break or other character that controls how text is shown"


def unclean(name: str) -> str | None:
    """Return the first character that no name may hold, as `U+202E`; None where there is none."""
    found = _UNCLEAN.search(name)
    return None if found is None else f"U+{ord(found[0]):04X}"


def trimmed(name: str) -> str:
    """Return a name without blanks around it, and without the mark that some programs begin a text with."""
    return name.strip().strip("\ufeff").strip()


def _clean(name: str) -> str:
    if (sign := unclean(name)) is not None:
        raise ValueError(f"{RULE}, and this one has {sign}: leave it out")
    return trimmed(name)


Name = Annotated[
    str,
    AfterValidator(_clean),
    Field(
        max_length=200,
        json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$"},
    ),
]
"""The name of a dataset or a model; of blanks alone it is none."""
