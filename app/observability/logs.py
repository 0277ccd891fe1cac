"""How this service logs: lines on standard error, one for each thing that happened, whatever it is called."""

import logging
import logging.config
import re
import textwrap
from typing import Any

# Control characters, those that end a line for some readers, and those that turn the direction of what is
# shown: a caller's words must not look like a line of ours, nor move about on a terminal.
UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
INDENT = "    "
# What uvicorn says as an error of an answer without an end: who cut it off has said so, and why.
UNENDED = "ASGI callable returned without completing response."


class LineFormatter(logging.Formatter):
    """Writes an event as one line, and a traceback below it, indented."""

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
    r"""Return a text on one line, with `\x0a` and the like for what is not to be shown as it is."""
    return UNSHOWN.sub(_escape, text)


def _escape(match: "re.Match[str]") -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004  # where \x ends


def _indented(text: str) -> str:
    return textwrap.indent("\n".join(map(escaped, text.split("\n"))), INDENT, lambda _: True)


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether an event is not told by another line already."""
    return record.msg != UNENDED


def set_up_logging(level: str) -> None:
    """Send everything from `level` on to standard error, uvicorn's lines and ours in one form."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {"()": LineFormatter, "fmt": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}
            },
            "filters": {"news": {"()": lambda: is_news}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level.upper()},
            "loggers": {
                "alembic": {"level": "WARNING"},
                "uvicorn.error": {"filters": ["news"]},
                # A handler of our own keeps the engine from adding one.
                "dbos": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
            },
        },
    )
