"""The version of Gatecast that is installed, and of what it computes with."""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

VERSION = version("gatecast")
VERSIONS = {name: version(name) for name in ("gatecast", "torch", "numpy", "statsforecast", "pyarrow")}
CODE = tuple(Path(__file__).resolve().parents[1] / package for package in ("app", "models"))


@cache
def release() -> str:
    """Return a hash of all that may give the same question another answer: our code, and its libraries.

    The version alone would not do: code that is being worked on keeps it.
    """
    seen = sha256(repr(VERSIONS).encode())
    for folder in CODE:
        for file in sorted(folder.rglob("*.py")):
            seen.update(f"{file.relative_to(folder)} ".encode() + file.read_bytes())
    return seen.hexdigest()
