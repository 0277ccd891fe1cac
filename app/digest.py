"""SHA-256 in hex, of blobs, files, requests and code; the core has `models/digest.py`."""

import hashlib
from collections.abc import Iterable
from typing import IO


def sha256(data: bytes) -> str:
    """Return the hash of these bytes."""
    return sha256_of_parts([data])


def sha256_of_file(file: IO[bytes]) -> str:
    """Return the hash of a file, read a piece at a time."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # as it is typed


def sha256_of_parts(parts: Iterable[bytes]) -> str:
    """Return the hash of parts as if they stood in one piece."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part)
    return hashed.hexdigest()
