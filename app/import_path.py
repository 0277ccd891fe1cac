"""Keep the working folder out of the import path, so that the service runs its own packages alone.

With `python -m`, and in processes that multiprocessing starts, Python looks in the working folder first: a
file `app.py` or `models.py` there would run with the rights of the service.
"""

import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

from app.errors import CannotStart

ROOT = Path(__file__).resolve().parents[1]
OWN_PACKAGES = ("app", "models")  # migrations are found by their path
SAFE_PATH = "PYTHONSAFEPATH"


def leave_out_working_folder() -> None:
    """Remove the working folder from the import path, where `python -m app` puts it first."""
    if not sys.flags.safe_path:
        sys.path.pop(0)


def check() -> None:
    """Keep the working folder out of the import path of child processes, and check their packages.

    Raises CannotStart if they would import `app` or `models` from another place.
    """
    os.environ[SAFE_PATH] = "1"
    for name in OWN_PACKAGES:
        found = _folder(name)
        if found != ROOT / name:
            raise CannotStart(
                f"Python finds the package `{name}` in {found}, not in {ROOT}, where this Gatecast is. Take "
                "that place out of PYTHONPATH, or start the service by the `gatecast` that belongs to it."
            )


def _folder(name: str) -> Path | None:
    """Return the folder or file that a package would be imported from; None if there is none."""
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
