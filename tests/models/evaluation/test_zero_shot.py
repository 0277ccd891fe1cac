from models.evaluation.zero_shot import RIVALS, backtest_zero_shot
from models.methods.zero_shot import zero_shot_forecaster
from models.network.pretrained import VIEW
from models.panel import Panel
from tests.models.samples import wave, waves


def test_networks_are_judged_and_calibrated_against_the_fast_baselines() -> None:
    assessment = backtest_zero_shot(zero_shot_forecaster(4, 4), waves())
    assert assessment is not None
    assert set(assessment.backtest.forecasts) == {VIEW, *RIVALS}
    assert assessment.verdicts[VIEW].baseline in RIVALS
    assert assessment.methods[assessment.served].calibration.windows > 0


def test_sentence_names_the_pretrained_network() -> None:
    assessment = backtest_zero_shot(zero_shot_forecaster(4, 4), waves())
    assert assessment is not None
    assert "this pretrained network's error" in assessment.verdicts[VIEW].sentence


def test_series_shorter_than_the_horizon_are_not_backtested() -> None:
    assert backtest_zero_shot(zero_shot_forecaster(12, 4), Panel.of([wave(8)])) is None
