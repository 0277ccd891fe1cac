import re
from collections.abc import Mapping
from itertools import product

import numpy as np
import pytest

from models.evaluation.backtest import Backtest
from models.evaluation.verdict import DRAWS, LEVEL, judge, min_p, sign_flip
from models.methods.baselines import BASELINES
from models.methods.combination import BLEND
from models.panel import Floats, Panel
from models.training.train import train
from tests.models.samples import around, held_out_of, random_walks, tiny_config


def medians_with(errors: Floats) -> Floats:
    """The median (series, 5) that makes these errors at every step."""
    return np.repeat(errors[:, None], 5, axis=1)


def backtest_of(
    network: Floats, baselines: Mapping[str, Floats], *, cuts: int = 1, scale: float = 1.0
) -> Backtest:
    """One with these errors (series,), over two cuts or more the same at each; absent baselines are poor."""
    count = len(network)
    errors = {"lstm": network, **{name: np.full(count, 1e6) for name in BASELINES}, **baselines}
    held_out = held_out_of(
        np.zeros((count * cuts, 5)),
        series=np.repeat(np.arange(count), cuts),
        cut=np.tile(np.arange(cuts), count),
        scale=scale,
    )
    unit = np.nan_to_num(scale, nan=1.0)
    medians = {name: medians_with(np.repeat(values, cuts)) * unit for name, values in errors.items()}
    return Backtest(held_out, {name: around(median) for name, median in medians.items()})


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


def alike(count: int, own: float, seed: int) -> Floats:
    """(count, 12): errors as lognormal(0, 0.5) draws them, `own` of the 0.5 being each candidate's own."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, np.sqrt(0.5**2 - own**2), 12)
    return np.exp(common + rng.normal(0, own, (count, 12)))


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


def test_real_gap_of_candidates_that_err_alike_is_seen_where_bonferroni_ties() -> None:
    """Of 100 sets in which four candidates err 30 % less; by itself, the best of them wins 38."""
    p_values = []
    for seed in range(100):
        gaps = (0.7 * alike(4, 0.1, seed) - alike(1, 0.5, seed + 1000)).T
        best_first = gaps[:, np.argsort(gaps.mean(axis=0))]
        alone = sign_flip(best_first[:, :1], seed=0)
        p_values.append((alone, min_p(best_first, seed=0), 4 * alone))
    assert (np.array(p_values) < LEVEL).sum(axis=0).tolist() == [38, 36, 22]


def test_equal_network_loses_to_the_luckiest_baseline_no_more_often_than_the_level_says() -> None:
    """200 sets of 12 series, each method with errors of its own: 2.5 % of losses are 5 of 200."""
    outcomes = []
    for seed in range(200):
        network, *simple = np.random.default_rng(seed).lognormal(0, 0.5, (1 + len(BASELINES), 12))
        backtest = backtest_of(network, dict(zip(BASELINES, simple, strict=True)))
        outcomes.append(judge(backtest, "lstm").outcome)
    assert outcomes.count("loses") < 12
    assert outcomes.count("beats") < 12


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_p_value_is_that_of_every_way_to_give_out_the_signs(count: int) -> None:
    difference = np.random.default_rng(count).integers(-3, 9, count).astype(np.float64)
    sums = [abs(np.dot(signs, difference)) for signs in product([-1, 1], repeat=count)]
    expected = np.mean([total >= abs(difference.sum()) for total in sums])
    assert sign_flip(difference[:, None], seed=0) == expected


def test_drawn_p_value_is_near_the_exact_one_and_seeded() -> None:
    """A 13th unit without a difference changes nothing but how the test is done."""
    difference = np.random.default_rng(4).normal(0.4, 1.0, 12)
    exact, longer = sign_flip(difference[:, None], seed=0), np.append(difference, 0.0)
    assert 0.01 < exact < 0.9
    assert sign_flip(longer[:, None], seed=0) == pytest.approx(exact, abs=0.02)
    assert sign_flip(longer[:, None], seed=0) == sign_flip(longer[:, None], seed=0)


def test_drawn_p_value_is_never_zero() -> None:
    assert sign_flip(np.ones((1000, 1)), seed=0) == 1 / (1 + DRAWS)


def wild(units: int, candidates: int, seed: int) -> Floats:
    """(units, candidates): gaps of which each candidate's are of another size, with outliers and ties."""
    rng = np.random.default_rng(seed)
    return np.round(rng.standard_t(2, (units, candidates)) - 1, 1) * 10.0 ** np.arange(candidates)


@pytest.mark.parametrize("units", [1, 6, 12, 40])
def test_sole_candidate_has_the_p_value_of_its_gap(units: int) -> None:
    gaps = wild(units, 1, seed=units)
    assert min_p(gaps, seed=3) == sign_flip(gaps, seed=3)


@pytest.mark.parametrize("seed", range(5))
def test_joint_p_value_is_the_share_of_signs_that_make_any_gap_as_rare(seed: int) -> None:
    gaps = wild(7, 3, seed)
    sums = np.abs(np.array(list(product([-1, 1], repeat=7))) @ gaps)
    rarity = np.mean(sums[:, None] <= sums[None, :] * (1 + 1e-9) + 1e-9, axis=1)
    expected = np.mean(rarity.min(axis=1) <= rarity[-1, 0])
    assert min_p(gaps, seed=0) == expected


@pytest.mark.parametrize("units", [6, 8, 12, 40])
def test_joint_p_value_lies_between_that_of_one_candidate_and_bonferronis(units: int) -> None:
    for seed in range(10):
        gaps = wild(units, 5, seed)
        alone, joint = sign_flip(gaps[:, :1], seed=0), min_p(gaps, seed=0)
        assert alone <= joint <= min(1, 5 * alone)


@pytest.mark.parametrize("units", [8, 40])
def test_size_of_a_candidates_errors_does_not_change_the_joint_p_value(units: int) -> None:
    gaps = wild(units, 3, seed=1)
    assert min_p(gaps * [1, 1e9, 1e-9], seed=0) == min_p(gaps, seed=0)


def test_equal_errors_tie() -> None:
    verdict = judge(backtest_of(np.ones(40), {"drift": np.ones(40)}), "lstm")
    assert (verdict.outcome, verdict.effect, verdict.p_value) == ("ties", 0.0, 1.0)
    assert "was the same as the best simple method's, drift" in verdict.sentence


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
    assert verdict.sentence.startswith(f"On the last 40 known steps of {series} series this LSTM's")


def test_too_few_units_tie_and_say_so() -> None:
    verdict = judge(backtest_of(np.full(5, 0.5), {"naive": np.ones(5)}), "lstm")
    assert (verdict.outcome, verdict.n) == ("ties", 1)
    assert verdict.sentence == (
        "On the last 5 known steps of 5 series this LSTM's error (MASE) was 50 % below the best simple "
        "method's, naive, but 1 cut is too few to tell that from chance: "
        "a longer history or more series help."
    )


def test_five_alike_cuts_are_no_proof_and_six_are() -> None:
    five, six = (
        judge(backtest_of(np.array([0.5]), {"naive": np.ones(1)}, cuts=cuts), "lstm") for cuts in (5, 6)
    )
    assert (five.outcome, five.p_value) == ("ties", 2 / 2**5)
    assert (six.outcome, six.p_value) == ("beats", 2 / 2**6)


def test_series_without_a_scale_are_compared_by_smape() -> None:
    """Zero is the target, so that every error is one of 200 %: only a perfect network is better."""
    verdict = judge(backtest_of(np.zeros(8), {"naive": np.ones(8)}, scale=np.nan), "lstm")
    assert (verdict.measure, verdict.outcome, verdict.effect) == ("sMAPE", "beats", -1.0)
    assert "error (sMAPE) was 100 % below" in verdict.sentence


def test_nothing_is_better_than_a_perfect_baseline() -> None:
    verdict = judge(backtest_of(np.ones(8), {"naive": np.zeros(8)}), "lstm")
    assert (verdict.outcome, verdict.effect) == ("loses", np.inf)
    assert "was above the best simple method's, naive, which made none;" in verdict.sentence


@pytest.mark.parametrize(
    ("shares", "outcome", "wording"),
    [
        ((0.5, 0.9), "beats", "below"),
        ((1.1, 1.7), "loses", "above"),
        ((0.2, 1.7), "ties", "below"),
        ((3.0, 5.0), "loses", "times"),
    ],
)
def test_sentence_agrees_with_the_fields(shares: tuple[float, float], outcome: str, wording: str) -> None:
    verdict = judge(backtest_of(np.linspace(*shares, 40), {"seasonal_naive": np.ones(40)}), "lstm")
    sentence = verdict.sentence
    size, of = re.search(r"was ([\d.]+)(?: %)? (?:below|above|times)", sentence), chance_in(sentence)
    assert size is not None
    stated = float(size[1]) - 1 if wording == "times" else float(size[1]) / 100
    assert stated == pytest.approx(abs(verdict.effect), abs=0.05 if wording == "times" else 0.005)
    assert of == pytest.approx(verdict.p_value, rel=0.05)
    assert verdict.outcome == outcome
    assert f"{wording} the best simple method's, seasonal naive" in sentence
    assert sentence.startswith(
        f"On the last 5 known steps of {verdict.n} series this LSTM's error (MASE) was"
    )


def chance_in(sentence: str) -> float:
    cases = re.search(r"by chance in ([\d,]+) of ([\d,]+) cases\.$", sentence)
    assert cases is not None
    share, whole = (float(number.replace(",", "")) for number in cases.groups())
    return share / whole


def test_sentence_calls_the_blend_by_its_name() -> None:
    backtest = backtest_of(np.ones(8), {BLEND: np.full(8, 0.5), "naive": np.ones(8)})
    assert judge(backtest, BLEND).sentence.startswith(
        "On the last 5 known steps of 8 series this blend's error (MASE) was 50 % below"
    )


AHEAD = np.linspace(0.5, 0.9, 7)


def test_each_candidate_that_errs_elsewhere_makes_chance_likelier() -> None:
    """Each is the best it can be by two of the 2**7 ways to give out the signs, and by two of its own."""
    backtest = backtest_of(AHEAD, {"naive": np.ones(7)})
    elsewhere = [medians_with(np.where(np.arange(7) == i, 1.4, 0.5)) for i in range(3)]
    verdicts = [judge(backtest, "lstm", candidates=elsewhere[:count]) for count in range(4)]
    assert [verdict.p_value for verdict in verdicts] == [2 / 2**7, 4 / 2**7, 6 / 2**7, 8 / 2**7]
    assert [verdict.outcome for verdict in verdicts] == ["beats", "beats", "beats", "ties"]


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
    assert "of 1,000 series" in verdict.sentence
