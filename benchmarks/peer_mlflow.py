"""darts' RNNModel as a model of MLflow's; run by `benchmarks/mlflow_server.py` in an environment of its own.

Trained as `peer_darts.py` does. What is served takes one series' values as `inputs` and answers with the next
`horizon` ones.
"""

import json
import sys
import threading
from typing import Any

import mlflow.pyfunc
import numpy as np
import torch
from darts import TimeSeries
from darts.dataprocessing.transformers import Scaler
from darts.models import RNNModel

MAX_STEPS = 1000


class Forecaster(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # mlflow is in an environment of its own
    """Scales a series, lets the network forecast it, and scales back."""

    def __init__(self, horizon: int) -> None:
        self._horizon = horizon

    def load_context(self, context: Any) -> None:
        torch.set_num_threads(1)
        self._model = RNNModel.load(context.artifacts["network"], map_location="cpu")
        self._model.trainer_params |= {"logger": False, "enable_checkpointing": False}
        self._lock = (
            threading.Lock()
        )  # MLflow calls from several threads, which a model of darts does not bear

    def predict(self, context: Any, model_input: Any) -> Any:  # noqa: ARG002  # MLflow knows them by name
        scaler = Scaler()
        series = TimeSeries.from_values(np.asarray(model_input, dtype=np.float32).reshape(-1))
        scaled = scaler.fit_transform(series)
        with self._lock:
            answer = self._model.predict(self._horizon, series=scaled, verbose=False)
        return scaler.inverse_transform(answer).values()[:, 0]


def main(series: str, settings: str, folder: str) -> None:
    torch.set_num_threads(1)
    chosen = json.loads(settings)
    with np.load(series) as kept:
        parts = np.split(kept["values"], kept["offsets"][1:-1])
    contexts = [TimeSeries.from_values(part.astype(np.float32)) for part in parts]
    inputs = 2 * chosen["season_length"]
    quiet = {"enable_progress_bar": False, "enable_model_summary": False}
    model = RNNModel(
        input_chunk_length=inputs,
        training_length=inputs + chosen["horizon"],
        model="LSTM",
        random_state=0,
        pl_trainer_kwargs={"accelerator": "cpu", "max_steps": MAX_STEPS, **quiet},
    )
    model.fit(Scaler().fit_transform(contexts))
    model.save(f"{folder}.pt")
    served = Forecaster(chosen["horizon"])
    files = {"network": f"{folder}.pt", "weights": f"{folder}.pt.ckpt"}  # darts looks for the second itself
    mlflow.pyfunc.save_model(folder, python_model=served, artifacts=files)


if __name__ == "__main__":
    main(*sys.argv[1:])
