"""Where the parts of a training stand: all that is needed to go on and end with the same bits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor
from torch.optim import Optimizer

from models.config import TrainingConfig
from models.errors import CannotResume
from models.forecasts import Forecast, joined

Tensors = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class MemberState:
    """One member after its epoch number `epoch`; all tensors are copies on the CPU.

    `loss` in that epoch and `validation_loss` after it, on the held-out windows (None where there are none),
    both as mean pinball loss in units of scale. `optimizer` is named as by `optimizer_tensors`; `generator`
    is the state of the member's random numbers.
    """

    epoch: int
    loss: float
    validation_loss: float | None
    weights: Tensors
    optimizer: Tensors
    generator: Tensor


@dataclass(frozen=True, eq=False)
class TrainingState:
    """A training under way: what it trains on what, and how far each member that has begun is.

    `held_out` as `fit` has it; `panel_sha256` is the panel's digest; `seconds` is what it took so far, with
    those of the attempts it was resumed from.
    """

    config: TrainingConfig
    held_out: int
    panel_sha256: str
    members: Mapping[int, MemberState] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def share_done(self) -> float:
        """From 0 to 1, over all members that learn."""
        if not self.config.learners:
            return 1.0
        done = sum(member.epoch for member in self.members.values())
        return done / (len(self.config.learners) * self.config.epochs)

    def having(self, member: int, state: MemberState, seconds: float) -> "TrainingState":
        """The same training with one member further on."""
        return replace(self, members={**self.members, member: state}, seconds=seconds)

    def check(self, wanted: "TrainingState") -> None:
        """Raises `CannotResume` unless both have the same config, hold-out and panel."""
        ours, theirs = ({**state.config.to_dict(), "held_out": state.held_out} for state in (self, wanted))
        if other := [name for name in theirs if ours[name] != theirs[name]]:
            raise CannotResume(
                f"The saved training has another {', '.join(other)} than the one asked for: begin anew."
            )
        if self.panel_sha256 != wanted.panel_sha256:
            raise CannotResume("The saved training was of other data than these: begin anew.")


@dataclass(frozen=True, eq=False)
class BaselineState:
    """A backtest of the baselines under way: what they are asked, and what each has answered so far.

    `asked`, made for JSON, is all that the answers depend on; they are by name, to the first `windows` of the
    held-out windows.
    """

    asked: Mapping[str, object]
    answers: Mapping[str, Forecast] = field(default_factory=dict)

    @property
    def windows(self) -> int:
        return min((len(answer.median) for answer in self.answers.values()), default=0)

    def having(self, answers: Mapping[str, Forecast]) -> "BaselineState":
        """The same backtest with the answers of every baseline to the next windows."""
        before = {name: [self.answers[name]] if self.windows else [] for name in answers}
        return replace(self, answers={name: joined([*before[name], answers[name]]) for name in answers})

    def check(self, wanted: "BaselineState") -> None:
        """Raises `CannotResume` unless both are asked the same."""
        if self.asked != wanted.asked:
            raise CannotResume("The saved answers are to other questions than these: begin anew.")


def group(tensors: Mapping[str, Tensor], name: str) -> Tensors:
    """Those whose names begin with `name` and a dot, without both."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def on_cpu(tensors: Mapping[str, Tensor]) -> Tensors:
    """Copies that later training steps leave alone."""
    return {name: value.detach().cpu().clone() for name, value in tensors.items()}


def optimizer_tensors(optimizer: Optimizer) -> Tensors:
    """The optimizer's memory of each parameter, named `<number of the parameter>.<what it is>`."""
    held = optimizer.state_dict()["state"]
    return on_cpu(
        {f"{number}.{name}": value for number, kept in held.items() for name, value in kept.items()}
    )


def restore_optimizer(optimizer: Optimizer, tensors: Tensors) -> None:
    """The inverse of `optimizer_tensors`; the settings stay those the optimizer was made with."""
    # Copies, for the optimizer works in place and a state may be resumed from again.
    state: dict[int, Tensors] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value.clone()
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
