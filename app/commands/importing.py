"""Imports of a command that ends soon."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collections() -> Iterator[None]:
    """Collect no garbage while modules are imported, and pass over what they made ever after.

    Modules stay to the end. Looking for garbage in them took a quarter of a command's start, and every later
    collection looked at them again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
