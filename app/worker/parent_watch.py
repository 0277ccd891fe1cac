"""End a process when its parent is gone."""

import multiprocessing
import multiprocessing.connection
import os
import threading


def exit_with_parent() -> None:
    """Watch the parent process in a thread, and end this process at once when the parent is gone.

    A killed parent cannot end its children. The kernel's parent-death signal does not help either: it may
    watch multiprocessing's fork server, which lives on.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    try:
        multiprocessing.connection.wait([sentinel])
    finally:  # a process that cannot watch its parent must not outlive it either
        os._exit(1)
