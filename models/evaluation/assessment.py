"""Assess a training: its methods, the one to serve, and whether that beats the baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.choices import MethodChoice
from models.evaluation.backtest import BACKTEST_LEVELS, Backtest
from models.evaluation.cross_fitting import (
    MethodFitter,
    Uncalibrated,
    calibrate,
    cross_fitted,
    fit_blend,
    fit_method,
)
from models.evaluation.held_out import HeldOut
from models.evaluation.verdict import FEWEST_UNITS, Verdict, judge
from models.methods.baselines import BASELINES
from models.methods.combination import BLEND, Method
from models.panel import Floats

NEGLIGIBLE_GAP = 0.01
"""Errors closer than this share count as equal; then the blend is served, as the safer choice.

Bates & Granger (1969), The Combination of Forecasts. Measured in
`docs/experiments/2026-11-24-blend-and-intervals.md`.
"""


@dataclass(frozen=True, eq=False)
class Assessment:
    """The result of a training's backtest.

    `methods` are those of the model by name: its architecture, `BLEND` (unless only the network was asked
    for) and each baseline; `served` is the one to serve. `backtest` has the forecasts of all of them and of
    each candidate; `verdicts` are those on the network and on the blend.
    """

    methods: Mapping[str, Method]
    served: str
    backtest: Backtest
    verdicts: Mapping[str, Verdict]


def assess(  # noqa: PLR0913 - plain facts about a training, with no name for a group of them
    uncalibrated: Uncalibrated,
    held_out: HeldOut,
    network: str,
    *,
    candidates: Sequence[Floats],
    blending: MethodChoice,
    seed: int,
) -> Assessment:
    """Assess the uncalibrated forecasts of every candidate and baseline for the held-out windows.

    `network` is the candidate that is kept. `candidates` are the medians (window, horizon) of all networks
    that it was chosen from, its own included; the verdicts on it and on its blend account for that choice.
    `seed` is that of the permutation test.
    """
    fitters: dict[str, MethodFitter] = {name: calibrate(name) for name in uncalibrated}
    if blending != "network":
        fitters[BLEND] = fit_blend(network)
    forecasts = {
        name: cross_fitted(fit, uncalibrated, held_out, BACKTEST_LEVELS) for name, fit in fitters.items()
    }
    backtest = Backtest(held_out, forecasts)
    kept = [name for name in (network, BLEND, *BASELINES) if name in fitters]
    verdicts = {
        name: judge(backtest, name, candidates=candidates, seed=seed)
        for name in (network, BLEND)
        if name in fitters
    }
    return Assessment(
        methods={name: fit_method(fitters[name], uncalibrated, held_out) for name in kept},
        served=_served(backtest, verdicts, network, blending),
        backtest=backtest,
        verdicts=verdicts,
    )


def _served(backtest: Backtest, verdicts: Mapping[str, Verdict], network: str, blending: MethodChoice) -> str:
    """Return the method to serve; for `auto` the blend if it is as good and there are enough units."""
    if blending != "auto":
        return BLEND if blending == "blend" else network
    errors = {name: backtest.held_out.error(backtest.forecasts[name].median) for name in verdicts}
    as_good = errors[BLEND] <= (1 + NEGLIGIBLE_GAP) * errors[network]
    return BLEND if as_good and verdicts[network].n >= FEWEST_UNITS else network
