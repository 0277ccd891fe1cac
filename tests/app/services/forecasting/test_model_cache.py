"""Models kept in memory."""

import asyncio
from collections.abc import Callable

import pytest

from app.services.forecasting.model_cache import ModelCache
from app.services.registry.baseline_forecasts import BaselineForecasts
from app.services.registry.quantile_forecasts import LoadedModel
from models.choices import NO_SEASONS
from models.config import preset
from models.panel import Panel
from models.training.fit import fit


class Loader:
    """Loads the same model for every name, and remembers the names."""

    def __init__(self, model: LoadedModel) -> None:
        self.model, self.loaded = model, list[str]()

    def of(self, name: str) -> Callable[[], LoadedModel]:
        def load() -> LoadedModel:
            self.loaded.append(name)
            return self.model

        return load


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    config = preset("quick", horizon=1, seasons=NO_SEASONS, values=10, longest=10)
    return LoadedModel(fit(Panel.of([list(range(1, 11))]), config), BaselineForecasts(1, {}, {}))


async def get_in_turn(cache: ModelCache, loader: Loader, names: str) -> None:
    for name in names:
        assert await cache.get(("w", "m", name), loader.of(name)) is loader.model


def test_model_is_loaded_once_however_many_requests(model: LoadedModel) -> None:
    loader = Loader(model)

    async def get_at_once() -> list[LoadedModel]:
        cache = ModelCache(10**9)
        return await asyncio.gather(*[cache.get(("w", "m", "m"), loader.of("m")) for _ in range(8)])

    assert all(loaded is model for loaded in asyncio.run(get_at_once()))
    assert loader.loaded == ["m"]


def test_least_recently_used_goes_when_bytes_run_out(model: LoadedModel) -> None:
    cache, loader = ModelCache(2 * model.nbytes), Loader(model)
    asyncio.run(get_in_turn(cache, loader, "abacab"))
    assert loader.loaded == ["a", "b", "c", "b"]
    assert cache.nbytes <= 2 * model.nbytes


def test_model_over_the_limit_is_still_served(model: LoadedModel) -> None:
    asyncio.run(get_in_turn(ModelCache(1), Loader(model), "a"))


def test_failed_load_is_tried_again(model: LoadedModel) -> None:
    async def get_twice() -> LoadedModel:
        cache = ModelCache(10**9)
        with pytest.raises(ZeroDivisionError):
            await cache.get(("w", "m", "m"), lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        return await cache.get(("w", "m", "m"), lambda: model)

    assert asyncio.run(get_twice()) is model
