"""Find the device to compute on, without the import of torch where possible."""

import ctypes

from app.errors import BadInput
from models.errors import DeviceUnavailable

NVIDIA_DRIVER = "libcuda.so.1"


def resolve(name: str) -> str:
    """Return the device of a setting: `cpu`, or `cuda` with its number if it has one.

    Raises BadInput if this machine does not have it.
    """
    if name == "cpu" or (name == "auto" and not _has_driver()):
        return "cpu"
    from models.network.devices import resolve_device  # noqa: PLC0415  # the import of torch takes seconds

    try:
        return str(resolve_device(name))
    except DeviceUnavailable as error:
        raise BadInput(f"GATECAST_DEVICE: {error}") from error


def resolve_for_serving(name: str) -> str:
    """Return the device that forecasts are computed on, which with `auto` is the CPU.

    One series at a time is no work for a GPU, and trainings have it. Raises BadInput as `resolve`.
    """
    return "cpu" if name == "auto" else resolve(name)


def _has_driver() -> bool:
    try:
        ctypes.CDLL(NVIDIA_DRIVER)
    except OSError:
        return False
    return True
