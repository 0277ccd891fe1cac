import sys

import pytest

from benchmarks import gpu

GOOD: dict[str, object] = {
    "same_bits_twice": True,
    "same_forecast_twice": True,
    "trained_difference": 1e-6,
    "pretrained_difference": 1e-6,
    "not_deterministic": [],
}


def test_small_run_on_the_cpu_passes_every_check() -> None:
    result = gpu.measure("cpu", gpu.Size(trained=6, forecast=12, steps=2))
    assert gpu.failures(result) == []
    assert result["series_per_second"]
    assert result["ratio_to_bare_loop"]


def test_missing_gpu_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu", "--device", "cuda:7"])
    with pytest.raises(SystemExit) as end:
        gpu.main()
    assert end.value.code == 2
    assert "Nothing was measured. The device 'cuda:7' is not here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("same_bits_twice", False),
        ("same_forecast_twice", False),
        ("trained_difference", 2e-4),
        ("pretrained_difference", float("nan")),
        ("not_deterministic", ["cumsum_cuda_kernel"]),
    ],
)
def test_check_that_does_not_hold_is_named(name: str, value: object) -> None:
    assert gpu.failures({**GOOD, name: value}) == [name]
