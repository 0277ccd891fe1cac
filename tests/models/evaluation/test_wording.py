import re
from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.backtest import Backtest
from models.evaluation.verdict import judge
from models.methods.combination import BLEND
from models.panel import Floats, Panel
from tests.models.samples import around, backtest_of, held_out_of


def sentence_of(errors: Floats, baseline: float = 1.0, *, common: float = 0.0, cuts: int = 1) -> str:
    simple = {"naive": np.full(len(errors), baseline)}
    return judge(backtest_of(errors, simple, common=common, cuts=cuts), "lstm").sentence


@pytest.mark.parametrize(
    ("shares", "outcome", "wording"),
    [
        ((0.5, 0.9), "beats", "below"),
        ((1.1, 1.7), "loses", "above"),
        ((0.2, 1.7), "undecided", "below"),
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
    assert sentence.startswith("Over 1 period of 5 steps and 40 series this LSTM's error (MASE) was")


def chance_in(sentence: str) -> float:
    cases = re.search(r"by chance in ([\d,]+) of ([\d,]+) cases", sentence)
    assert cases is not None
    share, whole = (float(number.replace(",", "")) for number in cases.groups())
    return share / whole


def test_sentence_calls_the_blend_by_its_name() -> None:
    backtest = backtest_of(np.ones(8), {BLEND: np.full(8, 0.5), "naive": np.ones(8)})
    assert judge(backtest, BLEND).sentence.startswith(
        "Over 1 period of 5 steps and 8 series this blend's error (MASE) was 50 % below"
    )


def test_sentence_names_periods_and_how_many_series_those_are_worth() -> None:
    assert sentence_of(np.linspace(0.5, 0.9, 40), common=0.09, cuts=4).startswith(
        "Over 4 periods of 5 steps and 40 series, which move together like 9, this LSTM's error"
    )


def test_sentence_calls_steps_by_their_name() -> None:
    backtest = backtest_of(np.full(5, 0.5), {"naive": np.ones(5)})
    months = replace(backtest, held_out=replace(backtest.held_out, step_name="month"))
    sentence = judge(months, "lstm").sentence
    assert sentence.startswith("Over 1 period of 5 months and 5 series")
    assert ": about 110 more months of history, or 1 more series may tell." in sentence


def test_tie_says_how_small_the_gap_is() -> None:
    assert sentence_of(np.linspace(0.9, 1.12, 40)).endswith(
        "was 1 % above the best simple method's, naive: in truth it lies between 0.7 % below and 3 % above."
    )


def test_equal_errors_are_called_the_same() -> None:
    assert sentence_of(np.ones(40)).endswith("was the same as the best simple method's, naive.")


@pytest.mark.parametrize(
    ("error", "baseline", "wording"),
    [
        (1.0, 0.0, "8 series the best simple method, naive, made no error (MASE), and this LSTM did; a gap"),
        (0.0, 1.0, "8 series this LSTM made no error (MASE), and the best simple method, naive, did; a gap"),
        (0.0, 0.0, "8 series this LSTM's error (MASE) was the same as the best simple method's, naive."),
    ],
)
def test_method_without_an_error_is_said_to_have_none(error: float, baseline: float, wording: str) -> None:
    assert wording in sentence_of(np.full(8, error), baseline)


@pytest.mark.parametrize(
    ("error", "wording"),
    [
        (0.001, "was over 99 % below the best"),
        (0.999, "was less than 1 % below the best"),
        (1.62, "was 62 % above the best"),
        (12.68, "was 12.7 times the best"),
        (4321.4, "was 4,321 times the best"),
        (5e9, "was over 1,000,000 times the best"),
    ],
)
def test_gaps_of_any_size_are_readable(error: float, wording: str) -> None:
    assert wording in sentence_of(np.full(8, error))


def test_single_period_says_what_would_decide() -> None:
    """Each context of the 5 series has 35 steps, and 5 more were tested: six cuts take 150."""
    assert sentence_of(np.full(5, 0.5)).endswith(
        "was 50 % below the best simple method's, naive, but that is the evidence of 1 period, where it "
        "takes 6 to tell it from chance: about 110 more steps of history, or 1 more series may tell."
    )


def test_lone_series_asks_for_history() -> None:
    backtest = backtest_of(np.full(1, 0.5), {"naive": np.ones(1)})
    longer = replace(backtest.held_out, contexts=Panel.of([np.arange(60.0)]))
    assert judge(replace(backtest, held_out=longer), "lstm").sentence == (
        "Over 1 period of 5 steps this LSTM's error (MASE) was 50 % below the best simple method's, naive, "
        "but that is the evidence of 1 period, where it takes 6 to tell it from chance: about 85 more steps "
        "of history may tell."
    )


def test_lone_series_far_too_short_asks_for_a_shorter_horizon() -> None:
    """Of 36 months the last 12 are tested; six cuts of a month take 30, and of a year 360."""
    year = backtest_of(np.full(1, 0.5), {"naive": np.ones(1)})
    held_out = replace(
        held_out_of(np.zeros((1, 12))), step_name="month", contexts=year.held_out.contexts.tail(24)
    )
    forecasts = {"lstm": around(np.full((1, 12), 0.5)), "naive": around(np.ones((1, 12)))}
    sentence = judge(Backtest(held_out, forecasts), "lstm").sentence
    assert sentence.startswith("Over 1 period of 12 months this LSTM's error")
    assert sentence.endswith(": a horizon of 1 month may tell.")


@pytest.mark.parametrize("cuts", [1, 2, 4, 8])
def test_lone_series_never_asks_for_others(cuts: int) -> None:
    held_out = held_out_of(np.zeros((cuts, 1)), series=np.zeros(cuts), cut=range(cuts))
    errors = np.linspace(0.2, 3.0, cuts)[:, None]
    backtest = Backtest(held_out, {"lstm": around(errors), "naive": around(np.ones((cuts, 1)))})
    assert "series" not in judge(backtest, "lstm").sentence


def test_cuts_that_err_alike_are_said_to_be_worth_fewer() -> None:
    medians = np.repeat([0.4, 0.8], 4)[:, None]
    held_out = held_out_of(np.zeros((8, 1)), series=[0] * 8, cut=range(8))
    found = {"lstm": around(medians), "naive": around(np.ones((8, 1)))}
    assert re.search(
        r"but 8 periods that err alike are the evidence of [12]\.\d, where it takes 6",
        judge(Backtest(held_out, found), "lstm").sentence,
    )


def test_series_that_move_as_one_ask_for_history_alone() -> None:
    ending = sentence_of(np.full(40, 0.5), common=0.5)
    assert "but that is the evidence of 1.9 independent series, where it takes 6 to tell" in ending
    assert re.search(r": about [0-9,]+ more steps of history may tell\.$", ending)


def test_open_gap_says_how_many_series_would_decide() -> None:
    """Three in four lie between -1 and 1.4: to tell a gap of a tenth takes four times as many."""
    ending = sentence_of(np.linspace(0.5, 1.3, 20))
    assert "but a gap this wide arises by chance in" in ending
    found = re.search(r"([0-9,]+) more series may tell\.$", ending)
    assert found is not None
    assert 5 < int(found[1]) < 60


def test_hopeless_gap_is_not_promised() -> None:
    """The gap is a tenth at a spread ten times as wide: it would take hundreds of series."""
    assert sentence_of(np.tile([0.1, 2.1], 4)).endswith("of 100 cases: it would take far more data to tell.")


def test_median_that_disagrees_with_the_mean_is_said() -> None:
    assert sentence_of(np.append(np.full(39, 0.9), 54.0)).endswith(
        " In the median series it was 10 % below, so a few weigh heavily in the mean."
    )
    assert "median" not in sentence_of(np.linspace(0.5, 0.9, 40))
