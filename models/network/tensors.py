"""Weights by their names."""

from collections.abc import Mapping

from torch import Tensor

Tensors = dict[str, Tensor]


def group(tensors: Mapping[str, Tensor], name: str) -> Tensors:
    """Those whose names begin with `name` and a dot, without both."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def on_cpu(tensors: Mapping[str, Tensor]) -> Tensors:
    """Copies that later training steps leave alone."""
    return {name: value.detach().cpu().clone() for name, value in tensors.items()}
