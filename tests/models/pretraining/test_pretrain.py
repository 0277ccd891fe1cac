from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.choices import MAX_PRETRAINED_HORIZON
from models.config import PRETRAINED_MEMBERS
from models.errors import CannotResume
from models.pretraining.__main__ import run
from models.pretraining.pretrain import Lesson, examine, pretrain
from models.pretraining.state import Curriculum, PupilState

TINY = Curriculum(rounds=2, lessons=2, batches=2, batch=16, examination=2)
BEGINNING = [PupilState()] * PRETRAINED_MEMBERS


def same(first: PupilState, second: PupilState) -> bool:
    return all(torch.equal(value, second.weights[name]) for name, value in first.weights.items())


def test_same_curriculum_gives_the_same_bits() -> None:
    first, second = pretrain(TINY, BEGINNING), pretrain(TINY, BEGINNING)
    assert all(same(*pair) for pair in zip(first, second, strict=True))


def test_members_learn_different_things() -> None:
    first, second = pretrain(TINY, BEGINNING)
    assert not same(first, second)


def test_broken_off_pretraining_goes_on_to_the_same_bits() -> None:
    reached: list[tuple[int, PupilState]] = []
    whole = pretrain(TINY, BEGINNING, lambda member, state: reached.append((member, state)))
    after_one = dict(pair for pair in reached if pair[1].rounds == 1)
    resumed = pretrain(TINY, [after_one[member] for member in range(PRETRAINED_MEMBERS)])
    assert all(same(*pair) for pair in zip(whole, resumed, strict=True))


def test_lesson_depends_on_its_number_alone() -> None:
    first, again, other = (Lesson.of(TINY, (0, 3, number)) for number in (1, 1, 2))
    assert torch.equal(first.windows.inputs, again.windows.inputs)
    assert not torch.equal(first.windows.inputs, other.windows.inputs)


@pytest.mark.parametrize("number", range(20))
def test_every_lesson_has_finite_windows_and_a_horizon_within_bounds(number: int) -> None:
    lesson = Lesson.of(TINY, (0, 0, number))
    windows = lesson.windows
    assert 1 <= lesson.config.horizon <= MAX_PRETRAINED_HORIZON
    assert len(windows) == TINY.batches * TINY.batch
    assert all(part.isfinite().all() for part in (windows.inputs, windows.targets, windows.weights))


def test_more_rounds_lower_the_loss_on_most_lessons_that_nobody_has_seen() -> None:
    short, long = (replace(TINY, rounds=rounds, lessons=4, batch=32, examination=16) for rounds in (1, 6))
    after_short, after_long = (
        examine(short, [state.weights for state in pretrain(curriculum, BEGINNING)])
        for curriculum in (short, long)
    )
    assert (after_long < after_short).mean() > 0.8


def test_run_writes_weights_and_what_is_to_be_said_of_them(tmp_path: Path) -> None:
    told: list[str] = []
    run(TINY, tmp_path / "out" / "weights.safetensors", tmp_path / "checkpoints", told.append)
    assert (tmp_path / "out" / "weights.safetensors").stat().st_size > 1000
    assert "median loss in the examination" in (tmp_path / "out" / "weights.json").read_text()
    assert len(told) == TINY.rounds * PRETRAINED_MEMBERS + 1


def test_run_that_is_over_has_nothing_left_to_learn(tmp_path: Path) -> None:
    out = tmp_path / "weights.safetensors"
    told: list[str] = []
    run(TINY, out, tmp_path / "checkpoints", lambda _: None)
    before = out.read_bytes()
    run(TINY, out, tmp_path / "checkpoints", told.append)
    assert (len(told), out.read_bytes()) == (1, before)


def test_checkpoint_of_another_curriculum_is_refused(tmp_path: Path) -> None:
    run(TINY, tmp_path / "weights.safetensors", tmp_path, lambda _: None)
    with pytest.raises(CannotResume, match="curriculum"):
        run(replace(TINY, seed=1), tmp_path / "weights.safetensors", tmp_path, lambda _: None)
