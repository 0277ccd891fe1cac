import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from models.network.devices import resolve_device

BACKENDS: Any = torch.backends  # replaced at run time, unseen by types


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that says it has a GPU; how torch computes is put back afterwards."""
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    cudnn: Any = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark, BACKENDS.fp32_precision
    yield
    cudnn.deterministic, cudnn.benchmark, BACKENDS.fp32_precision = before
    torch.use_deterministic_algorithms(mode=False)


@pytest.mark.usefixtures("one_gpu")
def test_gpu_computes_the_same_bits_every_time() -> None:
    torch.backends.cudnn.benchmark = True
    assert resolve_device("auto") == torch.device("cuda")
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark


@pytest.mark.usefixtures("one_gpu")
def test_gpu_computes_without_tf32() -> None:
    assert BACKENDS.cudnn.rnn.fp32_precision == "tf32"
    resolve_device("cuda:0")
    backends = BACKENDS.cuda.matmul, BACKENDS.cudnn.conv, BACKENDS.cudnn.rnn
    assert [backend.fp32_precision for backend in backends] == ["ieee"] * 3


def test_cublas_workspace_is_set_before_cuda_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(
        "torch.cuda.is_available", lambda: seen.append(os.environ.get("CUBLAS_WORKSPACE_CONFIG"))
    )
    resolve_device("auto")
    assert seen == [":4096:8"]


def test_cpu_computes_as_before() -> None:
    resolve_device("cpu")
    assert not torch.are_deterministic_algorithms_enabled()
