import numpy as np
import pytest
import torch

from models.methods.ensemble import ensemble_forecast
from models.network import pretrained
from models.network.forecaster import Forecaster, build_member, pretrained_member
from models.network.pretrained import PretrainedNetwork, pretrained_weights
from tests.models.samples import tiny_config, untrained, waves


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


def test_pretrained_members_have_the_stored_weights_in_turn() -> None:
    config = tiny_config(views=("last", "pretrained", "pretrained"))
    for member, stored in zip((1, 2), pretrained_weights(), strict=True):
        held = pretrained_member(config, member).state_dict()
        assert all(torch.equal(value, held[name]) for name, value in stored.items())


def test_mixed_ensemble_is_the_mean_of_its_kinds() -> None:
    panel, config = waves(), tiny_config(views=("last", "pretrained"))
    whole, pretrained_alone, learned = untrained(config).subensembles
    halves = [ensemble_forecast(each, panel).median for each in (pretrained_alone, learned)]
    middle = np.exp(np.log(halves).mean(axis=0))  # members are averaged as logarithms, and then put in order
    np.testing.assert_allclose(ensemble_forecast(whole, panel).median, middle, rtol=0.05)


def test_many_answers_made_in_parts_are_those_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network, context = PretrainedNetwork(tiny_config()), torch.randn(10, 48, 6, generator=generator())
    network.load_state_dict(pretrained_weights()[0])
    whole = network(context)
    monkeypatch.setattr(pretrained, "MAX_STEP_ROWS", 12)
    with torch.no_grad():
        torch.testing.assert_close(network(context), whole)
