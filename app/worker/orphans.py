"""End a process together with the one that started it."""

import multiprocessing
import multiprocessing.connection
import os
import threading


def exit_with_parent() -> None:
    """Watch the parent from a thread and end this process at once when it is gone.

    A killed parent cannot do this itself, and the kernel's parent-death signal does not help: the parent it
    knows of may be multiprocessing's fork server, which lives on.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    try:
        multiprocessing.connection.wait([sentinel])
    finally:  # also what cannot watch its parent must not outlive it
        os._exit(1)
