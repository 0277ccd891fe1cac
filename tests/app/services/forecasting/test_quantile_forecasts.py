"""Quantile forecasts are cached within a bound."""

import numpy as np

from app.observability import metrics
from app.services.forecasting.quantile_forecasts import QuantileForecastCache, SeriesQuantiles
from app.services.forecasting.resolve import ForecastKey
from models.methods.calibration import CALIBRATED_LEVELS, IntervalBounds
from models.methods.combination import QuantileForecast
from models.methods.support import Support

KEY: ForecastKey = (("default", "dataset_1", 1, "0" * 64), "model_1", "1" * 64, "lstm", False)


def series_quantiles(name: str, horizon: int = 18) -> SeriesQuantiles:
    bounds = IntervalBounds(np.zeros((1, horizon)), np.zeros((1 + len(CALIBRATED_LEVELS), 2, 1, horizon)))
    return SeriesQuantiles(name, 0, QuantileForecast(bounds, Support.free(1), np.zeros((1, horizon))))


SIZE = series_quantiles("a").nbytes


def filled(names: str, limit_bytes: int = 3 * SIZE) -> QuantileForecastCache:
    cache = QuantileForecastCache(limit_bytes)
    cache.put(KEY, [series_quantiles(name) for name in names])
    return cache


def kept(cache: QuantileForecastCache, names: str) -> list[str]:
    return [name for name in names if cache.get(KEY, [name])]


def test_several_come_by_name() -> None:
    found = filled("abc").get(KEY, ["c", "a"])
    assert [series.unique_id for series in found or []] == ["a", "c"]


def test_none_come_where_one_is_missing() -> None:
    assert filled("ab").get(KEY, ["a", "c"]) is None


def test_other_version_method_or_weights_or_a_preliminary_one_has_none() -> None:
    cache = filled("a")
    version, model_id, weights, method, _ = KEY
    workspace, dataset_id, number, sha256 = version
    others: list[ForecastKey] = [
        (("other", dataset_id, number, sha256), model_id, weights, method, False),
        ((workspace, dataset_id, number + 1, sha256), model_id, weights, method, False),
        ((workspace, dataset_id, number, "2" * 64), model_id, weights, method, False),
        (version, "model_2", weights, method, False),
        (version, model_id, "2" * 64, method, False),
        (version, model_id, weights, "theta", False),
        (version, model_id, weights, method, True),
    ]
    assert [cache.get(key, ["a"]) for key in others] == [None] * 7


def test_those_used_longest_ago_go_when_bytes_run_out() -> None:
    cache = filled("abc")
    cache.get(KEY, ["a"])
    cache.put(KEY, [series_quantiles("d")])
    assert (kept(cache, "abcd"), cache.nbytes) == (["a", "c", "d"], 3 * SIZE)


def test_one_larger_than_the_cache_is_not_kept() -> None:
    cache = filled("ab")
    cache.put(KEY, [series_quantiles("c", horizon=1000)])
    assert kept(cache, "abc") == ["a", "b"]


def test_cache_of_no_bytes_keeps_nothing() -> None:
    cache = filled("ab", limit_bytes=0)
    assert (kept(cache, "ab"), cache.nbytes) == ([], 0)


def test_bytes_in_memory_are_a_metric() -> None:
    cache = filled("ab")
    assert metrics.QUANTILE_FORECAST_CACHE_BYTES._value.get() == cache.nbytes == 2 * SIZE
