from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.config import HISTORY_LIMIT, QUANTILES, View
from models.errors import DeviceUnavailable, HorizonTooLong, InvalidLevel, UnusableHistory
from models.methods.ensemble import _at_levels, _widening, ensemble_forecast
from models.methods.forecast import joined
from models.network.artifact import dump, load
from models.network.devices import resolve_device
from models.network.forecaster import Forecaster, build_member
from models.panel import Floats, Panel
from models.training.fit import fit
from tests.models.samples import around, bounds, tiny_config, wave, waves


@pytest.fixture(scope="module")
def model() -> Forecaster:
    return fit(waves(), tiny_config())


def test_forecast_has_a_row_a_series_and_a_column_a_step(model: Forecaster) -> None:
    forecast = ensemble_forecast(model, waves(), levels=(50, 99))
    assert [part.shape for part in bounds(forecast)] == [(12, 4)] * 5
    assert {part.dtype for part in bounds(forecast)} == {np.dtype(np.float64)}
    assert list(forecast.lo) == list(forecast.hi) == [50, 99]


def test_shorter_horizon_is_the_start_of_the_longer(model: Forecaster) -> None:
    short, whole = ensemble_forecast(model, waves(), horizon=2), ensemble_forecast(model, waves())
    assert np.array_equal(short.median, whole.median[:, :2])
    assert np.array_equal(short.hi[95], whole.hi[95][:, :2])


@pytest.mark.parametrize("horizon", [0, 5])
def test_horizon_beyond_the_trained_is_refused(model: Forecaster, horizon: int) -> None:
    with pytest.raises(HorizonTooLong, match="4 steps"):
        ensemble_forecast(model, waves(), horizon=horizon)


@pytest.mark.parametrize("level", [0, 100, 80.5])
def test_level_that_is_no_percentage_is_refused(model: Forecaster, level: float) -> None:
    with pytest.raises(InvalidLevel, match="from 1 to 99"):
        ensemble_forecast(model, waves(), levels=(level,))  # type: ignore[arg-type]


def test_tail_gives_the_same_bits_as_full_history(model: Forecaster) -> None:
    arrays = [wave(HISTORY_LIMIT + extra, start=1, level=0.01, growth=0.002) for extra in (-30, 0, 7, 900)]
    arrays[3][:-HISTORY_LIMIT] = -1.0
    full = Panel.of(arrays, phases=[1] * 4)
    first, second = ensemble_forecast(model, full), ensemble_forecast(model, full.tail(HISTORY_LIMIT))
    for left, right in zip(bounds(first), bounds(second), strict=True):
        assert np.array_equal(left, right)


def test_one_series_is_forecast_as_among_many(model: Forecaster) -> None:
    panel = waves()
    alone = Panel(panel.values[:40], np.array([0, 40]), panel.phases[:1])
    np.testing.assert_allclose(
        ensemble_forecast(model, alone).median[0], ensemble_forecast(model, panel).median[0], rtol=1e-5
    )


def test_series_beyond_one_batch_are_all_answered(model: Forecaster, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ensemble_forecast(model, waves())
    monkeypatch.setattr("models.inputs.windows.VALUES_PER_CUT", 180)
    np.testing.assert_allclose(ensemble_forecast(model, waves()).median, whole.median, rtol=1e-5)


@pytest.mark.parametrize("factor", [1e-9, 1e12])
def test_forecast_follows_the_unit_of_the_series(model: Forecaster, factor: float) -> None:
    panel = waves()
    larger = Panel(panel.values * factor, panel.offsets, panel.phases)
    expected = ensemble_forecast(model, panel).hi[80] * factor
    np.testing.assert_allclose(ensemble_forecast(model, larger).hi[80], expected, rtol=1e-4)


def test_levels_between_and_beyond_the_trained_follow_the_normal_curve() -> None:
    normal = NormalDist(mu=3.0, sigma=2.0)
    trained = torch.tensor([normal.inv_cdf(q) for q in QUANTILES], dtype=torch.float64)
    outputs = _at_levels(trained[None, None], QUANTILES, [50, 65, 80, 99])[0, 0]
    wanted = [0.5, 0.25, 0.75, 0.175, 0.825, 0.1, 0.9, 0.005, 0.995]
    assert outputs.tolist() == pytest.approx([normal.inv_cdf(q) for q in wanted])


@pytest.mark.parametrize("view", ["last", "season", "phase"])
def test_quantiles_do_not_cross(view: View) -> None:
    wild = fit(waves(), tiny_config(views=(view,), steps=1, epochs=1, learning_rate=1.0))
    parts = bounds(ensemble_forecast(wild, waves(), levels=tuple(range(1, 100))))
    assert all((lower <= upper).all() for lower, upper in pairwise(parts))


def test_quantiles_that_cross_are_put_in_order() -> None:
    """A network with its outputs reversed crosses everywhere, and forecasts the same."""
    config = tiny_config(views=("last",))
    network, turned = (build_member(config, 0, torch.Generator().manual_seed(2)) for _ in range(2))
    with torch.no_grad():
        for parameter in turned.head.parameters():
            parameter.copy_(parameter.unflatten(0, (4, 7)).flip(1).flatten(0, 1))  # type: ignore[no-untyped-call]
    first, second = (
        ensemble_forecast(Forecaster(config, (member,)), waves()) for member in (network, turned)
    )
    for left, right in zip(bounds(first), bounds(second), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6)


def test_bounds_that_rounding_crossed_are_widened() -> None:
    crossed = torch.tensor([[[2.0, 2.5, 1.0, 1.5, 4.0]]])
    assert _widening(crossed)[0, 0].tolist() == [2.0, 2.0, 2.0, 1.5, 4.0]


def test_levels_may_come_in_any_order_and_twice(model: Forecaster) -> None:
    mixed, plain = ensemble_forecast(model, waves(), levels=(95, 80, 95)), ensemble_forecast(model, waves())
    assert list(mixed.lo) == [80, 95]
    assert np.array_equal(mixed.lo[95], plain.lo[95])


def test_history_without_a_value_is_named(model: Forecaster) -> None:
    panel = Panel.of([wave(20), np.full(20, np.nan), wave(20)])
    with pytest.raises(UnusableHistory, match="Series 1 has no value"):
        ensemble_forecast(model, panel)


def test_value_older_than_the_history_limit_does_not_count(model: Forecaster) -> None:
    with pytest.raises(UnusableHistory, match="Series 0"):
        ensemble_forecast(model, Panel.of([[5.0] + [np.nan] * HISTORY_LIMIT]))


@pytest.mark.parametrize(
    "history",
    [[7.5], [0.0] * 30, [7.5] * 30, [0, 0, 9, 0] * 8, [-3.0] * 30, [5.0] + [np.nan] * 900, [1e308] * 30],
    ids=["one value", "zeros", "constant", "sparse", "negative", "long gap", "huge"],
)
def test_odd_history_gets_a_sane_answer(model: Forecaster, history: list[float]) -> None:
    forecast = ensemble_forecast(model, Panel.of([history]))
    size = np.nanmax(np.abs(history)) + 1.0
    assert all((np.abs(part) <= 3 * size).all() for part in bounds(forecast) if size < 1e300)
    assert all(np.isfinite(part).all() for part in bounds(forecast))


def test_constant_series_is_forecast_close_to_its_value(model: Forecaster) -> None:
    forecast = ensemble_forecast(model, Panel.of([[7.5] * 30]))
    np.testing.assert_allclose(forecast.median, 7.5, rtol=0.1)


HISTORY = arrays.arrays(
    np.float64,
    st.integers(1, 60),
    elements=st.one_of(
        st.floats(allow_infinity=False, allow_nan=True), st.floats(-1e3, 1e3), st.sampled_from([0.0, np.nan])
    ),
).filter(lambda values: bool(np.isfinite(values).any()))


@settings(max_examples=150, deadline=None)
@given(contexts=st.lists(HISTORY, min_size=1, max_size=4))
def test_any_context_gets_finite_ordered_bounds(model: Forecaster, contexts: list[Floats]) -> None:
    parts = bounds(ensemble_forecast(model, Panel.of(contexts), levels=(50, 80, 99)))
    assert all(np.isfinite(part).all() for part in parts)
    assert all((lower <= upper).all() for lower, upper in pairwise(parts))
    for i, history in enumerate(contexts):
        assert np.nanmin(history) < 0 or all((part[i] >= 0).all() for part in parts)


def test_parts_of_an_answer_join_to_the_whole() -> None:
    whole = around([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    first, last = whole.rows(np.array([True, True, False])), whole.rows(np.array([False, False, True]))
    assert [part.tolist() for part in bounds(joined([first, last]))] == [p.tolist() for p in bounds(whole)]
    assert last.median.tolist() == [[5.0, 6.0]]


def test_first_steps_of_an_answer_keep_their_bounds() -> None:
    whole = around([[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]])
    assert [part.tolist() for part in bounds(whole.steps(2))] == [p[:, :2].tolist() for p in bounds(whole)]


def test_moved_answer_is_as_wide_as_before() -> None:
    moved = around([[1.0, 2.0]]).shifted(np.array([[3.0, -4.0]]))
    for ours, expected in zip(bounds(moved), bounds(around([[4.0, -2.0]])), strict=True):
        np.testing.assert_allclose(ours, expected)


def test_answer_moved_out_of_float64_stops_at_its_end() -> None:
    most = np.finfo(np.float64).max
    moved = around([[1e308, -1e308]]).shifted(np.array([[1e308, -np.inf]]))
    assert {tuple(part[0]) for part in bounds(moved)} == {(most, -most)}


def test_floor_of_a_series_holds_for_median_and_bounds() -> None:
    forecast = around([[-1.0], [-1.0]]).at_least(np.array([0.0, -np.inf]))
    assert all(part[0, 0] >= 0 for part in bounds(forecast))
    assert forecast.hi[99][0, 0] == pytest.approx(1.576, abs=0.001)
    assert [part[1].tolist() for part in bounds(forecast)] == [
        p[0].tolist() for p in bounds(around([[-1.0]]))
    ]


def test_cpu_and_auto_are_devices() -> None:
    assert resolve_device("cpu").type == "cpu"
    assert resolve_device("auto").type in {"cpu", "cuda"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_forecasts_on_a_gpu_are_those_on_the_cpu(model: Forecaster) -> None:
    artifact = dump(model)
    there = ensemble_forecast(load(artifact.weights, artifact.metadata, device="cuda"), waves())
    for here, on_gpu in zip(bounds(ensemble_forecast(model, waves())), bounds(there), strict=True):
        np.testing.assert_allclose(on_gpu, here, rtol=1e-4)


@pytest.mark.parametrize("name", ["gpu", "cpu:1", "cuda:x", "cuda:", ""])
def test_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(DeviceUnavailable, match="is not known"):
        resolve_device(name)


def test_missing_cuda_device_is_refused() -> None:
    missing = torch.cuda.device_count()
    with pytest.raises(DeviceUnavailable, match="is not here"):
        resolve_device(f"cuda:{missing}")
