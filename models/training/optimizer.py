"""AdamW, as `torch.optim.AdamW` is to the last bit, without that class's import of torch's compiler.

Loshchilov & Hutter (2019), Decoupled weight decay regularization. The class imports the compiler when it is
made, which takes a second; its function, which holds the equations, does not.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from models.network.tensors import Tensors, on_cpu

BETAS = (0.9, 0.999)
"""Decay of the moments of the gradient and of its square; those of the paper, and torch's."""

EPSILON = 1e-8
"""Added to the root of the second moment; torch's too."""


class AdamW:
    """The moments of each parameter's gradient, and the step that follows from them."""

    def __init__(self, parameters: Iterable[Tensor], weight_decay: float) -> None:
        self._parameters, self._weight_decay = list(parameters), weight_decay
        self._steps = [torch.zeros((), device=each.device) for each in self._parameters]
        self._first = [torch.zeros_like(each) for each in self._parameters]
        self._second = [torch.zeros_like(each) for each in self._parameters]

    @property
    def tensors(self) -> Tensors:
        """Copies of the state of each parameter on the CPU, named `<number of the parameter>.<name>`."""
        return on_cpu({f"{number}.{name}": value for number, name, value in self._state()})

    def restore(self, tensors: Tensors) -> None:
        """Continue from what `tensors` returned."""
        for number, name, value in self._state():
            value.copy_(tensors[f"{number}.{name}"])

    def zero_grad(self) -> None:
        """Drop the gradients of the last step."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move the parameters in place; each has a gradient."""
        adamw(
            self._parameters,
            [each.grad for each in self._parameters if each.grad is not None],
            self._first,
            self._second,
            [],  # moments of a variant
            self._steps,
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=learning_rate,
            weight_decay=self._weight_decay,
            eps=EPSILON,
            maximize=False,
        )

    def _state(self) -> Iterable[tuple[int, str, Tensor]]:
        """Yield the number of a parameter, the name that torch gives to a part of its state, and the part."""
        named = {"step": self._steps, "exp_avg": self._first, "exp_avg_sq": self._second}
        for name, values in named.items():
            for number, value in enumerate(values):
                yield number, name, value
