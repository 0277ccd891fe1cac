"""Lines of the log, of which nobody else can make some."""

import inspect
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import pytest
from fastapi.testclient import TestClient
from uvicorn.protocols.http import httptools_impl

from app.observability.logs import INDENT, UNFINISHED, LineFormatter, set_up_logging

FORGED = "2026-01-01 00:00:00,000 ERROR app: all is lost"


def formatted(message: str, error: BaseException | None = None) -> str:
    info = (type(error), error, None) if error else None
    record = logging.LogRecord("app", logging.INFO, "", 0, "%s", (message,), info)
    return LineFormatter("%(levelname)s %(message)s").format(record)


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\n", r"\x0a"),
        ("\r", r"\x0d"),
        ("\x1b", r"\x1b"),
        ("\x00", r"\x00"),
        ("\x7f", r"\x7f"),
        ("\x9b", r"\x9b"),
        ("\u2028", r"\u2028"),
        ("\u202e", r"\u202e"),
    ],
)
def test_character_that_would_not_be_shown_is_escaped(character: str, shown: str) -> None:
    assert formatted(f"GET /jobs/a{character}b 404") == f"INFO GET /jobs/a{shown}b 404"


def test_letters_of_any_language_stay_as_they_are() -> None:
    assert formatted("Åland 中国 عمان 🙂") == "INFO Åland 中国 عمان 🙂"


def test_traceback_keeps_its_lines_and_none_looks_like_another_event() -> None:
    lines = formatted("broken", ValueError(f"no id a\n{FORGED}\x1b[2K")).splitlines()
    assert lines == ["INFO broken", f"{INDENT}ValueError: no id a", rf"{INDENT}{FORGED}\x1b[2K"]


@contextmanager
def service_logging() -> Iterator[io.StringIO]:
    """What the service's logging writes to standard error."""
    root, engine = logging.getLogger(), logging.getLogger("dbos")
    kept = root.handlers[:], root.level, engine.handlers[:], engine.propagate
    with redirect_stderr(io.StringIO()) as written:
        set_up_logging("info")
        yield written
    root.handlers[:], root.level, engine.handlers[:], engine.propagate = kept


@pytest.mark.parametrize("name", ["app", "uvicorn.error", "dbos", "sqlalchemy"])
def test_every_logger_writes_one_line_for_an_event(name: str) -> None:
    with service_logging() as written:
        logging.getLogger(name).error("of a\n%s", FORGED)
    assert [name in line for line in written.getvalue().splitlines()] == [True]


def test_request_with_a_line_break_in_its_path_is_logged_as_one_line(client: TestClient) -> None:
    with service_logging() as written:
        client.get("/jobs/a%0a2026-01-01%20ERROR%20app:%20forged%1b[2K")
    (line,) = [
        line for line in written.getvalue().splitlines() if "app.api.middleware.concurrency_limit" in line
    ]
    assert r"GET /jobs/a\x0a2026-01-01 ERROR app: forged\x1b[2K 404" in line


def test_unfinished_response_is_logged_once() -> None:
    assert UNFINISHED in inspect.getsource(httptools_impl)
    with service_logging() as written:
        logging.getLogger("uvicorn.error").error(UNFINISHED)
        logging.getLogger("uvicorn.error").error("Other.")
    (line,) = written.getvalue().splitlines()
    assert line.endswith("uvicorn.error: Other.")
