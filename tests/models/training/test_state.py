import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from models.config import TrainingConfig
from models.errors import ArtifactDamaged, CannotResume
from models.network.artifact import Artifact, dump
from models.panel import Panel
from models.training.fit import FitProgress, fit
from models.training.state import TrainingState, dump_state, load_state
from tests.models.samples import tiny_config, using_threads, waves

CONFIG = tiny_config(views=("last", "phase"))


class Interrupted(Exception):
    """Stands for whatever ends a process."""


def states(panel: Panel, config: TrainingConfig) -> Iterator[TrainingState]:
    """The state after each epoch of an uninterrupted training."""
    seen: list[TrainingState] = []
    fit(panel, config, on_state=seen.append)
    return iter(seen)


def interrupted(panel: Panel, config: TrainingConfig, after: int) -> Artifact:
    """Return the last stored state of a training that dies with the state after epoch number `after`."""
    kept: list[Artifact] = []

    def keep(state: TrainingState) -> None:
        kept.append(dump_state(state))
        if len(kept) == after:
            raise Interrupted

    with pytest.raises(Interrupted):
        fit(panel, config, on_state=keep)
    return kept[-1]


def stored_and_loaded(artifact: Artifact) -> TrainingState:
    return load_state(artifact.weights, json.loads(json.dumps(artifact.metadata)))


@pytest.fixture(scope="module")
def uninterrupted() -> bytes:
    return dump(fit(waves(), CONFIG)).weights


@pytest.mark.parametrize("after", [1, 3, 5, 6, 9, 10], ids="epoch {}".format)
def test_resumed_training_equals_an_uninterrupted_one(uninterrupted: bytes, after: int) -> None:
    state = stored_and_loaded(interrupted(waves(), CONFIG, after))
    assert dump(fit(waves(), CONFIG, resume=state)).weights == uninterrupted


@pytest.mark.parametrize("architecture", ["gru", "rnn", "cnn"])
def test_resumed_training_of_other_encoders_equals_an_uninterrupted_one(architecture: str) -> None:
    config = tiny_config(views=("season",), architecture=architecture)
    state = stored_and_loaded(interrupted(waves(), config, 2))
    assert dump(fit(waves(), config, resume=state)).weights == dump(fit(waves(), config)).weights


@pytest.mark.parametrize("after", [1, 4, 7])
def test_members_interrupted_in_parallel_resume_from_their_own_states(
    uninterrupted: bytes, after: int
) -> None:
    with using_threads(2):
        state = stored_and_loaded(interrupted(waves(), CONFIG, after))
        assert dump(fit(waves(), CONFIG, resume=state)).weights == uninterrupted


def test_resumed_training_reports_only_what_it_does_itself() -> None:
    seen: list[FitProgress] = []
    fit(waves(), CONFIG, resume=stored_and_loaded(interrupted(waves(), CONFIG, 7)), on_epoch=seen.append)
    assert [(p.member, p.epoch) for p in seen] == [(2, 3), (2, 4), (2, 5)]


def test_state_may_be_resumed_from_twice() -> None:
    state = next(states(waves(), CONFIG))
    first, second = (dump(fit(waves(), CONFIG, resume=state)).weights for _ in range(2))
    assert first == second


def test_state_has_the_epoch_of_each_member() -> None:
    at = [[member.epoch for member in state.members.values()] for state in states(waves(), CONFIG)]
    assert at == [[1], [2], [3], [4], [5], [5, 1], [5, 2], [5, 3], [5, 4], [5, 5]]


@pytest.mark.parametrize("held_out", [0, 4])
def test_stored_state_has_the_same_progress(held_out: int) -> None:
    seen: list[FitProgress] = []
    kept: list[TrainingState] = []
    fit(waves(), CONFIG, held_out=held_out, on_epoch=seen.append, on_state=kept.append)
    again = stored_and_loaded(dump_state(kept[6]))
    assert FitProgress.of(again, member=1) == seen[6]


def test_seconds_of_a_resumed_training_count_those_before() -> None:
    state = replace(next(states(waves(), CONFIG)), seconds=1000.0)
    seen: list[TrainingState] = []
    fit(waves(), CONFIG, resume=stored_and_loaded(dump_state(state)), on_state=seen.append)
    assert 1000 < seen[0].seconds < seen[-1].seconds < 1100


def test_finished_training_is_not_trained_further(uninterrupted: bytes) -> None:
    *_, finished = states(waves(), CONFIG)
    again = fit(waves(), CONFIG, resume=finished, should_stop=lambda: True)
    assert dump(again).weights == uninterrupted


def test_state_of_another_config_is_refused() -> None:
    state = next(states(waves(), CONFIG))
    with pytest.raises(CannotResume, match="another seed, context than"):
        fit(waves(), tiny_config(views=CONFIG.views, seed=8, context=7), resume=state)


@pytest.mark.parametrize("part", ["values", "phases"])
def test_state_of_other_data_is_refused(part: str) -> None:
    state, panel = next(states(waves(), CONFIG)), waves()
    getattr(panel, part)[3] += 1
    with pytest.raises(CannotResume, match="other data"):
        fit(panel, CONFIG, resume=state)


def test_changed_state_is_refused() -> None:
    artifact = interrupted(waves(), CONFIG, 1)
    flipped = artifact.weights[:-1] + bytes([artifact.weights[-1] ^ 1])
    with pytest.raises(ArtifactDamaged, match="SHA-256"):
        load_state(flipped, artifact.metadata)


def test_model_is_not_taken_for_a_state() -> None:
    artifact = dump(fit(waves(), tiny_config()))
    with pytest.raises(ArtifactDamaged, match="format 1; this version reads format training 3"):
        load_state(artifact.weights, artifact.metadata)


def test_state_of_another_hold_out_is_refused() -> None:
    state = next(states(waves(), CONFIG))
    with pytest.raises(CannotResume, match="another held_out than"):
        fit(waves(), CONFIG, held_out=4, resume=state)


def test_storing_states_changes_no_bit(uninterrupted: bytes) -> None:
    before = torch.get_rng_state()
    kept: list[Artifact] = []
    watched = fit(waves(), CONFIG, on_state=lambda state: kept.append(dump_state(state)))
    assert dump(watched).weights == uninterrupted
    assert torch.equal(torch.get_rng_state(), before)
