"""Groups of named tensors."""

from collections.abc import Mapping

from torch import Tensor

Tensors = dict[str, Tensor]


def group(tensors: Mapping[str, Tensor], name: str) -> Tensors:
    """Return the tensors of a group, `<name>.<key>`, by their key."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def on_cpu(tensors: Mapping[str, Tensor]) -> Tensors:
    """Return copies on the CPU, which later training steps do not change."""
    return {name: value.detach().cpu().clone() for name, value in tensors.items()}
