import math

import numpy as np
import pytest
import torch

from models.errors import HorizonTooLong, TrainingDiverged, TrainingStopped, UnusableHistory
from models.inputs.batches import Batch, WindowSampler
from models.methods.baselines import naive
from models.methods.ensemble import ensemble_forecast
from models.metrics import smape
from models.network.artifact import dump
from models.network.forecaster import Forecaster, build_member
from models.panel import Panel
from models.training.fit import FitProgress, fit
from models.training.training_loop import one_cycle, pinball_loss
from tests.models.samples import tiny_config, using_threads, wave, waves


def test_same_seed_gives_same_bits() -> None:
    first, second = (dump(fit(waves(), tiny_config())) for _ in range(2))
    assert first.weights == second.weights


def test_fit_uses_one_thread_and_restores_the_number_before() -> None:
    used: list[int] = []
    with using_threads(2):
        fit(waves(), tiny_config(), on_epoch=lambda _: used.append(torch.get_num_threads()))
        assert torch.get_num_threads() == 2
    assert set(used) == {1}


def test_other_seed_gives_other_weights() -> None:
    first, second = (dump(fit(waves(), tiny_config(seed=seed))) for seed in (1, 2))
    assert first.weights != second.weights


def test_neighbouring_seeds_share_no_member() -> None:
    first, second = (fit(waves(), tiny_config(seed=seed, views=("last",) * 2)) for seed in (1, 2))
    assert not torch.equal(first.networks[1].head.weight, second.networks[0].head.weight)


def test_global_random_state_does_not_change() -> None:
    before = torch.get_rng_state()
    fit(waves(), tiny_config())
    assert torch.equal(torch.get_rng_state(), before)


def test_small_problem_is_learned() -> None:
    panel = waves(series=20, length=48)
    context, hidden = panel.without_last(4), panel.last(4)
    model = fit(context, tiny_config(steps=200, epochs=10))
    ours = smape(hidden, ensemble_forecast(model, context).median)
    assert ours < 0.25 * smape(hidden, naive(context, 4))
    assert ours < 4.0


def test_single_batch_can_be_overfitted() -> None:
    generator = torch.Generator().manual_seed(3)
    config = tiny_config(hidden=64)
    inputs, targets = (torch.randn(size, generator=generator) for size in ((8, 8, 4), (8, 4)))
    batch = Batch(inputs, targets, torch.ones(8, 4))
    network, quantiles = build_member(config, 0, generator), torch.tensor(config.quantiles)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(300):
        loss = pinball_loss(network(inputs), batch, quantiles)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
    assert loss.item() < 0.03


def test_held_out_steps_do_not_reach_the_weights() -> None:
    panel, config = waves(), tiny_config()
    changed = panel.values.copy()
    changed[np.arange(len(changed)) % 40 >= 36] *= 3
    first = fit(panel, config, held_out=4)
    second = fit(Panel(changed, panel.offsets, panel.phases), config, held_out=4)
    assert dump(first).weights == dump(second).weights


def test_last_values_reach_the_weights_when_nothing_is_held_out() -> None:
    panel, config = waves(), tiny_config()
    changed = panel.values.copy()
    changed[39] *= 3
    first, second = (
        fit(Panel(values, panel.offsets, panel.phases), config) for values in (panel.values, changed)
    )
    assert dump(first).weights != dump(second).weights


def test_validation_loss_is_that_of_the_weights_on_the_held_out_windows() -> None:
    seen: list[FitProgress] = []
    panel, config = waves(), tiny_config(views=("last",))
    model = fit(panel, config, held_out=4, on_epoch=seen.append)
    assert seen[-1].validation_loss == pytest.approx(held_out_loss(model, panel), rel=1e-6)


def held_out_loss(model: Forecaster, panel: Panel) -> float:
    sampler = WindowSampler.of(panel, model.config, 4, torch.device("cpu"))
    batch = sampler.validation("last", torch.Generator())
    with torch.no_grad():
        return pinball_loss(
            model.networks[0](batch.inputs), batch, torch.tensor(model.config.quantiles)
        ).item()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_members_trained_in_parallel_are_the_same_bits(threads: int) -> None:
    with using_threads(threads):
        weights = dump(fit(waves(), tiny_config())).weights
    assert weights == dump(fit(waves(), tiny_config())).weights


def test_progress_is_reported_after_every_epoch() -> None:
    seen: list[FitProgress] = []
    fit(waves(), tiny_config(), on_epoch=seen.append)
    assert [(p.member, p.epoch) for p in seen] == [(m, e) for m in (1, 2, 3) for e in (1, 2, 3, 4, 5)]
    assert [p.share_done for p in seen] == pytest.approx([(i + 1) / 15 for i in range(15)])
    assert all(p.members == 3 and p.epochs == 5 and p.loss > 0 for p in seen)
    assert {p.validation_loss for p in seen} == {None}


def test_stop_request_ends_it_before_the_next_batch() -> None:
    calls = 0

    def should_stop() -> bool:
        nonlocal calls
        calls += 1
        return calls == 3

    with pytest.raises(TrainingStopped, match="step 2 of member 1"):
        fit(waves(), tiny_config(), should_stop=should_stop)
    assert calls == 3


def test_failure_of_one_member_stops_the_others() -> None:
    """The caller's own error ends the training at once, though the other members have long to go."""
    calls = 0

    def should_stop() -> bool:
        nonlocal calls
        calls += 1
        return False

    def fail(_: FitProgress) -> None:
        raise KeyError

    with using_threads(3), pytest.raises(KeyError):
        fit(waves(), tiny_config(steps=3000), on_epoch=fail, should_stop=should_stop)
    assert calls < 3 * 3000


@pytest.mark.parametrize(("held_out", "limit"), [(0, 38), (20, 18)])
def test_too_long_horizon_is_refused_with_the_limit(held_out: int, limit: int) -> None:
    with pytest.raises(HorizonTooLong, match=f"at most {limit}[.]"):
        fit(waves(length=40), tiny_config(horizon=limit + 1), held_out=held_out)


@pytest.mark.parametrize("longest", [3, 4, 12])
def test_longest_horizon_can_be_trained(longest: int) -> None:
    panel = waves(series=2, length=longest)
    model = fit(panel, tiny_config(horizon=longest - 2, context=2))
    assert np.isfinite(ensemble_forecast(model, panel).median).all()


def test_series_too_short_to_train_on_do_no_harm() -> None:
    panel = Panel.of([wave(40), [5.0], [3.0, 4.0], wave(9)])
    forecast = ensemble_forecast(fit(panel, tiny_config()), panel)
    assert np.isfinite(forecast.median).all()


def test_panel_without_training_windows_is_refused() -> None:
    values = np.full(40, np.nan)
    values[:2] = 1.0
    with pytest.raises(UnusableHistory, match="nothing to learn from"):
        fit(Panel.of([values]), tiny_config())


def test_loss_that_is_not_finite_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "models.training.training_loop.pinball_loss", lambda outputs, *_: outputs.sum() * math.nan
    )
    with pytest.raises(TrainingDiverged, match=r"by step 6: .* learning rate below 0.01"):
        fit(waves(), tiny_config())


def test_pinball_loss_pulls_high_quantiles_up() -> None:
    batch = Batch(torch.zeros(1, 1, 1), torch.tensor([[1.0]]), torch.ones(1, 1))
    low_and_high = pinball_loss(torch.tensor([[[0.0, 0.0]]]), batch, torch.tensor([0.1, 0.9]))
    assert low_and_high.item() == pytest.approx((0.1 + 0.9) / 2)


def test_gradient_of_the_loss_is_that_of_its_formula() -> None:
    generator = torch.Generator().manual_seed(5)
    ours = torch.randn(6, 4, 3, generator=generator, requires_grad=True)
    theirs, quantiles = ours.detach().clone().requires_grad_(), torch.tensor([0.1, 0.5, 0.9])
    batch = Batch(
        torch.zeros(6, 1, 1),
        torch.randn(6, 4, generator=generator),
        torch.rand(6, 4, generator=generator).round(),
    )
    pinball_loss(ours, batch, quantiles).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    error = batch.targets[..., None] - theirs
    losses = torch.maximum(quantiles * error, (quantiles - 1) * error).mean(dim=2) * batch.weights
    (losses.sum() / batch.weights.count_nonzero()).backward()  # type: ignore[no-untyped-call]
    assert ours.grad is not None
    assert theirs.grad is not None
    assert ours.grad.any()
    assert torch.equal(ours.grad, theirs.grad)


def test_gaps_in_targets_do_not_count() -> None:
    batch = Batch(torch.zeros(1, 1, 1), torch.tensor([[1.0, 0.0]]), torch.tensor([[0.5, 0.0]]))
    outputs = torch.zeros(1, 2, 1, requires_grad=True)
    loss = pinball_loss(outputs, batch, torch.tensor([0.5]))
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert loss.item() == pytest.approx(0.25)
    assert outputs.grad is not None
    assert outputs.grad[0, :, 0].tolist() == pytest.approx([-0.25, 0.0])


def test_rate_rises_then_falls() -> None:
    rates = [one_cycle(share) for share in (0.0, 0.15, 0.3, 0.65, 1.0)]
    assert rates == pytest.approx([0.04, 0.52, 1.0, 0.5, 0.0])
