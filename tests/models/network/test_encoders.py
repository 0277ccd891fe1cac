from itertools import combinations
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.choices import Architecture
from models.methods.baselines import naive
from models.methods.ensemble import ensemble_forecast
from models.metrics import smape
from models.network.artifact import dump, load
from models.network.encoders import CNN, ENCODERS
from models.network.forecaster import QuantileNetwork, build_member
from models.training.fit import fit
from tests.models.samples import tiny_config, waves

ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)


def network(architecture: Architecture) -> QuantileNetwork:
    return build_member(tiny_config(architecture=architecture), 0, torch.Generator().manual_seed(1))


def shapes(network: QuantileNetwork, *, encoder: bool) -> dict[str, torch.Size]:
    held = network.state_dict().items()
    return {name: value.shape for name, value in held if name.startswith("encoder.") == encoder}


def test_every_architecture_has_an_encoder_of_its_own() -> None:
    assert set(ENCODERS) == set(ARCHITECTURES)
    parts = [shapes(network(architecture), encoder=True).items() for architecture in ARCHITECTURES]
    assert all(left.isdisjoint(right) for left, right in combinations(parts, 2))


def test_all_but_the_encoder_is_the_same() -> None:
    rest = [shapes(network(architecture), encoder=False) for architecture in ARCHITECTURES]
    assert rest == [{"head.weight": (28, 16), "head.bias": (28,)}] * 4
    assert {type(network(architecture)) for architecture in ARCHITECTURES} == {QuantileNetwork}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_context_becomes_one_vector(architecture: Architecture) -> None:
    assert network(architecture).encoder(torch.zeros(3, 8, 4)).shape == (3, 16)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("step", [0, 7], ids=["oldest", "newest"])
def test_every_step_of_the_context_counts(architecture: Architecture, step: int) -> None:
    encoder, context = network(architecture).encoder, torch.zeros(1, 8, 4)
    changed = context.index_fill(1, torch.tensor([step]), 3.0)
    assert not torch.equal(encoder(context), encoder(changed))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_small_problem_is_learned(architecture: Architecture) -> None:
    panel = waves(series=20, length=48)
    context, hidden = panel.without_last(4), panel.last(4)
    config = tiny_config(architecture=architecture, steps=120, epochs=6)
    ours = smape(hidden, ensemble_forecast(fit(context, config), context).median)
    assert ours < 0.25 * smape(hidden, naive(context, 4))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_loaded_model_forecasts_the_same_bits(architecture: Architecture) -> None:
    model = fit(waves(), tiny_config(architecture=architecture))
    artifact = dump(model)
    again = load(artifact.weights, artifact.metadata)
    assert np.array_equal(ensemble_forecast(model, waves()).median, ensemble_forecast(again, waves()).median)


@pytest.mark.parametrize("context", [2, 3, 8, 9, 36])
def test_cnn_equals_dilated_convolution_that_sees_no_future(context: int) -> None:
    """The encoding of each beginning of a sequence equals the convolution of the whole at that step."""
    config = tiny_config(architecture="cnn", context=context)
    encoder = build_member(config, 0, torch.Generator().manual_seed(1)).encoder
    assert isinstance(encoder, CNN)
    whole = torch.randn(2, context, 4, generator=torch.Generator().manual_seed(2))
    steps = dilated(encoder, whole)
    for stop in range(1, context + 1):
        torch.testing.assert_close(encoder(whole[:, :stop]), steps[:, -context + stop - 1])


def dilated(encoder: CNN, context: Tensor) -> Tensor:
    """Its weights as ordinary dilated convolutions, at every step: (batch, padding + context, hidden)."""
    steps = encoder.read(functional.pad(context, (0, 0, 2 ** len(encoder.layers), 0))).transpose(1, 2)
    for depth, layer in enumerate(encoder.layers):
        assert isinstance(layer, torch.nn.Linear)
        kernel = layer.weight.unflatten(1, (2, -1)).transpose(1, 2)  # type: ignore[no-untyped-call]
        before = functional.pad(steps, (2**depth, 0), mode="replicate")
        steps = steps + functional.conv1d(before, kernel, layer.bias, dilation=2**depth).relu()
    every: Tensor = steps.transpose(1, 2)
    return every
