"""The version of Gatecast that is installed, and of what it computes with."""

from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from app.digest import sha256_of_parts

VERSION = version("gatecast")
VERSIONS = {name: version(name) for name in ("gatecast", "torch", "numpy", "statsforecast", "pyarrow")}
CODE = tuple(Path(__file__).resolve().parents[1] / package for package in ("app", "models"))


@cache
def release() -> str:
    """Return a hash of everything that may change the response to a request: our code and its libraries.

    The version alone would not do, since code under development keeps it.
    """
    files = [(folder, file) for folder in CODE for file in sorted(folder.rglob("*.py"))]
    code = (f"{file.relative_to(folder)} ".encode() + file.read_bytes() for folder, file in files)
    return sha256_of_parts(chain([repr(VERSIONS).encode()], code))
