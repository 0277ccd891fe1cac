from dataclasses import replace

import numpy as np
import pytest

from models.backtest import beside_baselines
from models.checkpoint import dump
from models.config import Architecture
from models.errors import HorizonTooLong, TrainingStopped
from models.selection import Progress, train
from models.training import fit
from models.verdict import judge
from models.windows import Panel
from tests.models.samples import tiny_config, wave, waves

ALL: tuple[Architecture, ...] = ("lstm", "gru", "rnn", "cnn")


def test_best_of_the_candidates_is_fitted_on_everything() -> None:
    trained = train(waves(), tiny_config(), ALL)
    assert {trial.architecture for trial in trained.trials} == set(ALL)
    assert [trial.mase for trial in trained.trials] == sorted(trial.mase for trial in trained.trials)
    best = replace(tiny_config(), architecture=trained.trials[0].architecture)
    assert dump(trained.model).weights == dump(fit(waves(), best)).weights


def test_steps_judged_on_do_not_reach_the_choice_of_weights() -> None:
    """Other last values: the trial is another, since it is judged on them, but not by other weights."""
    changed = waves()
    changed.values[np.arange(len(changed.values)) % 40 >= 36] *= 3
    first, second = (train(panel, tiny_config(), ["lstm"]).trials[0] for panel in (waves(), changed))
    assert second.smape > 2 * first.smape


def test_backtest_has_every_candidate_and_the_verdict_is_of_the_best() -> None:
    trained = train(waves(), tiny_config(steps=5), ["rnn", "cnn"])
    assert set(trained.backtest.forecasts) == {"rnn", "cnn"}
    for trial in trained.trials:
        assert trial.mase == trained.backtest.measures(trial.architecture).mase
    best = trained.trials[0].architecture
    compared = beside_baselines(trained.backtest, 4)
    assert trained.verdict() == judge(compared, best, candidates=2, seed=7)


def test_candidates_have_not_seen_the_steps_of_any_cut() -> None:
    """Other values from the first cut on: the candidate is another in none of its weights."""
    changed = waves()
    changed.values[np.arange(len(changed.values)) % 40 >= 32] *= 3
    first, second = (train(panel, tiny_config(steps=5), ["lstm"]).backtest for panel in (waves(), changed))
    earliest = first.held_out.cut == 1
    medians = [backtest.forecasts["lstm"].median[earliest] for backtest in (first, second)]
    assert first.held_out.cuts == 2
    assert medians[0].tobytes() == medians[1].tobytes()


def test_progress_tells_of_each_fit_and_rises_to_one() -> None:
    seen: list[Progress] = []
    trained = train(waves(), tiny_config(), ["rnn", "cnn"], on_progress=seen.append)
    kept = trained.trials[0].architecture
    fits = list(dict.fromkeys((progress.phase, progress.architecture) for progress in seen))
    assert fits == [("backtesting", "rnn"), ("backtesting", "cnn"), ("training", kept)]
    assert [p.share_done for p in seen] == pytest.approx([(i + 1) / 45 for i in range(45)])
    assert all((p.fit.validation_loss is None) == (p.phase == "training") for p in seen)


def test_stop_requested_ends_it_in_any_fit() -> None:
    seen: list[Progress] = []
    with pytest.raises(TrainingStopped):
        train(
            waves(),
            tiny_config(),
            ["lstm"],
            on_progress=seen.append,
            should_stop=lambda: bool(seen) and seen[-1].phase == "training",
        )
    assert seen[-1].phase == "training"


def test_horizon_that_cannot_be_held_out_is_refused_with_the_limit() -> None:
    with pytest.raises(HorizonTooLong, match="at most 19 is possible"):
        train(waves(length=40), tiny_config(horizon=20), ["lstm"])


def test_longest_horizon_of_one_short_series_is_trained() -> None:
    trained = train(Panel.of([wave(4)]), tiny_config(horizon=1, context=2), ["lstm"])
    assert len(trained.trials) == 1
    verdict = trained.verdict()
    assert (verdict.outcome, verdict.n, verdict.unit) == ("ties", 1, "cut")
    assert "1 cut is too few" in verdict.sentence
