"""Which device there is to compute on, found out without waiting for torch where that can be."""

import ctypes

from app.errors import BadInput
from models.errors import DeviceUnavailable

NVIDIA_DRIVER = "libcuda.so.1"


def resolve(name: str) -> str:
    """Return the device that a setting means: `cpu`, or `cuda` with its number if it has one.

    Raises BadInput if it is not there.
    """
    if name == "cpu" or (name == "auto" and not _has_driver()):
        return "cpu"
    from models.network.devices import resolve_device  # noqa: PLC0415  # torch takes seconds to be imported

    try:
        return str(resolve_device(name))
    except DeviceUnavailable as error:
        raise BadInput(f"GATECAST_DEVICE: {error}") from error


def _has_driver() -> bool:
    try:
        ctypes.CDLL(NVIDIA_DRIVER)
    except OSError:
        return False
    return True
