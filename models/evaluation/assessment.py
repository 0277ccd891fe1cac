"""How good every method is, which of them answers, and whether that beats the simple ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.choices import MethodChoice
from models.evaluation.backtest import LEVELS, Backtest
from models.evaluation.cross_fitting import Learner, Raw, alone, blend, cross_fitted, learned
from models.evaluation.held_out import HeldOut
from models.evaluation.verdict import FEWEST_UNITS, Verdict, judge
from models.methods.baselines import BASELINES
from models.methods.combination import BLEND, Method
from models.panel import Floats

TO_SPEAK_OF = 0.01
"""Errors that are closer than this share count as equal; then the mean of more methods is the safer one.

Bates & Granger (1969), The Combination of Forecasts; measured in docs/experiments.md.
"""


@dataclass(frozen=True, eq=False)
class Assessment:
    """What the backtest of a training tells.

    `methods` are the ways to forecast with the model, by name: its architecture, `BLEND` (unless the network
    was to answer alone) and each baseline; `served` is the one that answers. `backtest` has what each of
    them, and each candidate, answered on the held-out steps; `verdicts` are of the network and of the blend.
    """

    methods: Mapping[str, Method]
    served: str
    backtest: Backtest
    verdicts: Mapping[str, Verdict]


def assess(  # noqa: PLR0913 - plain facts about a training, with no name for a group of them
    raw: Raw, held_out: HeldOut, network: str, *, tried: Sequence[Floats], blending: MethodChoice, seed: int
) -> Assessment:
    """What `raw`, the answers of every candidate and baseline for the held-out windows, tells of a training.

    `network` is the candidate that is kept, the best of those whose medians (window, horizon) are `tried`,
    its own among them; its blend competes with all of them. `seed` is that of the test.
    """
    learners: dict[str, Learner] = {name: alone(name) for name in raw}
    if blending != "network":
        learners[BLEND] = blend(network)
    answers = {name: cross_fitted(learn, raw, held_out, LEVELS) for name, learn in learners.items()}
    backtest = Backtest(held_out, answers)
    kept = [name for name in (network, BLEND, *BASELINES) if name in learners]
    verdicts = {
        name: judge(backtest, name, tried=tried, seed=seed) for name in (network, BLEND) if name in learners
    }
    return Assessment(
        methods={name: learned(learners[name], raw, held_out) for name in kept},
        served=_served(backtest, verdicts, network, blending),
        backtest=backtest,
        verdicts=verdicts,
    )


def _served(backtest: Backtest, verdicts: Mapping[str, Verdict], network: str, blending: MethodChoice) -> str:
    """With `auto` the blend, where its error is no larger to speak of and there are units enough to tell."""
    if blending != "auto":
        return BLEND if blending == "blend" else network
    errors = {name: backtest.held_out.error(backtest.forecasts[name].median) for name in verdicts}
    as_good = errors[BLEND] <= (1 + TO_SPEAK_OF) * errors[network]
    return BLEND if as_good and verdicts[network].n >= FEWEST_UNITS else network
