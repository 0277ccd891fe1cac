"""The process that converts one file: from standard input to standard output, within bounds.

What it refuses it says on standard error, as a line of JSON. It knows nothing of the service.
"""

import errno
import gc
import json
import os
import resource
import sys
from importlib import import_module
from typing import NoReturn

from app.intake.files.refusals import EXIT_LARGE, EXIT_REFUSED, Bounds, Refused, Vast

MEMORY = 1_610_612_736  # bytes: 1.5 GiB, some 0.3 of it for the libraries
GROWTH = 2  # a number of one digit takes eight bytes
CPU_S = 60
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.ENOMEM)
READERS = {
    "workbook": "workbook_lines",
    "json": "json_columns",
    "parquet": "typed_columns",
    "arrow": "typed_columns",
}


def main(kind: str, size: int, columns: int) -> None:
    """Convert standard input."""
    gc.disable()  # objects of a file are freed together, at the end
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, GROWTH * size),
        (resource.RLIMIT_CPU, CPU_S),
    ):
        resource.setrlimit(what, (limit, limit))
    try:
        with os.fdopen(0, "rb") as source, os.fdopen(1, "wb") as target:
            import_module(f"app.intake.files.{READERS[kind]}").convert(source, target, Bounds(columns, size))
    except Refused as error:
        _leave(EXIT_REFUSED, str(error))
    except RecursionError:
        _leave(EXIT_REFUSED, "The JSON is nested too deeply to be a table. Send a list of flat objects.")
    except Vast as error:
        _leave(EXIT_LARGE, str(error))
    except MemoryError:
        _leave(EXIT_LARGE)
    except OSError as error:
        if error.errno in NO_ROOM:
            _leave(EXIT_LARGE)
        raise
    os._exit(0)  # without the destructors: threads of Arrow that still end would abort the process


def _leave(status: int, detail: str = "") -> NoReturn:
    sys.stderr.write(f"{json.dumps(detail)}\n")
    sys.stderr.flush()
    os._exit(status)  # without the destructors, which may need memory


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
