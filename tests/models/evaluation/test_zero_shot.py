import numpy as np
import pytest

from models.choices import NO_SEASONS, Seasons
from models.evaluation import zero_shot
from models.evaluation.calibration_windows import CalibrationWindows
from models.evaluation.zero_shot import backtest_zero_shot
from models.methods.baselines import BASELINES, OF_CHANCE, OF_DEMAND
from models.methods.combination import forecast_by
from models.methods.zero_shot import uncalibrated_method, zero_shot_forecaster
from models.metrics import coverage
from models.network.pretrained import VIEW
from models.panel import Panel
from tests.models.samples import bounds, wave, waves


@pytest.mark.parametrize(
    ("work", "left_out"), [(zero_shot.ETS_WORK, set()), (1.0, {"ets"})], ids=["few series", "many"]
)
def test_networks_are_judged_against_every_baseline_that_a_request_has_time_for(
    monkeypatch: pytest.MonkeyPatch, work: float, left_out: set[str]
) -> None:
    monkeypatch.setattr(zero_shot, "ETS_WORK", work)
    assessment = backtest_zero_shot(zero_shot_forecaster(4, Seasons((4,))), waves())
    assert assessment is not None
    assert set(assessment.backtest.forecasts) == {VIEW, *BASELINES} - left_out
    assert assessment.verdicts[VIEW].baseline in BASELINES
    assert assessment.methods[assessment.served].calibration.windows > 0


def test_sentence_names_the_pretrained_network() -> None:
    assessment = backtest_zero_shot(zero_shot_forecaster(4, Seasons((4,))), waves())
    assert assessment is not None
    assert "this pretrained network's error" in assessment.verdicts[VIEW].sentence


def test_series_shorter_than_the_horizon_are_not_backtested() -> None:
    assert backtest_zero_shot(zero_shot_forecaster(12, Seasons((4,))), Panel.of([wave(8)])) is None


@pytest.mark.parametrize(("values", "turns"), [(1, 2), (10**9, 1)])
def test_baselines_are_the_same_however_many_turns_they_take(
    monkeypatch: pytest.MonkeyPatch, values: int, turns: int
) -> None:
    forecaster, panel = zero_shot_forecaster(4, Seasons((4,))), waves(4)
    whole = backtest_zero_shot(forecaster, panel)
    monkeypatch.setattr(zero_shot, "TURN_VALUES", values)
    monkeypatch.setattr(zero_shot, "ETS_TURN_VALUES", values)
    given_way: list[str] = []
    parts = backtest_zero_shot(forecaster, panel, lambda: given_way.append("turn"))
    assert whole is not None
    assert parts is not None
    windows = len(whole.backtest.forecasts["theta"].median)
    calibrating = 1 + (whole.verdicts[VIEW].baseline not in zero_shot.SLOW)
    assert len(given_way) == len(BASELINES) * (windows if turns > 1 else 1) + calibrating
    for name in BASELINES:
        assert np.array_equal(whole.backtest.forecasts[name].median, parts.backtest.forecasts[name].median)


def test_networks_are_calibrated_on_more_windows_than_they_are_judged_on() -> None:
    """Of 80 series 40 windows are judged, and up to four of each series calibrate."""
    assessment = backtest_zero_shot(zero_shot_forecaster(4, Seasons((4,))), waves(80, length=20))
    assert assessment is not None
    assert len(assessment.backtest.held_out) == 40
    assert assessment.methods[VIEW].calibration.windows == 80 * 3
    assert set(assessment.methods[VIEW].calibration.coverage) == {50, 80, 95, 99}


@pytest.mark.parametrize(("series", "cuts"), [(1, 100), (10, 25), (60, 4), (250, 4)])
def test_few_series_are_calibrated_on_more_windows_of_each(series: int, cuts: int) -> None:
    config = zero_shot_forecaster(4, Seasons((4,))).config
    windows = CalibrationWindows.of(waves(series, length=500), config)
    assert windows is not None
    assert windows.contexts.series == series * cuts
    assert np.unique(windows.cut).tolist() == list(range(cuts))


def test_series_alone_with_a_long_past_is_calibrated() -> None:
    """Twenty windows are enough, and a series alone has as many as its past holds."""
    assessment = backtest_zero_shot(zero_shot_forecaster(4, Seasons((4,))), Panel.of([wave(120)]))
    assert assessment is not None
    calibration = assessment.methods[VIEW].calibration
    assert calibration.windows == 28
    assert calibration.is_calibrated(80)
    assert set(calibration.coverage) == {50, 80, 95, 99}


def test_windows_early_in_their_series_do_not_calibrate() -> None:
    """With eleven steps and a horizon of four no window has eight before it."""
    assessment = backtest_zero_shot(zero_shot_forecaster(4, Seasons((4,))), waves(80, length=11))
    assert assessment is not None
    calibration = assessment.methods[VIEW].calibration
    assert (calibration.windows, calibration.coverage) == (0, {})
    assert not calibration.is_calibrated(80)


@pytest.mark.parametrize("mean", [0.1, 0.3, 3.0])
def test_bounds_of_counts_are_whole_and_hold_their_level(mean: float) -> None:
    """Of 20 series, and four steps after each that nobody has seen."""
    drawn = np.random.default_rng(5).poisson(mean, (20, 124)).astype(float)
    forecaster, known = zero_shot_forecaster(4, NO_SEASONS), Panel.of(list(drawn[:, :120]))
    assessment = backtest_zero_shot(forecaster, known)
    assert assessment is not None
    found = forecast_by(assessment.methods[VIEW], forecaster, known, levels=(50, 80, 95))
    assert all((bound == np.rint(bound)).all() for bound in bounds(found))
    for level in (50, 80, 95):
        assert coverage(drawn[:, 120:], found.lo[level], found.hi[level]) >= level / 100 - 0.02


@pytest.mark.parametrize("mean", [0.3, 3.0])
def test_coverage_of_a_series_alone_is_what_comes(mean: float) -> None:
    """Mean over 30 series of counts, whose whole bounds hold more than the level."""
    came, reported = [], []
    forecaster = zero_shot_forecaster(12, NO_SEASONS)
    for seed in range(30):
        drawn = np.random.default_rng(seed).poisson(mean, 212).astype(float)
        known = Panel.of([drawn[:200]])
        assessment = backtest_zero_shot(forecaster, known)
        assert assessment is not None
        method = assessment.methods[VIEW]
        found = forecast_by(method, forecaster, known, levels=(80,))
        came.append(coverage(drawn[None, 200:], found.lo[80], found.hi[80]))
        reported.append(method.calibration.coverage[80])
    assert np.mean(reported) == pytest.approx(np.mean(came), abs=0.05)
    assert np.mean(reported) > 0.85


def test_coverage_of_a_series_alone_says_where_its_intervals_did_not_hold() -> None:
    """Noise, and noise whose level changes at every window, which no interval before it can know."""
    rng = np.random.default_rng(5)
    noise, levels = rng.normal(size=(2, 60)), np.repeat(10 * rng.normal(size=15), 4)
    found = [
        backtest_zero_shot(zero_shot_forecaster(4, NO_SEASONS), Panel.of([100 + values]))
        for values in (noise[0], noise[1] + levels)
    ]
    steady, changing = (each.methods[VIEW].calibration.coverage[80] for each in found if each is not None)
    assert steady > 0.75
    assert changing < steady - 0.05


def test_zeros_by_chance_are_within_bounds_of_any_demand() -> None:
    """The sizes are no whole numbers, and a fifth of the steps have none."""
    rng = np.random.default_rng(5)
    drawn = np.where(rng.random((20, 124)) < 0.8, rng.lognormal(1, 0.8, (20, 124)), 0.0)
    forecaster, known = zero_shot_forecaster(4, NO_SEASONS), Panel.of(list(drawn[:, :120]))
    found = forecast_by(uncalibrated_method(4), forecaster, known, levels=(80,))
    assert (found.lo[80] == 0).all()
    assert (found.median > 0).all()


def test_methods_of_demand_are_rivals_where_most_series_are_intermittent() -> None:
    rng = np.random.default_rng(5)
    panel = Panel.of([rng.poisson(0.4, 60).astype(float) for _ in range(8)])
    assessment = backtest_zero_shot(zero_shot_forecaster(4, Seasons((4,))), panel)
    assert assessment is not None
    assert set(assessment.backtest.forecasts) == {VIEW, *BASELINES, *OF_DEMAND, *OF_CHANCE}
    assert {*OF_DEMAND, *OF_CHANCE} < set(assessment.methods)


def test_networks_do_not_beat_the_history_where_there_is_nothing_to_find() -> None:
    for seed in range(4):
        drawn = np.random.default_rng(seed).negative_binomial(1, 0.5, (40, 100)).astype(float)
        assessment = backtest_zero_shot(zero_shot_forecaster(6, NO_SEASONS), Panel.of(list(drawn)))
        assert assessment is not None
        verdict = assessment.verdicts[VIEW]
        assert (verdict.baseline, verdict.measure) == ("history", "pinball")
        assert verdict.outcome != "beats"


@pytest.mark.parametrize(("months", "periods"), [(18, 1), (24, 1), (36, 2), (60, 3)])
def test_coverage_of_a_series_alone_is_a_number_from_two_cuts_on(months: int, periods: int) -> None:
    """A year ahead, of which each needs eight months before it."""
    season = 100 + np.arange(months) % 12 + np.random.default_rng(1).normal(0, 1, months)
    assessment = backtest_zero_shot(zero_shot_forecaster(12, Seasons((12,))), Panel.of([season]))
    assert assessment is not None
    calibration = assessment.methods[VIEW].calibration
    assert calibration.periods == periods
    assert (calibration.coverage_at(80) is None) == (periods == 1)
    assert calibration.untested(80) == ("one period" if periods == 1 else None)
