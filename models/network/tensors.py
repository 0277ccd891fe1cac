"""Groups of named tensors, and layers that hold some."""

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

Tensors = dict[str, Tensor]

Layer = TypeVar("Layer", bound=nn.Module)


def group(tensors: Mapping[str, Tensor], name: str) -> Tensors:
    """Return the tensors of a group, `<name>.<key>`, by their key."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def on_cpu(tensors: Mapping[str, Tensor]) -> Tensors:
    """Return copies on the CPU, which later training steps do not change."""
    return {name: value.detach().cpu().clone() for name, value in tensors.items()}


def allocated(layer: Layer) -> Layer:
    """Return the layer, made on the meta device, with weights on the CPU that are not initialised.

    `to_empty` does the same, and imports sympy for it, which takes a quarter of a second.
    """
    empty = {name: torch.empty(value.shape, dtype=value.dtype) for name, value in layer.state_dict().items()}
    layer.load_state_dict(empty, assign=True)
    return layer
