"""Train the ensemble: its members side by side, as many at a time as the caller's torch uses threads."""

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import Event

import numpy as np
import torch

from models.config import MIN_INPUTS, TrainingConfig, View
from models.errors import HorizonTooLong, UnusableHistory
from models.inputs.batches import Batch, WindowSampler
from models.network.devices import resolve_device
from models.network.forecaster import Forecaster, pretrained_member, trained_member
from models.panel import Panel
from models.training.member import Member, SharedWindows
from models.training.state import MemberState, TrainingState


@dataclass(frozen=True)
class Progress:
    """Where a training stands after an epoch of one member.

    `member` (from 1) of the `members` that learn, `epoch` (from 1) of `epochs`; `loss` in that epoch and
    `validation_loss` after it, on the held-out windows (None where there are none), both as mean pinball loss
    in units of scale; `share_done` from 0 to 1 over all members.
    """

    member: int
    members: int
    epoch: int
    epochs: int
    loss: float
    validation_loss: float | None
    share_done: float

    @classmethod
    def of(cls, state: TrainingState, member: int) -> "Progress":
        """What the state tells of one of the members (from 0) that have begun."""
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


def fit(  # noqa: PLR0913 - each is one wish of the caller, and all but two have a default
    panel: Panel,
    config: TrainingConfig,
    *,
    held_out: int = 0,
    device: str = "cpu",
    on_epoch: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    resume: TrainingState | None = None,
    on_state: Callable[[TrainingState], None] = lambda _: None,
) -> Forecaster:
    """Train the members that learn on the panel and return the ensemble, with the weights of its last step.

    The last `held_out` steps of each series are kept from the weights, which are only watched on them. The
    same panel, config, hold-out and machine give the same bits, however many members train at a time
    (`torch.get_num_threads()`); the global random state is neither read nor changed. `should_stop` is asked
    before every batch, in the threads of the members. After every epoch of a member `on_epoch` is told of it
    and `on_state` is given the state; a training that resumes from it gives the same bits as one that was
    never broken off. Raises `HorizonTooLong`, `UnusableHistory`, `DeviceUnavailable`, `CannotResume`,
    `TrainingStopped`, `TrainingDiverged`, and what the caller's functions raise.
    """
    _check_lengths(panel, config, held_out)
    state = _begun(panel, config, held_out, resume)
    began = time.perf_counter() - state.seconds
    sampler = WindowSampler.of(panel, config, held_out, resolve_device(device))
    with _one_thread() as threads, closing(_epochs(sampler, state, threads, should_stop)) as epochs:
        for member, reached in epochs:
            state = state.having(member, reached, time.perf_counter() - began)
            on_epoch(Progress.of(state, member))
            on_state(state)
    networks = (
        trained_member(config, number, state.members[number].weights)
        if number in config.trainable_members
        else pretrained_member(config, number)
        for number in range(config.members)
    )
    return Forecaster(config, tuple(network.to(sampler.device) for network in networks))


def _begun(
    panel: Panel, config: TrainingConfig, held_out: int, resume: TrainingState | None
) -> TrainingState:
    fresh = TrainingState(config, held_out, panel.digest())
    if resume is None:
        return fresh
    resume.check(fresh)
    return resume


def _epochs(
    sampler: WindowSampler, state: TrainingState, threads: int, should_stop: Callable[[], bool]
) -> Generator[tuple[int, MemberState]]:
    """Where each member is after each epoch that is not done yet; between two of its own it waits."""
    leaving = Event()
    running: dict[Future[MemberState], Member] = {}
    # One kernel at a time fills a GPU; on a CPU each member keeps a core busy.
    at_once = threads if sampler.device.type == "cpu" else 1

    def stopping() -> bool:
        return leaving.is_set() or should_stop()

    # Each thread has a number of its own, and a new one starts with the machine's.
    with ThreadPoolExecutor(at_once, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            waiting = _unfinished(sampler, state)
            running = {pool.submit(member.advance, stopping): member for member in islice(waiting, at_once)}
            while running:
                done = next(iter(wait(running, return_when=FIRST_COMPLETED).done))
                member = running.pop(done)
                yield member.number, done.result()
                following = next(waiting, None) if member.over else member
                if following is not None:
                    running[pool.submit(following.advance, stopping)] = following
        finally:
            leaving.set()


def _unfinished(sampler: WindowSampler, state: TrainingState) -> Iterator[Member]:
    """The members that still have something to learn, made when they are asked for."""
    config = sampler.config
    if state.share_done == 1:
        return
    shared = _shared_windows(sampler)
    for number in config.trainable_members:
        begun = state.members.get(number)
        if begun is not None and begun.epoch == config.epochs:
            continue
        member = Member(config, number, shared[config.views[number]], _generator(config.seed, number))
        if begun is not None:
            member.restore(begun)
        yield member


def _shared_windows(sampler: WindowSampler) -> dict[View, SharedWindows]:
    config = sampler.config
    shared: dict[View, SharedWindows] = {}
    for place, view in enumerate(dict.fromkeys(config.views[number] for number in config.trainable_members)):
        # Numbered after the members, so that the choice of windows and no member share their numbers.
        generator = _generator(config.seed, config.members + place)
        shared[view] = SharedWindows(
            # A member draws no more windows than this, even if it never drew one twice.
            pool=_checked(sampler.training(view, config.steps * config.batch, generator)),
            held_out=sampler.validation(view, generator) if sampler.has_validation else None,
        )
    return shared


def _generator(seed: int, number: int) -> torch.Generator:
    """A random state of its own for each number; neighbouring seeds share none."""
    mixed = int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0])
    return torch.Generator().manual_seed(mixed % 2**63)


@contextmanager
def _one_thread() -> Iterator[int]:
    """Lets each operation use one thread, and tells how many it might have used.

    Sums of floats depend on how they are split: one thread gives the same bits whatever the caller set.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield before
    finally:
        torch.set_num_threads(before)


def _check_lengths(panel: Panel, config: TrainingConfig, held_out: int) -> None:
    longest = int(panel.lengths.max())
    limit = longest - held_out - MIN_INPUTS
    if config.horizon > limit:
        without = f", and without the last {held_out} they" if held_out else " which"
        raise HorizonTooLong(
            f"A horizon of {config.horizon} is too long: the longest series has {longest} values{without} "
            f"leave no window to learn every step from; at most {max(limit, 0)} is possible."
        )


def _checked(pool: Batch) -> Batch:
    if not bool(pool.weights.any()):
        raise UnusableHistory(
            "No series has a value after its first two steps, so there is nothing to learn from: "
            "leave out what is all gaps."
        )
    return pool
