"""Log to standard error, one line for each event, with control characters escaped."""

import logging
import logging.config
import re
import textwrap
from typing import Any

# Control characters, line separators and marks that change the direction of writing: a caller's text must not
# look like another log line, nor move about on a terminal.
CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
INDENT = "    "
# Uvicorn's line for an unfinished response; our code has already logged the reason.
UNFINISHED = "ASGI callable returned without completing response."


class LineFormatter(logging.Formatter):
    """Formats an event as one line, with an indented traceback below it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # as logging calls it
        """Return the line."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the traceback."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """Return the stack."""
        return _indented(super().formatStack(stack_info))


def escaped(text: str) -> str:
    r"""Return a text as one line, with control characters as `\x0a` and the like."""
    return CONTROL_CHARACTERS.sub(_escape, text)


def _escape(match: "re.Match[str]") -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004  # where \x ends


def _indented(text: str) -> str:
    return textwrap.indent("\n".join(map(escaped, text.split("\n"))), INDENT, lambda _: True)


def is_not_reported_yet(record: logging.LogRecord) -> bool:
    """Return whether no other line reports the event already."""
    return record.msg != UNFINISHED


def set_up_logging(level: str) -> None:
    """Log everything from `level` up to standard error, uvicorn's lines and ours in one format."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {"()": LineFormatter, "fmt": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}
            },
            "filters": {"not_reported_yet": {"()": lambda: is_not_reported_yet}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level.upper()},
            "loggers": {
                "alembic": {"level": "WARNING"},
                "uvicorn.error": {"filters": ["not_reported_yet"]},
                # With a handler of its own, the queue's engine adds none.
                "dbos": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
            },
        },
    )
