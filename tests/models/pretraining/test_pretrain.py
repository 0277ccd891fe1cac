from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.choices import MAX_PRETRAINED_HORIZON
from models.config import PRETRAINED_MEMBERS
from models.errors import CannotResume
from models.pretraining.__main__ import run
from models.pretraining.pretrain import SyntheticBatches, pretrain, validate
from models.pretraining.state import PretrainingConfig, PretrainingState

TINY = PretrainingConfig(rounds=2, sources=2, batches=2, batch=16, validation=2)
BEGINNING = [PretrainingState()] * PRETRAINED_MEMBERS


def same(first: PretrainingState, second: PretrainingState) -> bool:
    return all(torch.equal(value, second.weights[name]) for name, value in first.weights.items())


def test_same_config_gives_the_same_bits() -> None:
    first, second = pretrain(TINY, BEGINNING), pretrain(TINY, BEGINNING)
    assert all(same(*pair) for pair in zip(first, second, strict=True))


def test_members_have_different_weights() -> None:
    first, second = pretrain(TINY, BEGINNING)
    assert not same(first, second)


def test_interrupted_pretraining_resumes_to_the_same_bits() -> None:
    reached: list[tuple[int, PretrainingState]] = []
    whole = pretrain(TINY, BEGINNING, lambda member, state: reached.append((member, state)))
    after_one = dict(pair for pair in reached if pair[1].rounds == 1)
    resumed = pretrain(TINY, [after_one[member] for member in range(PRETRAINED_MEMBERS)])
    assert all(same(*pair) for pair in zip(whole, resumed, strict=True))


def test_source_depends_on_its_number_alone() -> None:
    first, again, other = (SyntheticBatches.of(TINY, (0, 3, number)) for number in (1, 1, 2))
    assert torch.equal(first.windows.inputs, again.windows.inputs)
    assert not torch.equal(first.windows.inputs, other.windows.inputs)


@pytest.mark.parametrize("number", range(20))
def test_every_source_has_finite_windows_and_a_horizon_within_limits(number: int) -> None:
    source = SyntheticBatches.of(TINY, (0, 0, number))
    windows = source.windows
    assert 1 <= source.config.horizon <= MAX_PRETRAINED_HORIZON
    assert len(windows) == TINY.batches * TINY.batch
    assert all(part.isfinite().all() for part in (windows.inputs, windows.targets, windows.weights))


def test_more_rounds_lower_the_loss_on_most_other_sources() -> None:
    short, long = (replace(TINY, rounds=rounds, sources=4, batch=32, validation=16) for rounds in (1, 6))
    after_short, after_long = (
        validate(short, [state.weights for state in pretrain(config, BEGINNING)]) for config in (short, long)
    )
    assert (after_long < after_short).mean() > 0.8


def test_run_writes_weights_and_their_metadata(tmp_path: Path) -> None:
    lines: list[str] = []
    run(TINY, tmp_path / "out" / "weights.safetensors", tmp_path / "checkpoints", lines.append)
    assert (tmp_path / "out" / "weights.safetensors").stat().st_size > 1000
    assert "median validation loss" in (tmp_path / "out" / "weights.json").read_text()
    assert len(lines) == TINY.rounds * PRETRAINED_MEMBERS + 1


def test_finished_run_trains_no_further(tmp_path: Path) -> None:
    out = tmp_path / "weights.safetensors"
    lines: list[str] = []
    run(TINY, out, tmp_path / "checkpoints", lambda _: None)
    before = out.read_bytes()
    run(TINY, out, tmp_path / "checkpoints", lines.append)
    assert (len(lines), out.read_bytes()) == (1, before)


def test_checkpoint_of_another_config_is_refused(tmp_path: Path) -> None:
    run(TINY, tmp_path / "weights.safetensors", tmp_path, lambda _: None)
    with pytest.raises(CannotResume, match="another configuration"):
        run(replace(TINY, seed=1), tmp_path / "weights.safetensors", tmp_path, lambda _: None)
