from dataclasses import replace

import numpy as np
import pytest

from models.choices import Architecture, Seasons
from models.errors import HorizonTooLong, TrainingStopped
from models.evaluation.verdict import judge
from models.methods.baselines import BASELINES
from models.methods.combination import BLEND, forecast_by
from models.methods.ensemble import ensemble_forecast
from models.methods.forecast import floors
from models.methods.zero_shot import zero_shot_forecaster
from models.network.artifact import dump
from models.panel import Panel
from models.training.fit import fit
from models.training.train import Progress, train
from tests.models.samples import bounds, tiny_config, wave, waves


def panel() -> Panel:
    """Two cuts of six series: twelve windows, which take ETS little time."""
    return waves(series=6)


ALL: tuple[Architecture, ...] = ("lstm", "gru", "rnn", "cnn")


def test_best_of_the_candidates_is_fitted_on_everything() -> None:
    trained = train(panel(), tiny_config(steps=5), ALL)
    assert {trial.architecture for trial in trained.trials} == set(ALL)
    assert [trial.mase for trial in trained.trials] == sorted(trial.mase for trial in trained.trials)
    best = replace(tiny_config(steps=5), architecture=trained.trials[0].architecture)
    assert dump(trained.model).weights == dump(fit(panel(), best)).weights


def repeating(series: int) -> Panel:
    """Return series that repeat five values, which networks learn and seasons of none do not tell."""
    repeated = np.tile([10.0, 14.0, 10.0, 18.0, 12.0], 12)
    return Panel.of([repeated[start : start + 50] for start in range(series)])


MIXED = tiny_config(views=("last", "pretrained"), season_lengths=(), steps=150)


def test_members_that_learned_from_the_series_are_kept_where_they_did_better() -> None:
    assert train(repeating(8), MIXED, ["lstm"]).model.config.start == "scratch"


def test_pretrained_members_are_kept_where_they_did_better() -> None:
    trained = train(panel(), replace(MIXED, season_lengths=(4,), steps=5), ["lstm"])
    assert trained.model.config.start == trained.trials[0].start == "pretrained"


def test_pretrained_members_are_kept_where_too_few_units_can_tell() -> None:
    seen: list[Progress] = []
    trained = train(repeating(3), MIXED, ["lstm"], on_progress=seen.append)
    assert trained.model.config.start == "pretrained"
    assert {progress.fit for progress in seen} == {None}


def test_model_of_pretrained_members_alone_is_judged_without_training() -> None:
    seen: list[Progress] = []
    trained = train(panel(), tiny_config(views=("pretrained",) * 2), ["lstm"], on_progress=seen.append)
    zero_shot_forecast = ensemble_forecast(zero_shot_forecaster(4, Seasons((4,))), panel())
    np.testing.assert_array_equal(ensemble_forecast(trained.model, panel()).median, zero_shot_forecast.median)
    assert set(trained.assessment.backtest.forecasts) == {"lstm", BLEND, *BASELINES}
    assert [progress.fit for progress in seen] == [None] * len(seen)


def test_every_start_is_a_candidate_of_the_verdict() -> None:
    config = tiny_config(views=("last", "pretrained"), steps=5)
    assessment = train(panel(), config, ["lstm"]).assessment
    backtest = assessment.backtest
    judged = fit(panel(), config, held_out=backtest.held_out.steps)
    candidates = [ensemble_forecast(part, backtest.held_out.contexts).median for part in judged.subensembles]
    assert len(candidates) == 3
    assert assessment.verdicts == {
        name: judge(backtest, name, candidates=candidates, seed=7) for name in ("lstm", BLEND)
    }


def test_other_architectures_are_tried_without_the_pretrained_members() -> None:
    trained = train(panel(), tiny_config(views=("last", "pretrained"), steps=5), ["gru"])
    assert trained.model.config.views == ("last",)


def test_steps_judged_on_do_not_reach_the_choice_of_weights() -> None:
    """Other last values: the trial is another, since it is judged on them, but not by other weights."""
    changed = panel()
    changed.values[np.arange(len(changed.values)) % 40 >= 36] *= 3
    first, second = (train(each, tiny_config(), ["lstm"]).trials[0] for each in (panel(), changed))
    assert second.smape > 2 * first.smape


def test_backtest_has_every_candidate_with_the_error_of_its_trial() -> None:
    trained = train(panel(), tiny_config(steps=5), ["rnn", "cnn"])
    backtest = trained.assessment.backtest
    assert set(backtest.forecasts) == {"rnn", "cnn", BLEND, *BASELINES}
    for trial in trained.trials:
        assert trial.mase == backtest.measures(trial.architecture).mase


def test_each_window_is_forecast_from_its_own_history() -> None:
    """Baselines forecast eight windows at once; the judged network is fitted before the cuts."""
    backtest = train(panel(), tiny_config(steps=5), ["lstm"]).assessment.backtest
    contexts = backtest.held_out.contexts
    judged = fit(panel(), tiny_config(steps=5), held_out=backtest.held_out.steps)
    assert backtest.forecasts["lstm"].median.tolist() == ensemble_forecast(judged, contexts).median.tolist()
    for name, baseline in BASELINES.items():
        floored = np.maximum(baseline(contexts, 4, 4), floors(contexts)[:, None])
        assert backtest.forecasts[name].median.tolist() == floored.tolist()


def test_verdicts_are_of_the_best_candidate_and_its_blend() -> None:
    trained = train(panel(), tiny_config(steps=5), ["rnn", "cnn"])
    best, backtest = trained.trials[0].architecture, trained.assessment.backtest
    candidates = [backtest.forecasts[name].median for name in ("rnn", "cnn")]
    assert trained.assessment.verdicts == {
        name: judge(backtest, name, candidates=candidates, seed=7) for name in (best, BLEND)
    }


def test_choice_of_the_network_alone_reaches_the_assessment() -> None:
    assessment = train(panel(), tiny_config(steps=5), ["cnn"], blending="network").assessment
    assert assessment.served == "cnn"
    assert set(assessment.methods) == {"cnn", *BASELINES}


@pytest.mark.parametrize("cut", [0, 1])
def test_no_median_depends_on_what_comes_after_its_cut(cut: int) -> None:
    """Only the weights of the blend do, by the other fold; its own target never counts."""
    changed = panel()
    changed.values[np.arange(len(changed.values)) % 40 >= 36 - 4 * cut] *= 5
    first, second = (
        train(each, tiny_config(steps=5), ["lstm"]).assessment.backtest for each in (panel(), changed)
    )
    windows = first.held_out.cut >= cut
    assert not np.array_equal(first.held_out.target[windows], second.held_out.target[windows])
    for name in ("lstm", *BASELINES):
        before, after = (backtest.forecasts[name].median[windows] for backtest in (first, second))
        assert before.tobytes() == after.tobytes()


def test_progress_has_each_fit_in_turn() -> None:
    seen: list[Progress] = []
    trained = train(panel(), tiny_config(steps=5), ["rnn", "cnn"], on_progress=seen.append)
    kept = trained.trials[0].architecture
    fits = list(dict.fromkeys((progress.phase, progress.architecture) for progress in seen))
    assert fits == [("backtesting", "rnn"), ("backtesting", "cnn"), ("training", kept)]
    reports = [(progress.phase, progress.fit) for progress in seen if progress.fit is not None]
    assert all((fit.validation_loss is None) == (phase == "training") for phase, fit in reports)


def test_progress_rises_evenly_over_fits_and_baselines() -> None:
    """Two candidates of 15 epochs, baselines on 12 windows, eight at once, the kept model, and the medians of
    Theta, the partner in the blend.
    """
    seen: list[Progress] = []
    train(panel(), tiny_config(steps=5), ["lstm", "cnn"], blending="blend", on_progress=seen.append)
    fit_shares = np.arange(1, 16) / 15
    expected = np.concatenate([fit_shares, 1 + fit_shares, [2 + 8 / 12, 3], 3 + fit_shares, [5]]) / 5
    assert [progress.share_done for progress in seen] == pytest.approx(expected.tolist())


def test_stop_request_ends_any_fit() -> None:
    seen: list[Progress] = []
    with pytest.raises(TrainingStopped):
        train(
            panel(),
            tiny_config(steps=5),
            ["lstm"],
            on_progress=seen.append,
            should_stop=lambda: bool(seen) and seen[-1].phase == "training",
        )
    assert seen[-1].phase == "training"


def test_stop_request_ends_the_baselines_between_windows() -> None:
    seen: list[Progress] = []
    with pytest.raises(TrainingStopped, match="stopped at naive, window 8"):
        train(
            panel(),
            tiny_config(steps=5),
            ["lstm"],
            on_progress=seen.append,
            should_stop=lambda: bool(seen) and seen[-1].share_done > 1 / 3 + 1e-9,
        )


def test_horizon_that_cannot_be_held_out_is_refused_with_the_limit() -> None:
    with pytest.raises(HorizonTooLong, match=r"at most 19\."):
        train(waves(length=40), tiny_config(horizon=20), ["lstm"])


@pytest.mark.parametrize(("length", "horizon"), [(4, 1), (5, 1), (6, 2), (8, 3), (8, 1)])
def test_single_short_series_has_a_sane_forecast_without_calibration(length: int, horizon: int) -> None:
    short = Panel.of([wave(length)])
    trained = train(short, tiny_config(horizon=horizon, context=2, steps=5), ["lstm"])
    method = trained.assessment.methods[trained.assessment.served]
    forecast = forecast_by(method, trained.model, short, levels=(80, 95))
    assert [part.shape for part in bounds(forecast)] == [(1, horizon)] * 5
    assert all((part >= 0).all() and (part < 1000).all() for part in bounds(forecast))
    assert not method.calibration.is_calibrated(80)


@pytest.mark.parametrize(("length", "horizon"), [(4, 1), (8, 3)])
def test_single_short_series_is_undecided_and_the_sentence_says_why(length: int, horizon: int) -> None:
    short = Panel.of([wave(length)])
    assessment = train(short, tiny_config(horizon=horizon, context=2, steps=5), ["lstm"]).assessment
    assert assessment.served == "lstm"
    for verdict in assessment.verdicts.values():
        assert (verdict.outcome, verdict.n, verdict.unit) == ("undecided", 1, "cut")
        assert "the evidence of 1 period, where it takes 6" in verdict.sentence
