import numpy as np
import pytest

from benchmarks import honesty_panels
from benchmarks.honesty_panels import GAPS, POWER, SERIES, Gaps, Series


def kind(name: str) -> Gaps:
    return next(each for each in (*GAPS, *POWER) if each.name == name)


def outcomes(name: str, draws: int = 60) -> tuple[list[str], list[str]]:
    """What is said now of so many draws, and what the former test said."""
    pairs = [honesty_panels.tested(kind(name), seed) for seed in range(draws)]
    return [now for now, _ in pairs], [former for _, former in pairs]


def test_shocks_in_common_are_won_and_lost_by_the_former_test_alone() -> None:
    now, former = outcomes("common 0.6")
    assert set(now) == {"undecided"}
    assert former.count("beats") + former.count("loses") > 30


def test_gain_of_independent_series_is_seen_as_before() -> None:
    now, former = outcomes("gain, independent")
    assert now.count("beats") >= 0.9 * former.count("beats") > 30


def test_periods_of_few_series_do_not_flatter() -> None:
    now, _ = outcomes("3 series, 12 cuts")
    assert now.count("beats") + now.count("loses") < 10


@pytest.mark.parametrize("each", SERIES, ids=[each.name for each in SERIES])
def test_changes_of_drawn_series_share_their_shocks(each: Series) -> None:
    panel = each.drawn(seed=1)
    changes = np.diff(panel.last(each.steps), axis=1)
    pairs = np.asarray(np.corrcoef(changes))[np.triu_indices(each.series, 1)]
    assert pairs.mean() == pytest.approx(each.common, abs=0.12)


def test_draw_depends_on_its_seed_alone() -> None:
    first, again, other = (SERIES[0].drawn(seed).digest() for seed in (1, 1, 2))
    assert first == again != other
