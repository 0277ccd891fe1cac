"""MLflow's model server with darts' LSTM in it, in an environment of its own, as a peer of our serving."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np

from app.server import free_port
from benchmarks import wrk
from benchmarks.monthly import HORIZON, Monthly
from benchmarks.peers import MLFLOW, environment
from benchmarks.service import running_process, wait_for
from benchmarks.serving_setup import answers
from benchmarks.wrk import Load
from models.panel import Panel


@contextmanager
def running_mlflow(folder: Path, monthly: Monthly) -> Iterator[Callable[[int, int], Load]]:
    """Train, start the server, and yield a function of connections and seconds that asks it for one series.

    Raises `CalledProcessError` when its environment cannot be made or its script fails, `HTTPStatusError`
    when the server refuses a call.
    """
    python, model = environment(MLFLOW), folder / "mlflow-model"
    values = [group.to_numpy(dtype=np.float64) for _, group in monthly.rows.groupby("unique_id")["y"]]
    panel = Panel.of(values)
    np.savez(folder / "series.npz", values=panel.values, offsets=panel.offsets)
    script = Path(__file__).parent / MLFLOW.script
    shape = json.dumps({"horizon": HORIZON, "season_length": 12})
    words = [python, str(script), str(folder / "series.npz"), shape, str(model)]
    subprocess.run(words, check=True, cwd=folder, stdout=sys.stderr)
    body, log, port = folder / "mlflow.json", folder / "mlflow.log", free_port()
    body.write_text(json.dumps({"inputs": [values[0].tolist()]}))
    words = [python, "-m", "mlflow", "models", "serve", "--model-uri", str(model), "--env-manager", "local"]
    words += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    path = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"  # it starts a program of its environment
    url = f"http://127.0.0.1:{port}"
    with running_process(words, {"PATH": path}, log) as process:
        wait_for(lambda: answers(f"{url}/ping"), process, log)
        headers = {"Content-Type": "application/json"}
        httpx2.post(f"{url}/invocations", content=body.read_bytes(), headers=headers).raise_for_status()
        yield lambda connections, seconds: wrk.load(
            f"{url}/invocations", connections, seconds, script=(wrk.POST, body)
        )
