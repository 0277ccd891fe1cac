"""Choose the device to compute on, how exactly it computes, and the number of threads."""

import os

import torch

from models.errors import DeviceUnavailable

CUBLAS_WORKSPACE = ":4096:8"
"""The workspace with which cuBLAS, and so an LSTM on a GPU, adds in the same order every time."""


def resolve_device(name: str) -> torch.device:
    """Return the device named `auto` (CUDA if present, else the CPU), `cpu`, `cuda` or `cuda:N`.

    A CUDA device computes with the same bits from run to run, and with float32 throughout, from then on in
    this process. Raise `DeviceUnavailable` for an unknown or missing device.
    """
    # Read when CUDA starts, so it is set before the first question to it.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", CUBLAS_WORKSPACE)
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
    _compute_exactly()
    return device


def _compute_exactly() -> None:
    """Choose deterministic algorithms, and full float32 in place of TF32, whose error is a thousandth.

    An operation without a deterministic algorithm warns, and does not end a training. Source: PyTorch's notes
    on reproducibility and on numerical accuracy.
    """
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    # Also for cuDNN's LSTM, whose default is TF32. The module is replaced at run time, unseen by types.
    torch.backends.fp32_precision = "ieee"  # type: ignore[attr-defined]


def use_one_thread() -> None:
    """Run every later torch operation of this process in its caller's thread.

    Networks this small gain nothing from more threads, and a server has one for each request already.
    """
    torch.set_num_threads(1)
