import subprocess
import sys
from collections.abc import Iterator

import torch
from torch import nn

from models.training.optimizer import AdamW
from tests.models.samples import tiny_config

RATES = (1e-2, 3e-2, 1e-3, 2e-2)


def network() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(5, 3)


def losses(trained: nn.Linear) -> Iterator[torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    for _ in RATES:
        yield trained(torch.randn(7, 5, generator=generator)).square().mean()


def test_weights_are_those_of_torch_to_the_last_bit() -> None:
    ours, theirs = network(), network()
    optimizer = AdamW(ours.parameters(), weight_decay=0.1)
    reference = torch.optim.AdamW(theirs.parameters(), weight_decay=0.1, fused=True)
    for rate, our_loss, their_loss in zip(RATES, losses(ours), losses(theirs), strict=True):
        optimizer.zero_grad()
        our_loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step(rate)
        reference.zero_grad()
        their_loss.backward()  # type: ignore[no-untyped-call]
        reference.param_groups[0]["lr"] = rate
        reference.step()
    assert torch.equal(ours.weight, theirs.weight)
    assert torch.equal(ours.bias, theirs.bias)


def test_state_has_the_names_that_stored_trainings_have() -> None:
    tensors = AdamW(network().parameters(), weight_decay=0.1).tensors
    assert set(tensors) == {
        f"{number}.{name}" for number in (0, 1) for name in ("step", "exp_avg", "exp_avg_sq")
    }


def test_fit_imports_neither_a_compiler_nor_algebra() -> None:
    """Torch's optimizers import its compiler, and layers moved from the meta device sympy: over a second."""
    code = (
        "import sys; from models.config import TrainingConfig; from models.panel import Panel; "
        "from models.training.fit import fit; "
        f"fit(Panel.of([range(20)]), TrainingConfig.from_dict({tiny_config().to_dict()!r})); "
        "print({'torch._dynamo', 'sympy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
