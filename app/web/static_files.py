"""The files that pages load: styles, modules, the chart library, the sample. All come from the package.

They lie below a name made of what is in all of them, so that a browser may keep them for good, and modules
find each other by relative paths.
"""

import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.digest import sha256
from app.errors import NotFound

FOLDER = Path(__file__).with_name("static")
TYPES = {".css": "text/css", ".js": "text/javascript", ".csv": "text/csv", ".svg": "image/svg+xml"}
KEPT = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}


@dataclass(frozen=True)
class StaticFile:
    """A file as it is sent, plain and compressed."""

    media_type: str
    plain: bytes
    packed: bytes


@cache
def files() -> dict[str, StaticFile]:
    """Return every file by its name."""
    found = [path for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES]
    return {path.name: _read(path) for path in found}


@cache
def folder() -> str:
    """Return the path below which the files lie."""
    digest = sha256(b"\0".join(name.encode() + file.plain for name, file in files().items()))
    return f"/ui/static/{digest[:16]}"


def find(name: str) -> StaticFile:
    """Return a file. Raises NotFound."""
    if name not in files():
        raise NotFound(f"There is no file {name[:60]} of the page.")
    return files()[name]


def _read(path: Path) -> StaticFile:
    plain = path.read_bytes()
    return StaticFile(f"{TYPES[path.suffix]}; charset=utf-8", plain, gzip.compress(plain, mtime=0))
