from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.backtest import Backtest
from models.evaluation.evidence import FEWEST_UNITS
from models.evaluation.verdict import LEVEL, SMALL_GAP, judge
from models.methods.baselines import BASELINES
from models.methods.combination import BLEND
from models.panel import Floats, Panel
from models.training.train import train
from tests.models.samples import (
    alike,
    around,
    backtest_of,
    held_out_of,
    medians_with,
    random_walks,
    tiny_config,
)


def test_network_beats_the_baselines_where_it_alone_sees_the_structure() -> None:
    """A pattern of five that nobody is told of: what repeats, extends or smooths is off at every step."""
    rng = np.random.default_rng(3)
    pattern = np.array([0.0, 4.0, 1.0, 6.0, 2.0])
    series = [100 + pattern[(np.arange(60) + i) % 5] + rng.normal(0, 0.3, 60) for i in range(12)]
    config = tiny_config(views=("last",), season_lengths=(), steps=150)
    verdict = train(Panel.of(series), config, ["lstm"]).assessment.verdicts["lstm"]
    assert verdict.outcome == "beats"
    assert verdict.effect < -0.3


@pytest.mark.long
def test_network_and_blend_beat_nothing_on_random_walks_more_often_than_the_level_says() -> None:
    """200 sets of 12 series: 2.5 % of wins are 5 of 200, and 12 or more have a chance under 1 in 200.

    P(X > 11) = 1 - sum of C(200, k) 0.025**k 0.975**(200 - k) for k from 0 to 11 = 0.0048.
    """
    config = tiny_config(views=("last",), season_lengths=(), steps=10)
    outcomes: dict[str, list[str]] = {"lstm": [], BLEND: []}
    for seed in range(200):
        verdicts = train(random_walks(12, seed), config, ["lstm"]).assessment.verdicts
        for name, verdict in verdicts.items():
            outcomes[name].append(verdict.outcome)
    assert [len(found) for found in outcomes.values()] == [200, 200]
    assert outcomes["lstm"].count("beats") < 12
    assert outcomes[BLEND].count("beats") < 12


@pytest.mark.parametrize(("candidates", "own"), [(1, 0.5), (4, 0.5), (4, 0.1)])
def test_equal_methods_are_distinguished_no_more_often_than_the_level_says(
    candidates: int, own: float
) -> None:
    """200 sets of 12 series: 2.5 % of wins are 5 of 200, and 12 or more have a chance under 1 in 200.

    Of four equal candidates the best is judged, as a training does; they err each on its own, or all alike.
    """
    outcomes = []
    for seed in range(200):
        models = alike(candidates, own, seed)
        same = dict.fromkeys(BASELINES, alike(1, 0.5, seed + 1000)[0])
        backtest = backtest_of(min(models, key=np.mean), same)
        outcomes.append(judge(backtest, "lstm", candidates=[medians_with(each) for each in models]).outcome)
    assert outcomes.count("beats") < 12
    assert outcomes.count("loses") < 12


def test_equal_network_loses_to_the_luckiest_baseline_no_more_often_than_the_level_says() -> None:
    """200 sets of 12 series, each method with errors of its own: 2.5 % of losses are 5 of 200."""
    outcomes = []
    for seed in range(200):
        network, *simple = np.random.default_rng(seed).lognormal(0, 0.5, (1 + len(BASELINES), 12))
        backtest = backtest_of(network, dict(zip(BASELINES, simple, strict=True)))
        outcomes.append(judge(backtest, "lstm").outcome)
    assert outcomes.count("loses") < 12
    assert outcomes.count("beats") < 12


@pytest.mark.parametrize("seed", range(4))
def test_interval_leaves_out_zero_where_the_test_decides_and_nowhere_else(seed: int) -> None:
    """Panels of few and many series and cuts, apart and together, chosen from one candidate and from four."""
    rng = np.random.default_rng(seed)
    decided = 0
    for _ in range(75):
        backtest, candidates = any_panel(rng)
        verdict = judge(backtest, "lstm", candidates=candidates)
        is_decided = verdict.outcome in ("beats", "loses")
        decided += is_decided
        assert is_decided == (verdict.p_value < LEVEL)
        if verdict.effect_interval is None:
            assert verdict.outcome == "undecided"
            continue
        low, high = verdict.effect_interval
        assert low <= verdict.effect <= high
        assert (verdict.outcome == "beats", verdict.outcome == "loses") == (high < 0, low > 0)
        assert verdict.outcome != "ties" or -SMALL_GAP <= low <= high <= SMALL_GAP
    assert 10 < decided < 65


def any_panel(rng: np.random.Generator) -> tuple[Backtest, list[Floats]]:
    """A backtest of errors drawn window by window, and the candidates of which the best is judged."""
    series, cuts, candidates = (int(rng.choice(of)) for of in ([1, 4, 6, 8, 40], [1, 2, 7, 8], [1, 4]))
    held_out = held_out_of(
        np.zeros((series * cuts, 1)),
        series=np.repeat(np.arange(series), cuts),
        cut=np.tile(np.arange(cuts), series),
        common=float(rng.choice([0, 0.05, 0.3])),
    )
    size = (series * cuts, 1)
    tried = rng.lognormal(rng.uniform(-0.6, 0.6), rng.uniform(0.05, 0.8), (candidates, *size))
    medians = {name: rng.lognormal(0, 0.3, size) for name in BASELINES}
    medians["lstm"] = min(tried, key=np.mean)
    return Backtest(held_out, {name: around(each) for name, each in medians.items()}), list(tried)


def test_equal_errors_tie() -> None:
    verdict = judge(backtest_of(np.ones(40), {"drift": np.ones(40)}), "lstm")
    assert (verdict.outcome, verdict.effect, verdict.p_value) == ("ties", 0.0, 1.0)
    assert verdict.effect_interval == (0.0, 0.0)


def test_gap_that_is_shown_to_be_small_ties() -> None:
    verdict = judge(backtest_of(np.linspace(0.9, 1.12, 40), {"drift": np.ones(40)}), "lstm")
    low, high = verdict.effect_interval or (np.nan, np.nan)
    assert verdict.outcome == "ties"
    assert -0.1 < low < verdict.effect < high < 0.1


def test_gap_that_may_be_large_either_way_is_undecided() -> None:
    verdict = judge(backtest_of(np.linspace(0.2, 1.7, 40), {"drift": np.ones(40)}), "lstm")
    low, high = verdict.effect_interval or (np.nan, np.nan)
    assert verdict.outcome == "undecided"
    assert low < -0.1
    assert low < verdict.effect < high


@pytest.mark.parametrize(("common", "outcome"), [(0.0, "beats"), (0.1, "beats"), (0.3, "undecided")])
def test_series_that_move_together_count_as_few(common: float, outcome: str) -> None:
    verdict = judge(backtest_of(np.linspace(0.5, 0.9, 40), {"naive": np.ones(40)}, common=common), "lstm")
    assert (verdict.outcome, verdict.n) == (outcome, 40)
    assert verdict.effective_units == pytest.approx(40 / (1 + 39 * common), rel=0.05)


def test_periods_decide_where_series_move_as_one() -> None:
    backtest = backtest_of(np.linspace(0.5, 0.9, 40), {"naive": np.ones(40)}, common=0.9, cuts=8)
    verdict = judge(backtest, "lstm")
    assert (verdict.outcome, verdict.periods, verdict.effective_units) == ("beats", 8, 8)


def test_gaps_that_series_share_from_cut_to_cut_count_where_history_differs() -> None:
    """Half of the cuts go the one way for all series, and half the other."""
    shared = np.tile([0.4, 1.2, 0.4, 1.0], 40)
    held_out = held_out_of(np.zeros((160, 1)), series=np.repeat(np.arange(40), 4), cut=np.tile(range(4), 40))
    medians = {"lstm": shared[:, None], "naive": np.ones((160, 1))}
    verdict = judge(Backtest(held_out, {name: around(each) for name, each in medians.items()}), "lstm")
    assert verdict.effect == pytest.approx(-0.25)
    assert verdict.outcome == "undecided"
    assert verdict.effective_units < FEWEST_UNITS


def test_history_too_short_to_show_whether_series_move_together_decides_nothing() -> None:
    backtest = backtest_of(np.full(40, 0.5), {"naive": np.ones(40)})
    ends = backtest.held_out.contexts.tail(2)
    verdict = judge(replace(backtest, held_out=replace(backtest.held_out, contexts=ends)), "lstm")
    assert (verdict.outcome, verdict.effective_units) == ("undecided", 1)


def test_effect_of_the_median_series_is_not_that_of_a_wild_one() -> None:
    errors = np.append(np.full(39, 0.9), 54.0)
    verdict = judge(backtest_of(errors, {"naive": np.ones(40)}), "lstm")
    assert verdict.effect == pytest.approx((39 * 0.9 + 54) / 40 - 1)
    assert verdict.median_effect == pytest.approx(-0.1)


def test_best_baseline_is_the_one_with_the_least_mean_error() -> None:
    errors = {"theta": np.full(8, 2.0), "ets": np.array([1.0] * 7 + [7.0]), "naive": np.full(8, 1.9)}
    verdict = judge(backtest_of(np.ones(8), errors), "lstm")
    assert verdict.baseline == "ets"
    assert verdict.effect == pytest.approx(1 / 1.75 - 1)


def test_cuts_of_a_series_are_one_unit() -> None:
    verdict = judge(backtest_of(np.linspace(0.5, 0.9, 7), {"naive": np.ones(7)}, cuts=4), "lstm")
    assert (verdict.n, verdict.unit, verdict.p_value) == (7, "series", 2 / 2**7)


@pytest.mark.parametrize("series", [1, 5])
def test_cuts_are_the_units_of_few_series(series: int) -> None:
    verdict = judge(backtest_of(np.full(series, 0.5), {"naive": np.ones(series)}, cuts=8), "lstm")
    assert (verdict.outcome, verdict.n, verdict.unit) == ("beats", 8, "cut")


@pytest.mark.parametrize("error", [0.5, 12.7])
def test_too_few_units_decide_nothing(error: float) -> None:
    verdict = judge(backtest_of(np.full(5, error), {"naive": np.ones(5)}), "lstm")
    assert (verdict.outcome, verdict.n, verdict.effective_units) == ("undecided", 1, 1)
    assert verdict.effect_interval is None


def test_cuts_that_err_alike_in_turn_count_as_fewer() -> None:
    """Eight cuts, of which the four later ones went well."""
    medians = np.repeat([0.4, 0.8], 4)[:, None]
    held_out = held_out_of(np.zeros((8, 1)), series=[0] * 8, cut=range(8))
    found = {"lstm": around(medians), "naive": around(np.ones((8, 1)))}
    verdict = judge(Backtest(held_out, found), "lstm")
    assert (verdict.outcome, verdict.n) == ("undecided", 8)
    assert verdict.effective_units < 4


def test_five_alike_cuts_are_no_proof_and_six_are() -> None:
    five, six = (
        judge(backtest_of(np.array([0.5]), {"naive": np.ones(1)}, cuts=cuts), "lstm") for cuts in (5, 6)
    )
    assert (five.outcome, five.p_value) == ("undecided", 2 / 2**5)
    assert (six.outcome, six.p_value) == ("beats", 2 / 2**6)


def test_series_without_a_scale_are_compared_by_smape() -> None:
    """Zero is the target, so that every error is one of 200 %: only a perfect network is better."""
    verdict = judge(backtest_of(np.zeros(8), {"naive": np.ones(8)}, scale=np.nan), "lstm")
    assert (verdict.measure, verdict.outcome, verdict.effect) == ("sMAPE", "beats", -1.0)


def test_nothing_is_better_than_a_perfect_baseline() -> None:
    verdict = judge(backtest_of(np.ones(8), {"naive": np.zeros(8)}), "lstm")
    assert (verdict.outcome, verdict.effect) == ("loses", np.inf)
    assert verdict.effect_interval is None


AHEAD = np.linspace(0.5, 0.9, 7)


def test_each_candidate_that_errs_elsewhere_makes_chance_likelier() -> None:
    """Each is the best it can be by two of the 2**7 ways to give out the signs, and by two of its own."""
    backtest = backtest_of(AHEAD, {"naive": np.ones(7)})
    elsewhere = [medians_with(np.where(np.arange(7) == i, 1.4, 0.5)) for i in range(3)]
    verdicts = [judge(backtest, "lstm", candidates=elsewhere[:count]) for count in range(4)]
    assert [verdict.p_value for verdict in verdicts] == [2 / 2**7, 4 / 2**7, 6 / 2**7, 8 / 2**7]
    assert [verdict.outcome for verdict in verdicts] == ["beats", "beats", "beats", "undecided"]


@pytest.mark.parametrize(
    "errors",
    [AHEAD, np.ones(7), np.full(7, np.nan)],
    ids=["errs as the one judged", "errs as the baseline", "has no error"],
)
def test_candidate_that_adds_no_chance_changes_nothing(errors: Floats) -> None:
    backtest = backtest_of(AHEAD, {"naive": np.ones(7)})
    assert judge(backtest, "lstm", candidates=[medians_with(errors)] * 3) == judge(backtest, "lstm")


def test_series_without_an_error_of_a_candidate_says_nothing_of_that_one() -> None:
    backtest = backtest_of(AHEAD, {"naive": np.ones(7)})
    gap, none = (np.where(np.arange(7) == 0, value, 0.5) for value in (np.nan, 1.0))
    assert judge(backtest, "lstm", candidates=[medians_with(gap)]) == judge(
        backtest, "lstm", candidates=[medians_with(none)]
    )


def test_candidates_do_not_matter_where_a_baseline_is_ahead() -> None:
    backtest = backtest_of(np.ones(7), {"naive": AHEAD})
    assert judge(backtest, "lstm", candidates=[medians_with(AHEAD[::-1])]) == judge(backtest, "lstm")


def test_thousand_series_are_judged_at_once() -> None:
    verdict = judge(backtest_of(np.linspace(0.5, 1.2, 1000), {"naive": np.ones(1000)}), "lstm")
    assert (verdict.outcome, verdict.n) == ("beats", 1000)
