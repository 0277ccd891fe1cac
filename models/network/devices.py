"""The device to compute on, and how many threads to use there."""

import torch

from models.errors import DeviceUnavailable


def resolve_device(name: str) -> torch.device:
    """The device called `auto` (CUDA where there is one), `cpu`, `cuda` or `cuda:N`.

    Raises `DeviceUnavailable` when it is unknown or not there.
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
    """Let every later operation of this process run in the thread that asks for it.

    For a server, whose requests come in threads of their own: networks this small gain nothing from more, and
    threads that wait for each other cost many times what they do.
    """
    torch.set_num_threads(1)
