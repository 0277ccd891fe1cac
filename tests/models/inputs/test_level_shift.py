import numpy as np
import pytest
import torch

from models.choices import NO_SEASONS, Seasons
from models.inputs.level_shift import FEWEST, MOST_ODD, OddEnds, odd_ends, without_shift
from models.methods.ensemble import ensemble_forecast
from models.methods.zero_shot import zero_shot_forecaster
from models.panel import Floats, Panel

NOISE = np.random.default_rng(4).normal(0, 1, (50, 60))


def moved(values: Floats) -> Floats:
    return without_shift(torch.as_tensor(values)).numpy()


def shifted(at: int, spread: float = 1.0) -> Floats:
    """Noise around 100, and from `at` on around 20 and as wide as `spread` says."""
    early = np.arange(60) < at
    return np.where(early, 100 + NOISE, 20 + spread * NOISE)


@pytest.mark.parametrize("at", [FEWEST, 20, 40, 60 - FEWEST])
def test_values_before_a_shift_are_moved_to_the_level_after_it(at: int) -> None:
    found = moved(shifted(at))
    assert found[:, :at].mean() == pytest.approx(20, abs=0.5)
    assert found[:, at:].tolist() == shifted(at)[:, at:].tolist()


def test_they_become_as_wide_as_those_after_it() -> None:
    assert moved(shifted(30, spread=5.0))[:, :30].std() == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize("at", [1, FEWEST - 1, 60 - FEWEST + 1, 59])
def test_few_values_are_no_level(at: int) -> None:
    values = shifted(at)
    assert moved(values).tolist() == values.tolist()


@pytest.mark.parametrize(
    "values",
    [
        NOISE.cumsum(axis=1),
        NOISE + np.arange(60),
        NOISE + 5 * np.sin(np.arange(60) * np.pi / 6),
        NOISE + 4 * (np.arange(60) > 30),
        np.full((1, 60), 7.0),
        np.full((1, 60), np.nan),
        np.exp(np.arange(60.0)[None] / 20),
    ],
    ids=["walks", "lines", "seasons", "small shifts", "constant", "nothing", "growth"],
)
def test_what_has_no_clear_shift_stays_to_the_bit(values: Floats) -> None:
    np.testing.assert_array_equal(moved(values), values)


def test_gaps_stay_and_count_for_nothing() -> None:
    values = shifted(30)
    values[:, ::5] = np.nan
    found = moved(values)
    assert (np.isnan(found) == np.isnan(values)).all()
    assert np.nanmean(found[:, :30]) == pytest.approx(20, abs=0.5)


def test_constants_that_shift_become_the_later_one() -> None:
    assert moved(np.repeat([[100.0, 20.0]], 30, axis=1)).tolist() == [[20.0] * 60]


def odd_end(values: Floats) -> OddEnds | None:
    return odd_ends(torch.as_tensor(np.atleast_2d(values)))


def with_end(*last: float, row: int = 0) -> Floats:
    """Noise around 100, and these values at its end."""
    return np.append(100 + NOISE[row], last)


@pytest.mark.parametrize("last", [[130.0], [130.0, 127.0], [60.0, 62.0, 61.0]])
def test_odd_last_values_are_read_as_a_new_level_and_as_exceptions(last: list[float]) -> None:
    found = odd_end(with_end(*last))
    assert found is not None
    count = len(last)
    assert found.shifted[0, :-count].mean() == pytest.approx(np.mean(last), abs=3)
    assert found.shifted[0, -count:].tolist() == last
    assert found.without[0, :-count].tolist() == with_end().tolist()
    assert found.without[0, -count:].isnan().all()


@pytest.mark.parametrize(
    "values",
    [
        with_end(),
        with_end(104.0),
        with_end(*[130.0] * (MOST_ODD + 1)),
        with_end(130.0, 100.0),
        np.exp(0.3 * np.arange(60)),
        NOISE.cumsum(axis=1),
        np.full(60, 7.0),
        np.append(np.full(59, 7.0), 9.0),
        np.full(60, np.nan),
        with_end(130.0)[-10:],
    ],
    ids=[
        "no odd one",
        "hardly odd",
        "a level",
        "back already",
        "growth",
        "walks",
        "constant",
        "constant before",
        "nothing",
        "short",
    ],
)
def test_other_ends_are_not_odd(values: Floats) -> None:
    assert odd_end(values) is None


def test_odd_ends_are_found_by_the_numbers_of_their_series() -> None:
    found = odd_end(np.stack([with_end(100.0), with_end(130.0), with_end(100.0, row=1), with_end(60.0)]))
    assert found is not None
    assert found.rows.tolist() == [1, 3]


def test_earlier_jumps_are_counted_by_whether_they_came_back() -> None:
    values = with_end(130.0)
    values[10], values[20:22], values[40:-1] = 140, 60, values[40:-1] + 30
    found = odd_end(values)
    assert found is None, "the level before is that of the last jump"
    values[-1] = 160.0
    found = odd_end(values)
    assert found is not None
    assert (found.back.tolist(), found.stayed.tolist()) == ([[2.0]], [[1.0]])


@pytest.mark.parametrize(
    ("seasons", "steps", "horizon"),
    [(Seasons((4,)), 24, 6), (Seasons((12,)), 36, 12), (Seasons((7,)), 60, 7), (NO_SEASONS, 20, 6)],
    ids=["quarters", "months", "days", "years"],
)
def test_level_that_shifted_goes_on_without_a_training(seasons: Seasons, steps: int, horizon: int) -> None:
    """From 100 to 20 for the last third: months were 11 times as far off as the last value, others twice."""
    rng, size = np.random.default_rng(7), steps + horizon
    values = np.where(np.arange(size) < steps * 2 // 3, 100.0, 20.0) + rng.normal(0, 1, (50, size))
    history, ahead = values[:, :steps], values[:, steps:]
    forecast = ensemble_forecast(
        zero_shot_forecaster(horizon, seasons), Panel.of(list(history)), levels=(80,)
    )
    assert np.abs(forecast.median - ahead).mean() < np.abs(history[:, -1:] - ahead).mean()
    assert 0.7 < ((ahead >= forecast.lo[80]) & (ahead <= forecast.hi[80])).mean() < 0.9


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("factor", [0.4, 3.0])
@pytest.mark.parametrize("comes_back", [True, False])
def test_intervals_hold_the_level_before_odd_last_values_and_theirs(
    count: int,
    factor: float,
    comes_back: bool,  # noqa: FBT001
) -> None:
    """After two values at 0.4 of the level, 37 % of what came back lay within 95 %."""
    values = 100 * np.exp(0.05 * np.random.default_rng(2).normal(size=(100, 72)))
    values[:, 60 - count : 60 if comes_back else 72] *= factor
    forecast = ensemble_forecast(
        zero_shot_forecaster(12, NO_SEASONS), Panel.of(list(values[:, :60])), levels=(95, 99)
    )
    ahead = values[:, 60:]
    held = {
        level: ((ahead >= forecast.lo[level]) & (ahead <= forecast.hi[level])).mean() for level in (95, 99)
    }
    assert held[95] > 0.8
    assert held[99] > 0.95


@pytest.mark.parametrize("count", [1, 2])
def test_median_goes_back_where_earlier_odd_values_did(count: int) -> None:
    values = 100 * np.exp(0.05 * np.random.default_rng(2).normal(size=(50, 60)))
    for at in (15, 30, 45, 60 - count):
        values[:, at : at + count] *= 2.5
    forecast = ensemble_forecast(zero_shot_forecaster(12, NO_SEASONS), Panel.of(list(values)), levels=(80,))
    assert np.abs(forecast.median / 100 - 1).mean() < 0.1


def test_odd_end_is_forecast_alone_as_among_others() -> None:
    values = [with_end(300.0), with_end(310.0, 290.0, row=1), with_end(100.0, row=2), with_end(20.0, row=3)]
    network = zero_shot_forecaster(6, NO_SEASONS)
    together = ensemble_forecast(network, Panel.of(values), levels=(95,))
    for number, series in enumerate(values):
        alone = ensemble_forecast(network, Panel.of([series]), levels=(95,))
        assert alone.median[0].tolist() == together.median[number].tolist()
        assert alone.hi[95][0].tolist() == together.hi[95][number].tolist()


@pytest.mark.parametrize("rate", [0.5, 0.8])
@pytest.mark.parametrize("level", [0.0, 20.0])
@pytest.mark.parametrize(("before", "steps"), [(30, 6), (40, 10), (40, 30), (0, 40)])
def test_intervals_hold_a_decay_that_goes_on_to_its_level(
    rate: float, level: float, before: int, steps: int
) -> None:
    """From 100 to 0.1 within ten steps, 10 was forecast, and 99 % began at 9."""
    path = level + 100 * rate ** np.arange(1, steps + 13)
    values = np.append(np.full(before, 100 + level), path) * np.exp(
        0.02 * np.random.default_rng(6).normal(size=(20, before + steps + 12))
    )
    forecast = ensemble_forecast(
        zero_shot_forecaster(12, NO_SEASONS), Panel.of(list(values[:, :-12])), levels=(95,)
    )
    ahead = values[:, -12:]
    assert ((ahead >= forecast.lo[95]) & (ahead <= forecast.hi[95])).mean() > 0.8
