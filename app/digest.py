"""SHA-256 in hex, of blobs, files, requests and code; the core has `models/digest.py`."""

import hashlib
from collections.abc import Iterable


def sha256(data: bytes) -> str:
    """Return the hash of these bytes."""
    return sha256_of_parts([data])


def sha256_of_parts(parts: Iterable[bytes]) -> str:
    """Return the hash of parts as if they stood in one piece."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part)
    return hashed.hexdigest()
