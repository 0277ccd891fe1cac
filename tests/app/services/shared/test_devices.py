import pytest

from app.errors import BadInput
from app.services.shared import devices


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_has_driver", lambda: True)
    monkeypatch.setattr(
        "models.network.devices.resolve_device", lambda name: {"auto": "cuda"}.get(name, name)
    )


@pytest.mark.usefixtures("one_gpu")
def test_trainings_take_the_gpu_and_forecasts_the_cpu() -> None:
    assert devices.resolve("auto") == "cuda"
    assert devices.resolve_for_serving("auto") == "cpu"


@pytest.mark.usefixtures("one_gpu")
def test_named_gpu_serves_forecasts_too() -> None:
    assert devices.resolve_for_serving("cuda:1") == "cuda:1"


def test_gpu_that_is_not_there_is_refused_for_forecasts() -> None:
    with pytest.raises(BadInput, match="GATECAST_DEVICE: The device 'cuda:7' is not here"):
        devices.resolve_for_serving("cuda:7")
