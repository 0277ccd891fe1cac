from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from models.choices import Architecture, MeasureChoice, MethodChoice
from models.coverage import POOLED
from models.evaluation.assessment import Assessment, Candidates, assess
from models.evaluation.backtest import Trial
from models.evaluation.cross_fitting import alone, fit_blend, fit_method, reported_share
from models.evaluation.evidence import FEWEST_UNITS
from models.evaluation.held_out import HeldOut
from models.evaluation.losses import error, error_over_series
from models.evaluation.verdict import judge
from models.methods.baselines import BASELINES
from models.methods.combination import BLEND, uncalibrated_forecast, weighted_mean
from models.methods.forecast import Forecast
from models.methods.reach import Reach
from models.panel import Floats
from tests.models.samples import around, held_out_of, tiny_config, untrained, waves

HELPFUL, HARMFUL = -1.0, 3.0
"""How far theta is above the values, where the network is 1 above them."""


def held_out_windows(series: int = 12) -> HeldOut:
    return held_out_of(np.random.default_rng(3).normal(0, 0.1, (series, 2)))


def forecasts(held_out: HeldOut, *, theta: float = HELPFUL, rnn: float = 2.0) -> dict[str, Forecast]:
    """Return the forecasts of the network `lstm`, of `rnn`, which is not kept, and of the baselines."""
    above = {"lstm": 1.0, "rnn": rnn, **dict.fromkeys(BASELINES, 9.0), "theta": theta}
    return {name: around(np.full(held_out.target.shape, median)) for name, median in above.items()}


def medians(uncalibrated: Mapping[str, Forecast], *networks: str) -> list[Floats]:
    return [uncalibrated[name].median for name in networks]


def assessed_network(
    uncalibrated: Mapping[str, Forecast], held_out: HeldOut, *, blending: MethodChoice = "auto", seed: int = 0
) -> Assessment:
    """Assess the network as the only candidate."""
    return assess(
        uncalibrated,
        held_out,
        "lstm",
        candidates=medians(uncalibrated, "lstm"),
        blending=blending,
        season_length=1,
        seed=seed,
    )


def assessed(*, theta: float = HELPFUL, series: int = 12, blending: MethodChoice = "auto") -> Assessment:
    held_out = held_out_windows(series)
    uncalibrated = forecasts(held_out, theta=theta)
    return assess(
        uncalibrated,
        held_out,
        "lstm",
        candidates=medians(uncalibrated, "lstm", "rnn"),
        blending=blending,
        season_length=1,
        seed=3,
    )


def test_auto_serves_the_blend_where_it_does_better() -> None:
    assert assessed(theta=HELPFUL).served == BLEND


def test_auto_serves_the_blend_where_it_is_as_good() -> None:
    assert assessed(theta=1.01).served == BLEND
    assert assessed(theta=1.2).served == "lstm"


def test_auto_serves_the_network_where_the_blend_does_worse() -> None:
    assert assessed(theta=HARMFUL).served == "lstm"


@pytest.mark.parametrize(("series", "served"), [(FEWEST_UNITS - 1, "lstm"), (FEWEST_UNITS, BLEND)])
def test_auto_serves_the_network_where_units_are_too_few_to_tell(series: int, served: str) -> None:
    assert assessed(theta=HELPFUL, series=series).served == served


@pytest.mark.parametrize("theta", [HELPFUL, HARMFUL])
def test_network_that_is_served_alone_is_not_blended(theta: float) -> None:
    assessment = assessed(theta=theta, blending="network")
    assert assessment.served == "lstm"
    assert set(assessment.verdicts) == {"lstm"}
    assert BLEND not in assessment.methods
    assert BLEND not in assessment.backtest.forecasts


@pytest.mark.parametrize(("theta", "series"), [(HELPFUL, 12), (HARMFUL, 12), (HELPFUL, 2)])
def test_requested_blend_is_served(theta: float, series: int) -> None:
    assert assessed(theta=theta, series=series, blending="blend").served == BLEND


def test_methods_are_the_kept_network_its_blend_and_the_baselines() -> None:
    assessment = assessed()
    assert list(assessment.methods) == ["lstm", BLEND, *BASELINES]
    assert set(assessment.methods[BLEND].weights) == {"lstm", "theta"}


def test_methods_are_fitted_on_all_windows() -> None:
    held_out, methods = held_out_windows(), assessed().methods
    uncalibrated, reach = forecasts(held_out), Reach.of(held_out.contexts, 1)
    for name, fitter in {
        "lstm": alone("lstm"),
        "ets": alone("ets"),
        BLEND: fit_blend("lstm"),
    }.items():
        fitted = fit_method(fitter, uncalibrated, held_out, reach)
        assert methods[name].weights == fitted.weights
        assert methods[name].calibration.factors.tolist() == fitted.calibration.factors.tolist()
        assert methods[name].calibration.windows == 12


def test_backtest_has_bounds_of_every_candidate_and_method() -> None:
    found = assessed().backtest.forecasts
    assert set(found) == {"lstm", "rnn", BLEND, *BASELINES}
    assert {tuple(forecast.lo) for forecast in found.values()} == {(50, 80, 95, 99)}
    assert {tuple(forecast.hi) for forecast in found.values()} == {(50, 80, 95, 99)}


def test_error_of_the_blend_is_on_windows_that_it_was_not_fitted_on() -> None:
    """Theta helps in one fold and harms in the other: fitted on all windows, the blend would be better."""
    held_out = held_out_of(np.zeros((40, 1)))
    fold = held_out.folds[:, None]
    uncalibrated = forecasts(held_out) | {"theta": around(np.where(fold, -1.0, 2.2))}
    assessment = assessed_network(uncalibrated, held_out)
    fitted_on_all = weighted_mean(uncalibrated, assessment.methods[BLEND].weights)
    assert error(held_out, fitted_on_all) < 1.0
    assert assessment.served == "lstm"


def test_network_and_blend_are_tested_against_every_candidate() -> None:
    held_out = held_out_windows()
    elsewhere = around(np.tile([[0.0], [5.0]], (6, 2)))
    uncalibrated = forecasts(held_out, theta=HARMFUL) | {"rnn": elsewhere}
    candidates = medians(uncalibrated, "lstm", "rnn")
    assessment = assess(
        uncalibrated,
        held_out,
        "lstm",
        candidates=candidates,
        blending="auto",
        season_length=1,
        seed=3,
    )
    assert set(assessment.verdicts) == {"lstm", BLEND}
    for name, verdict in assessment.verdicts.items():
        assert verdict == judge(assessment.backtest, name, candidates=candidates, seed=3)
        assert verdict.p_value > judge(assessment.backtest, name, candidates=candidates[:1], seed=3).p_value


def test_draws_of_the_test_depend_on_the_seed() -> None:
    held_out = held_out_of(np.random.default_rng(3).normal(0, 1, (40, 1)))
    uncalibrated = forecasts(held_out) | {
        "lstm": around(np.zeros((40, 1))),
        "theta": around(np.full((40, 1), 0.1)),
    }
    first, again, other = (
        assessed_network(uncalibrated, held_out, blending="network", seed=seed).verdicts["lstm"].p_value
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_contexts_without_a_scale_are_assessed_by_percentages() -> None:
    held_out = held_out_of(np.ones((12, 2)), scale=0.0)
    uncalibrated = forecasts(held_out) | {
        "lstm": around(np.full((12, 2), 2.0)),
        "theta": around(np.zeros((12, 2))),
    }
    assessment = assessed_network(uncalibrated, held_out)
    assert assessment.verdicts["lstm"].measure == "sMAPE"
    assert assessment.served == BLEND


def test_network_that_repeats_the_last_value_loses_on_seasonal_data() -> None:
    model, panel = untrained(tiny_config()), waves(series=7)
    held_out = HeldOut.of(panel, model.config)
    uncalibrated = {name: uncalibrated_forecast(name, model, held_out.contexts) for name in BASELINES}
    uncalibrated["lstm"] = uncalibrated["naive"]
    verdict = assessed_network(uncalibrated, held_out, blending="network").verdicts["lstm"]
    assert verdict.outcome == "loses"
    assert verdict.effect > 0


def test_fold_without_a_scale_is_assessed_by_the_other() -> None:
    held_out = held_out_windows(12)
    gaps = replace(held_out, scale=np.where(held_out.folds, np.nan, 1.0))
    assessment = assessed_network(forecasts(gaps), gaps)
    assert assessment.verdicts["lstm"].n == 6
    assert assessment.served in assessment.methods


@pytest.mark.parametrize(("cuts", "levels"), [(1, set()), (2, {50, 80, 95, 99})])
def test_coverage_is_known_where_a_cut_can_be_left_out(cuts: int, levels: set[int]) -> None:
    """Of one cut all windows share the period that their intervals would be calibrated on."""
    windows = np.random.default_rng(3).normal(0, 0.1, (60, 2))
    held_out = held_out_of(windows, series=np.arange(60) // cuts, cut=np.arange(60) % cuts)
    assessment = assessed_network(forecasts(held_out), held_out)
    assert set(assessment.methods[assessment.served].calibration.coverage) == levels


def test_verdict_and_calibration_come_from_windows_that_share_no_steps() -> None:
    """Twelve cuts a step apart, of two steps each: every window is measured, every other one is judged by."""
    target, cut = np.random.default_rng(3).normal(0, 0.1, (144, 2)), np.arange(144) % 12
    close = replace(held_out_of(target, series=np.arange(144) // 12, cut=cut), step_size=1)
    kept = cut % 2 == 0
    apart = held_out_of(target[kept], series=close.series[kept], cut=cut[kept] // 2)
    apart = replace(apart, contexts=close.apart.contexts)
    found, judged = (assessed_network(forecasts(each), each) for each in (close, apart))
    assert len(found.backtest.held_out) == 144
    assert found.verdicts == judged.verdicts
    assert found.methods["lstm"].weights == judged.methods["lstm"].weights
    factors = [each.methods["lstm"].calibration.factors for each in (found, judged)]
    assert np.array_equal(factors[0], factors[1])


def test_backtest_has_bounds_and_coverage_at_levels_of_ones_own() -> None:
    held_out = held_out_of(np.zeros((60, 2)), series=np.arange(60) // 2, cut=np.arange(60) % 2)
    uncalibrated = forecasts(held_out)
    backtest = assess(
        uncalibrated,
        held_out,
        "lstm",
        candidates=medians(uncalibrated, "lstm"),
        blending="network",
        season_length=1,
        seed=0,
        levels=(90,),
    ).backtest
    assert list(backtest.measures("theta").coverage) == [80, 90, 95]
    found = backtest.forecasts["lstm"]
    assert (found.hi[80] < found.hi[90]).all()
    assert (found.hi[90] < found.hi[95]).all()


def test_expected_coverage_is_drawn_from_what_was_held_to_what_others_held() -> None:
    held_out = held_out_of(np.zeros((60, 2)), series=np.arange(60) // 2, cut=np.arange(60) % 2)
    assessment = assessed_network(forecasts(held_out), held_out, blending="network")
    held = assessment.backtest.measures("lstm").coverage[80]
    expected = assessment.methods["lstm"].calibration.coverage[80]
    share = reported_share(held_out.cut, held_out.support)
    assert share == pytest.approx(0.5)
    assert expected == pytest.approx(POOLED[80] + share * (held - POOLED[80]))
    assert assessment.methods["lstm"].calibration.periods == 2


def by_measure(measure: MeasureChoice) -> Assessment:
    """Theta halves the network's one large miss in ten steps, and adds a little to all others."""
    target = np.zeros((40, 10))
    target[:, 3] = 10.0
    held_out = replace(held_out_of(target), measure=measure)
    poor = around(np.full(target.shape, 1e3))
    uncalibrated = dict.fromkeys(BASELINES, poor) | {
        "lstm": around(np.zeros(target.shape)),
        "theta": around(np.full(target.shape, 2.0)),
    }
    return assessed_network(uncalibrated, held_out)


def test_blend_its_weight_and_the_served_method_follow_the_measure() -> None:
    by_mase, by_rmsse = by_measure("mase"), by_measure("rmsse")
    assert (by_mase.served, by_rmsse.served) == ("lstm", BLEND)
    assert by_rmsse.methods[BLEND].weights["lstm"] < by_mase.methods[BLEND].weights["lstm"]


def candidates_by(measure: MeasureChoice) -> Candidates:
    """The LSTM misses one step in ten by far, and the GRU all of them by a little."""
    target = np.zeros((8, 4))
    target[:, 3] = 4.0
    held_out, found = replace(held_out_of(target), measure=measure), Candidates()
    medians_of: dict[Architecture, Floats] = {
        "lstm": np.zeros(target.shape),
        "gru": np.full(target.shape, 1.2),
    }
    for architecture, median in medians_of.items():
        found.errors[architecture] = error_over_series(held_out, around(median))
        found.trials.append(Trial(architecture, "scratch", smape=1.0, mase=1.0, parameters=1, seconds=0.0))
    return found


@pytest.mark.parametrize(("measure", "best"), [("auto", "lstm"), ("mase", "lstm"), ("rmsse", "gru")])
def test_best_architecture_has_the_least_error_by_the_measure(measure: MeasureChoice, best: str) -> None:
    assert candidates_by(measure).ranked[0].architecture == best
