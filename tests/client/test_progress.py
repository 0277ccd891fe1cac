"""The bar that shows how far a training is."""

import io
import sys

import pytest

from app.schemas import examples
from gatecast_client import ProgressBar
from gatecast_client.progress import default_bar
from gatecast_client.shapes import Job

JOB = Job.model_validate(examples.JOB)


def job(state: str, **progress: object) -> Job:
    """A job in a state, so far."""
    return JOB.model_copy(update={"state": state, "progress": JOB.progress.model_copy(update=progress)})


def test_bar_is_drawn_again_and_ends_with_the_job() -> None:
    stream = io.StringIO()
    bar = ProgressBar(stream)
    bar(job("running", phase="backtesting", architecture="lstm", epoch=3, epochs=20, share_done=0.25))
    bar(job("succeeded", share_done=0.97))
    first, last = stream.getvalue().split("\r")[1:]
    assert first == f"[{'#' * 8}{'.' * 22}]  25% backtesting lstm, epoch 3 of 20"
    assert last.startswith(f"[{'#' * 30}] 100% succeeded")
    assert len(last) == len(first) + 1
    assert last.endswith("\n")


def test_training_that_failed_is_not_shown_as_done() -> None:
    stream = io.StringIO()
    ProgressBar(stream)(job("failed", share_done=0.5))
    assert " 50% failed\n" in stream.getvalue()


def test_bar_is_shown_where_somebody_looks_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert default_bar() is None
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert default_bar() is not None
