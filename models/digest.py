"""SHA-256, which names stored weights and panels."""

import hashlib


def sha256(*parts: bytes) -> str:
    """Return the SHA-256 of the parts, one after the other, as hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
