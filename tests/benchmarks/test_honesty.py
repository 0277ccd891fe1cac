from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import honesty_intervals, honesty_panels, honesty_rows
from benchmarks.honesty_means import DEMANDS, Demand
from benchmarks.honesty_panels import GAPS, POWER, SERIES, Gaps, Series
from benchmarks.honesty_parts import parts_of
from benchmarks.honesty_rows import Row, Rows, Task


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


def test_interrupted_run_does_not_measure_its_rows_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(honesty_rows, "KEPT", tmp_path / "kept.rows")
    measured: list[str] = []

    def task(name: str) -> Task:
        def measure() -> Row:
            measured.append(name)
            return Row("part", name, "1 %", figures={"share": 0.01})

        return Task("part", name, measure)

    first = Rows(resume=False).of(task("a"))
    resumed = Rows(resume=True)
    assert resumed.of(task("a")) == first
    resumed.of(task("b"))
    assert measured == ["a", "b"]
    Rows(resume=False).of(task("a"))
    assert measured == ["a", "b", "a"]


def part_off(points: float, score: float = 0.9) -> Row:
    shares = {"80": 80 - points, "95": 95.0}
    return Row(
        honesty_intervals.PART, "any", "", figures={"served": shares, "score": {"raw": 1, "served": score}}
    )


def test_intervals_are_bound_on_average_over_all_parts() -> None:
    off_80, off_95, score = honesty_intervals.summary([part_off(1), part_off(-7, score=1.2)])
    assert (off_80.measured, off_80.is_ok) == ("4.000", False)
    assert (off_95.measured, off_95.is_ok) == ("0.000", True)
    assert (score.measured, score.is_ok) == ("1.050", False)


@pytest.mark.parametrize("demand", DEMANDS, ids=[each.name for each in DEMANDS])
def test_drawn_demand_has_the_mean_that_it_is_measured_against(demand: Demand) -> None:
    drawn = demand.draw(np.random.default_rng(1), (500, 1000))
    assert drawn.mean() == pytest.approx(demand.mean, rel=0.02)
    assert 0.01 < (drawn == 0).mean() < 1


def test_part_for_validation_ends_a_horizon_earlier(tmp_path: Path) -> None:
    rows = [
        {"unique_id": "a", "frequency": "monthly", "season_length": 12, "horizon": 2, "t": t, "y": float(t)}
        for t in range(10)
    ]
    table = pd.DataFrame(rows).assign(split=["train"] * 8 + ["test"] * 2)
    table.to_parquet(tmp_path / "M3.parquet")
    found = {
        validation: parts_of(tmp_path, validation=validation)["M3, monthly"]()[0]
        for validation in (False, True)
    }
    assert [part.target.tolist() for part in found.values()] == [[[8, 9]], [[6, 7]]]
    assert found[True].history.last(6)[0].tolist() == [0, 1, 2, 3, 4, 5]
