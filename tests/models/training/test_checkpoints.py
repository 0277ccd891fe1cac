import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from models.choices import Architecture
from models.config import TrainingConfig
from models.network.artifact import Artifact, dump
from models.panel import Panel
from models.training.train import Progress, Trained, train
from tests.models.samples import bounds, tiny_config, waves

CONFIG = tiny_config(views=("last", "phase"), season_lengths=(), steps=5)
CANDIDATES: tuple[Architecture, ...] = ("rnn", "cnn")
PARTS = ("backtesting-rnn", "backtesting-cnn", "baselines", "training", "followers")
SAVES = (10, 10, 2, 10, 1)
"""Saves of each part if each is due: epochs of both members, twelve windows by eight, and all series at once.
"""


class Interrupted(Exception):
    """Stands for whatever ends a process."""


class Memory:
    """Checkpoints that outlive an attempt, which is interrupted after `lasting` saves."""

    def __init__(self, lasting: int | None = None, due: Callable[[], bool] = lambda: True) -> None:
        self.lasting, self.due = lasting, due
        self.kept: dict[str, Artifact] = {}
        self.saved: list[str] = []
        self.end = Interrupted()

    def load(self, part: str) -> Artifact | None:
        return self.kept.get(part)

    def save(self, parts: Mapping[str, Artifact]) -> None:
        for part, artifact in parts.items():
            self.kept[part] = Artifact(artifact.weights, json.loads(json.dumps(artifact.metadata)))
        self.saved += parts
        if len(self.saved) == self.lasting:
            raise self.end


def panel() -> Panel:
    """Two cuts of six series: twelve windows, which take ETS little time."""
    return waves(series=6)


def trained(
    memory: Memory,
    seen: list[Progress] | None = None,
    config: TrainingConfig = CONFIG,
    should_stop: Callable[[], bool] = lambda: False,
) -> Trained:
    reports = [] if seen is None else seen
    return train(
        panel(),
        config,
        CANDIDATES,
        blending="blend",
        on_progress=reports.append,
        should_stop=should_stop,
        checkpoints=memory,
    )


def interrupted(after: int, seen: list[Progress] | None = None) -> Memory:
    """Return the checkpoints of a training that dies with number `after`, for the next attempt."""
    memory = Memory(lasting=after)
    with pytest.raises(Interrupted):
        trained(memory, seen)
    memory.lasting = None
    return memory


def bits(result: Trained) -> list[object]:
    """Return the whole result of a training but its seconds."""
    assessment = result.assessment
    return [
        dump(result.model).weights,
        [replace(trial, seconds=0) for trial in result.trials],
        {
            name: [part.tobytes() for part in bounds(forecast)]
            for name, forecast in assessment.backtest.forecasts.items()
        },
        {name: method.to_dict() for name, method in assessment.methods.items()},
        assessment.served,
        assessment.verdicts,
    ]


@pytest.fixture(scope="module")
def whole() -> Memory:
    """Every part of a training at its end."""
    memory = Memory()
    trained(memory)
    return memory


@pytest.fixture(scope="module")
def uninterrupted() -> list[object]:
    return bits(train(panel(), CONFIG, CANDIDATES, blending="blend"))


def copied(memory: Memory) -> Memory:
    again = Memory()
    again.kept = dict(memory.kept)
    return again


def test_parts_are_saved_in_turn_whenever_it_is_due(whole: Memory) -> None:
    assert whole.saved == [part for part, saves in zip(PARTS, SAVES, strict=True) for _ in range(saves)]


@pytest.mark.parametrize("after", [1, 7, 10, 13, 20, 21, 22, 23, 32], ids="checkpoint {}".format)
def test_training_resumed_at_any_checkpoint_equals_an_uninterrupted_one(
    uninterrupted: list[object], after: int
) -> None:
    assert bits(trained(interrupted(after))) == uninterrupted


def test_training_interrupted_again_and_again_ends_with_the_same_bits(uninterrupted: list[object]) -> None:
    memory = Memory(lasting=0)
    for last in (4, 8, 12, 16, 21, 22, 27, 31):
        memory.lasting = last
        with pytest.raises(Interrupted):
            trained(memory)
    memory.lasting = None
    assert bits(trained(memory)) == uninterrupted
    assert len(memory.saved) == sum(SAVES)


def test_finished_parts_are_not_done_again(whole: Memory, uninterrupted: list[object]) -> None:
    seen: list[Progress] = []
    assert bits(trained(copied(whole), seen, should_stop=lambda: True)) == uninterrupted
    assert [(p.phase, p.fit.member, p.fit.epoch) for p in seen if p.fit is not None] == [
        ("backtesting", 2, 5),
        ("backtesting", 2, 5),
        ("training", 2, 5),
    ]


@pytest.mark.parametrize(("after", "left"), [(7, 3), (10, 0)])
def test_resumed_fit_does_only_the_epochs_that_are_left(after: int, left: int) -> None:
    seen: list[Progress] = []
    memory = interrupted(after)
    memory.lasting = sum(SAVES)
    with pytest.raises(Interrupted):
        trained(memory, seen)
    assert [p.architecture for p in seen].count("rnn") == 1 + left


@pytest.mark.parametrize(("after", "ended"), [(7, 0), (15, 1), (31, 2)])
def test_resumed_training_reports_its_progress_before_it_continues(after: int, ended: int) -> None:
    before: list[Progress] = []
    seen: list[Progress] = []
    trained(interrupted(after, before), seen)
    assert [p.fit and p.fit.share_done for p in seen[:ended]] == [1] * ended
    assert seen[ended] == before[-1]


@pytest.mark.parametrize("after", [7, 15, 21, 31])
def test_share_done_rises_to_one_when_resumed(after: int) -> None:
    seen: list[Progress] = []
    trained(interrupted(after), seen)
    shares = [progress.share_done for progress in seen]
    assert shares == sorted(set(shares))
    assert shares[-1] == 1


@pytest.mark.parametrize("part", PARTS[1:])
@pytest.mark.parametrize("change", ["weights", "format", "metadata"])
def test_part_with_an_unreadable_checkpoint_starts_again(
    whole: Memory, uninterrupted: list[object], part: str, change: str
) -> None:
    memory = copied(whole)
    weights, metadata = memory.kept[part].weights, memory.kept[part].metadata
    memory.kept[part] = {
        "weights": Artifact(weights[:-1] + bytes([weights[-1] ^ 1]), metadata),
        "format": Artifact(weights, {**metadata, "format": "training 1"}),
        "metadata": Artifact(weights, {}),
    }[change]
    assert bits(trained(memory)) == uninterrupted
    assert set(memory.saved) == {part}


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"seed": 8}, {"backtesting-rnn", "backtesting-cnn", "training"}),
        ({"horizon": 3}, set(PARTS)),
        ({"season_lengths": (2,)}, set(PARTS)),
    ],
    ids=["seed", "horizon", "season_lengths"],
)
def test_parts_of_another_config_start_again(
    whole: Memory, change: dict[str, object], again: set[str]
) -> None:
    """Another seed chooses other windows only where there are too many; the baselines draw nothing."""
    config = replace(CONFIG, **change)  # type: ignore[arg-type]  # the dataclass checks its fields itself
    memory = copied(whole)
    assert bits(trained(memory, config=config)) == bits(train(panel(), config, CANDIDATES))
    assert set(memory.saved) == again


@pytest.mark.parametrize("field", ["values", "phases"])
def test_parts_of_other_data_start_again(whole: Memory, field: str) -> None:
    other, memory = panel(), copied(whole)
    getattr(other, field)[0] += 1
    resumed = train(other, CONFIG, CANDIDATES, checkpoints=memory)
    assert bits(resumed) == bits(train(other, CONFIG, CANDIDATES))
    assert set(memory.saved) == set(PARTS)


def test_fit_of_the_backtest_is_not_used_for_the_kept_model(
    whole: Memory, uninterrupted: list[object]
) -> None:
    memory = copied(whole)
    memory.kept["training"] = memory.kept["backtesting-rnn"]
    assert bits(trained(memory)) == uninterrupted


@pytest.mark.parametrize("after", [1, 21, 23], ids="in part {}".format)
def test_error_of_a_save_passes_through_unchanged(after: int) -> None:
    memory = Memory(lasting=after)
    with pytest.raises(Interrupted) as raised:
        trained(memory)
    assert raised.value is memory.end


def test_nothing_is_saved_before_it_is_due() -> None:
    memory = Memory(due=lambda: False)
    trained(memory)
    assert memory.saved == []


def test_parts_that_ended_unsaved_are_saved_with_the_next() -> None:
    is_due = iter([False] * 20 + [True] + [False] * 12)
    memory = Memory(due=lambda: next(is_due))
    trained(memory)
    assert memory.saved == ["backtesting-rnn", "backtesting-cnn", "baselines"]


def test_seconds_of_a_trial_count_those_of_earlier_attempts() -> None:
    memory = interrupted(15)
    memory.kept["backtesting-rnn"].metadata["seconds"] = 1000.0
    memory.kept["backtesting-cnn"].metadata["seconds"] = 2000.0
    seconds = {trial.architecture: trial.seconds for trial in trained(memory).trials}
    assert 1000 < seconds["rnn"] < 1100
    assert 2000 < seconds["cnn"] < 2100
