"""Fit an ensemble: its members train in parallel, one on each thread that torch may use."""

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import Event

import numpy as np
import torch

from models.config import TrainingConfig, View
from models.errors import UnusableHistory
from models.horizon import check_fit
from models.inputs.batches import Batch, WindowSampler
from models.network.devices import resolve_device
from models.network.forecaster import Forecaster, pretrained_member, trained_member
from models.panel import Panel
from models.training.state import MemberState, TrainingState
from models.training.training_loop import Member, SharedWindows


@dataclass(frozen=True)
class FitProgress:
    """The progress of a fit after an epoch of one member.

    `member` (from 1) of the `members` to train; `epoch` (from 1) of `epochs`. `loss` is that of the epoch,
    and `validation_loss` that of the held-out windows after it (None without any): both are mean pinball
    losses in units of scale. `share_done` is from 0 to 1 over all members.
    """

    member: int
    members: int
    epoch: int
    epochs: int
    loss: float
    validation_loss: float | None
    share_done: float

    @classmethod
    def of(cls, state: TrainingState, member: int) -> "FitProgress":
        """Return the progress of a member (from 0) that has a state."""
        config, reached = state.config, state.members[member]
        return cls(
            member=config.trainable_members.index(member) + 1,
            members=len(config.trainable_members),
            epoch=reached.epoch,
            epochs=config.epochs,
            loss=reached.loss,
            validation_loss=reached.validation_loss,
            share_done=state.share_done,
        )


def fit(  # noqa: PLR0913 - options of the caller, all but two with a default
    panel: Panel,
    config: TrainingConfig,
    *,
    held_out: int = 0,
    device: str = "cpu",
    on_epoch: Callable[[FitProgress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    resume: TrainingState | None = None,
    on_state: Callable[[TrainingState], None] = lambda _: None,
) -> Forecaster:
    """Train the ensemble on the panel and return it with the weights of the last step.

    The last `held_out` steps of each series are not trained on; the validation loss is computed on them. The
    same panel, config, hold-out and machine produce the same bits, however many members train in parallel
    (`torch.get_num_threads()`). The global random state is neither read nor changed. `should_stop` is called
    before every batch, in the threads of the members. `on_epoch` and `on_state` are called after every epoch
    of a member; a fit that resumes from such a state produces the same bits as an uninterrupted one. Raise
    `HorizonTooLong`, `UnusableHistory`, `DeviceUnavailable`, `CannotResume`, `TrainingStopped`,
    `TrainingDiverged`, and whatever the caller's functions raise.
    """
    check_fit(config.horizon, int(panel.lengths.max()), held_out)
    state = _initial_state(panel, config, held_out, resume)
    began = time.perf_counter() - state.seconds
    sampler = WindowSampler.of(panel, config, held_out, resolve_device(device))
    with _one_thread() as threads, closing(_epochs(sampler, state, threads, should_stop)) as epochs:
        for member, reached in epochs:
            state = state.updated(member, reached, time.perf_counter() - began)
            on_epoch(FitProgress.of(state, member))
            on_state(state)
    networks = (
        trained_member(config, number, state.members[number].weights)
        if number in config.trainable_members
        else pretrained_member(config, number)
        for number in range(config.members)
    )
    return Forecaster(config, tuple(network.to(sampler.device) for network in networks))


def _initial_state(
    panel: Panel, config: TrainingConfig, held_out: int, resume: TrainingState | None
) -> TrainingState:
    """Return the state to start from. Raise `CannotResume` if `resume` is of another training."""
    fresh = TrainingState(config, held_out, panel.digest())
    if resume is None:
        return fresh
    resume.check(fresh)
    return resume


def _epochs(
    sampler: WindowSampler, state: TrainingState, threads: int, should_stop: Callable[[], bool]
) -> Generator[tuple[int, MemberState]]:
    """Yield number and state of each member after each of its epochs; the next one starts when asked for."""
    is_closed = Event()
    running: dict[Future[MemberState], Member] = {}
    # One member fills a GPU; on a CPU each member keeps a core busy.
    parallel = threads if sampler.device.type == "cpu" else 1

    def stopping() -> bool:
        return is_closed.is_set() or should_stop()

    with _pool(parallel) as pool:
        try:
            waiting = _unfinished(sampler, state, parallel)
            running = {pool.submit(member.advance, stopping): member for member in islice(waiting, parallel)}
            while running:
                done = next(iter(wait(running, return_when=FIRST_COMPLETED).done))
                member = running.pop(done)
                yield member.number, done.result()
                following = next(waiting, None) if member.is_finished else member
                if following is not None:
                    running[pool.submit(following.advance, stopping)] = following
        finally:
            is_closed.set()


def _unfinished(sampler: WindowSampler, state: TrainingState, threads: int) -> Iterator[Member]:
    """Yield the members with epochs left, each created only when it can start."""
    config = sampler.config
    if state.share_done == 1:
        return
    shared = _shared_windows(sampler, threads)
    for number in config.trainable_members:
        reached = state.members.get(number)
        if reached is not None and reached.epoch == config.epochs:
            continue
        member = Member(config, number, shared[config.views[number]], _generator(config.seed, number))
        if reached is not None:
            member.restore(reached)
        yield member


def _shared_windows(sampler: WindowSampler, threads: int) -> dict[View, SharedWindows]:
    """Return the windows of each view, which its members share; the views are cut in parallel."""
    config = sampler.config
    views = dict.fromkeys(config.views[number] for number in config.trainable_members)

    def windows(place: int, view: View) -> SharedWindows:
        # Numbered after the members, so that sampling shares no random numbers with a member.
        generator = _generator(config.seed, config.members + place)
        return SharedWindows(
            training=_checked(sampler.training(view, config.most_windows, generator)),
            validation=sampler.validation(view, generator) if sampler.has_validation else None,
        )

    with _pool(threads) as pool:
        return dict(zip(views, pool.map(windows, range(len(views)), views), strict=True))


def _pool(threads: int) -> ThreadPoolExecutor:
    """Return threads in which torch uses one each: a new thread starts with the machine's number."""
    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))


def _generator(seed: int, number: int) -> torch.Generator:
    """Return a random generator for each number; neighbouring seeds share none."""
    mixed = int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0])
    return torch.Generator().manual_seed(mixed % 2**63)


@contextmanager
def _one_thread() -> Iterator[int]:
    """Set torch to one thread, and yield the number that it had.

    Sums of floats depend on how they are split: one thread produces the same bits whatever the caller set.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield before
    finally:
        torch.set_num_threads(before)


def _checked(training: Batch) -> Batch:
    """Return the training windows. Raise `UnusableHistory` if none has a target."""
    if not bool(training.weights.any()):
        raise UnusableHistory(
            "No series has a value after its first two steps, so there is nothing to learn from: "
            "leave out what is all gaps."
        )
    return training
