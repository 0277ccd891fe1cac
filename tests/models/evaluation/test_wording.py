import re
from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.verdict import judge
from models.methods.combination import BLEND
from models.panel import Floats
from tests.models.samples import backtest_of


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
        "was 1 % above the best simple method's, naive: in truth less than 1 % below to 3 % above."
    )


def test_equal_errors_are_called_the_same() -> None:
    assert sentence_of(np.ones(40)).endswith("was the same as the best simple method's, naive.")


def test_baseline_without_an_error_is_named_so() -> None:
    assert "was above the best simple method's, naive, which made none;" in sentence_of(np.ones(8), 0.0)


def test_single_period_says_what_would_decide() -> None:
    """Each context of the 5 series has 35 steps, and 5 more were tested: six cuts take 150."""
    assert sentence_of(np.full(5, 0.5)).endswith(
        "was 50 % below the best simple method's, naive, but 1 period is too few to tell it from chance: "
        "about 110 more steps of history, or 1 more series may tell."
    )


def test_series_that_move_as_one_ask_for_history_alone() -> None:
    ending = sentence_of(np.full(40, 0.5), common=0.5)
    assert "but series that move together so are worth 1.9 of their own, too few" in ending
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
        " The median one says otherwise: there it was 10 % below it, so a few weigh heavily in the mean."
    )
    assert "median" not in sentence_of(np.linspace(0.5, 0.9, 40))
