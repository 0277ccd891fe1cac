"""Models kept in memory."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from app.services.model_cache import ModelCache
from models.config import preset
from models.network import Forecaster
from models.training import fit
from models.windows import Panel


class Loader:
    """Gives the same model for every name, and remembers which were asked for."""

    def __init__(self, model: Forecaster) -> None:
        self.model, self.loaded = model, list[str]()

    def __call__(self, name: str) -> Forecaster:
        self.loaded.append(name)
        return self.model


@pytest.fixture(scope="module")
def model() -> Forecaster:
    config = preset("quick", horizon=1, season_length=1, values=10, longest=10)
    return fit(Panel.of([list(range(1, 11))]), config)


def test_model_is_loaded_once_however_many_ask(model: Forecaster) -> None:
    cache, barrier, loader = ModelCache(10**9), Barrier(8), Loader(model)

    def ask() -> Forecaster:
        barrier.wait()
        return cache.get(("w", "m"), lambda: loader("m"))

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask) for _ in range(8)]
    assert all(answer.result() is model for answer in answers)
    assert loader.loaded == ["m"]


def test_least_recently_used_goes_when_bytes_run_out(model: Forecaster) -> None:
    cache, loader = ModelCache(2 * model.nbytes), Loader(model)
    for name in ("a", "b", "a", "c", "a", "b"):
        cache.get(("w", name), partial(loader, name))
    assert loader.loaded == ["a", "b", "c", "b"]
    assert cache.nbytes <= 2 * model.nbytes


def test_model_over_the_limit_is_still_served(model: Forecaster) -> None:
    assert ModelCache(1).get(("w", "m"), lambda: model) is model


def test_failed_load_is_tried_again(model: Forecaster) -> None:
    cache = ModelCache(10**9)
    with pytest.raises(ZeroDivisionError):
        cache.get(("w", "m"), lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    assert cache.get(("w", "m"), lambda: model) is model
