"""Other libraries' recurrent networks, each in an environment of its own that is made when first needed.

An environment takes some hundred MB under `benchmarks/.cache/peers`. A peer's script knows nothing of this
project: it reads series from one file and writes its forecasts to another.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.panel import Floats, Panel

_HERE = Path(__file__).parent
_ENVIRONMENTS = _HERE / ".cache" / "peers"

Settings = Mapping[str, int]


@dataclass(frozen=True)
class Peer:
    """`requirements` as pip takes them; `script` in this folder, run as `script SERIES SETTINGS ANSWER`."""

    name: str
    requirements: tuple[str, ...]
    script: str


# The same torch as ours, so that a local folder of wheels may serve both.
NEURALFORECAST = Peer("neuralforecast", ("neuralforecast==3.3.0", "torch==2.13.0"), "peer_neuralforecast.py")
DARTS = Peer("darts", ("darts[torch]==0.48.1", "torch==2.13.0"), "peer_darts.py")
MLFLOW = Peer("mlflow", ("mlflow==3.17.2", "darts[torch]==0.48.1", "torch==2.13.0"), "peer_mlflow.py")


@dataclass(frozen=True, eq=False)
class Answer:
    """`median` (series, horizon), the seconds that training took, and those of training and forecasting."""

    median: Floats
    training_seconds: float
    seconds: float


def run_peer(
    peer: Peer, panel: Panel, *, horizon: int, season_length: int, settings: Settings | None = None
) -> Answer:
    """Train the peer on the panel and forecast; `settings` go to its model, over its own defaults.

    Raises `CalledProcessError` when its environment cannot be made or its script fails.
    """
    python = environment(peer)
    shape = {"horizon": horizon, "season_length": season_length}
    with tempfile.TemporaryDirectory() as folder:
        series, answer = Path(folder) / "series.npz", Path(folder) / "answer.npz"
        np.savez(series, values=panel.values, offsets=panel.offsets)
        words = [
            python,
            str(_HERE / peer.script),
            str(series),
            json.dumps(shape | dict(settings or {})),
            str(answer),
        ]
        subprocess.run(words, check=True, cwd=folder, stdout=sys.stderr)
        with np.load(answer) as kept:
            return Answer(kept["median"], float(kept["training_seconds"]), float(kept["seconds"]))


def environment(peer: Peer) -> str:
    """The Python of the peer's environment, which is made if it is not there."""
    folder = _ENVIRONMENTS / peer.name
    python = str(folder / "bin" / "python")
    ready = folder / ".ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [python, "-m", "pip", "install", "--quiet", *peer.requirements]
        subprocess.run(install, check=True, stdout=sys.stderr)
        ready.touch()
    return python
