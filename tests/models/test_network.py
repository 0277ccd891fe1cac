import torch

from models.network import Forecaster, build_member
from tests.models.samples import tiny_config


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_context_becomes_every_step_at_every_quantile() -> None:
    network = build_member(tiny_config(), 0, generator())
    assert network(torch.zeros(3, 8, 4)).shape == (3, 4, 7)


def test_weights_come_from_the_generator_alone() -> None:
    before = torch.get_rng_state()
    first, same, other = (build_member(tiny_config(), 0, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, first.parameters(), same.parameters()))
    assert not torch.equal(first.head.weight, other.head.weight)


def test_size_counts_every_weight() -> None:
    config = tiny_config(views=("last",))
    lstm = 4 * 16 * (4 + 16 + 2)
    head = (16 + 1) * 4 * 7
    forecaster = Forecaster(config, (build_member(config, 0, generator()),))
    assert forecaster.nbytes == 4 * (lstm + head)


def test_oldest_input_still_counts() -> None:
    network = build_member(tiny_config(), 0, generator())
    context = torch.zeros(1, 8, 4)
    context[0, 0, 0] = 5.0
    assert not torch.equal(network(context), network(torch.zeros(1, 8, 4)))
