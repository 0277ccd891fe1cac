"""Choose the device to compute on, and the number of threads."""

import torch

from models.errors import DeviceUnavailable


def resolve_device(name: str) -> torch.device:
    """Return the device named `auto` (CUDA if present, else the CPU), `cpu`, `cuda` or `cuda:N`.

    Raise `DeviceUnavailable` for an unknown or missing device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if name == "cpu" or (kind == "cuda" and (name == "cuda" or number.isdecimal())):
        return _present(torch.device(name))
    raise DeviceUnavailable(f"The device {name!r} is not known; use auto, cpu, cuda or cuda:0 and so on.")


def _present(device: torch.device) -> torch.device:
    if device.type == "cpu":
        return device
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= count:
        raise DeviceUnavailable(
            f"The device {str(device)!r} is not here: PyTorch sees {count} CUDA devices. Use auto or cpu."
        )
    return device


def use_one_thread() -> None:
    """Run every later torch operation of this process in its caller's thread.

    Networks this small gain nothing from more threads, and a server has one for each request already.
    """
    torch.set_num_threads(1)
