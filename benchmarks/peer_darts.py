"""darts' RNNModel, an LSTM; run by `benchmarks/peers.py` in an environment of its own.

Series scaled to 0..1 as its manual shows, two seasons (or eight steps) in. Its default of 100 epochs would
take hours on thousands of series, so training ends after `MAX_STEPS` batches.
"""

import json
import sys
import time

import numpy as np
import torch
from darts import TimeSeries
from darts.dataprocessing.transformers import Scaler
from darts.models import RNNModel

MAX_STEPS = 1000


def main(series: str, settings: str, answer: str) -> None:
    torch.set_num_threads(1)
    chosen = json.loads(settings)
    horizon, season_length = chosen.pop("horizon"), chosen.pop("season_length")
    start = time.perf_counter()
    contexts, scaler = _series(series), Scaler()
    scaled = scaler.fit_transform(contexts)
    shortest = min(len(context) for context in contexts)
    inputs = min(max(8, 2 * season_length), shortest - horizon - 1)
    model = _model(inputs, inputs + horizon)
    model.fit(scaled)
    trained = time.perf_counter() - start
    forecasts = scaler.inverse_transform(model.predict(horizon, series=scaled))
    median = np.stack([forecast.values()[:, 0] for forecast in forecasts])
    np.savez(answer, median=median, training_seconds=trained, seconds=time.perf_counter() - start)


def _model(inputs: int, training_length: int) -> RNNModel:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False}
    return RNNModel(
        input_chunk_length=inputs,
        training_length=training_length,
        model="LSTM",
        random_state=0,
        pl_trainer_kwargs={"accelerator": "cpu", "max_steps": MAX_STEPS, **quiet},
    )


def _series(path: str) -> list[TimeSeries]:
    with np.load(path) as kept:
        parts = np.split(kept["values"], kept["offsets"][1:-1])
    return [TimeSeries.from_values(part.astype(np.float32)) for part in parts]


if __name__ == "__main__":
    main(*sys.argv[1:])
