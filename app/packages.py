"""Whose code runs: the service and all it starts import its own packages, wherever it is started.

Python looks for modules in the working folder first, in `python -m` and in what multiprocessing starts; a
file `app.py` or `models.py` that lies there would be run, with the rights of the service.
"""

import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

from app.errors import CannotStart

ROOT = Path(__file__).resolve().parents[1]
OWN = ("app", "models")  # migrations are found by their path
SAFE_PATH = "PYTHONSAFEPATH"


def leave_out_working_folder() -> None:
    """Let neither this process nor any that it starts look for modules in the working folder.

    For `python -m app.cli`, which puts it in front.
    """
    if not sys.flags.safe_path:
        sys.path.pop(0)


def check() -> None:
    """Keep the working folder out of what children import, and return if they import what is ours.

    Raises CannotStart if they would not.
    """
    os.environ[SAFE_PATH] = "1"
    for name in OWN:
        found = _folder(name)
        if found != ROOT / name:
            raise CannotStart(
                f"Python finds the package `{name}` in {found}, not in {ROOT}, where this Gatecast is. Take "
                "that place out of PYTHONPATH, or start the service by the `gatecast` that belongs to it."
            )


def _folder(name: str) -> Path | None:
    """Return where a package would be imported from, whether or not it is there already."""
    spec = _spec(name)
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin).resolve()
    return place.parent if place.name == "__init__.py" else place


def _spec(name: str) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if hasattr(finder, "find_spec") and (spec := finder.find_spec(name, None)):
            return spec
    return None
