"""neuralforecast's LSTM with the library's defaults, run by `benchmarks/peers.py` in its own environment."""

import json
import logging
import sys
import time

import numpy as np
import pandas as pd
import torch
from neuralforecast import NeuralForecast
from neuralforecast.models import LSTM


def main(series: str, settings: str, answer: str) -> None:
    torch.set_num_threads(1)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    chosen = json.loads(settings)
    horizon, _ = chosen.pop("horizon"), chosen.pop("season_length")
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    model = LSTM(h=horizon, accelerator="cpu", enable_checkpointing=False, alias="LSTM", **quiet, **chosen)
    start = time.perf_counter()
    forecaster = NeuralForecast(models=[model], freq=1)
    forecaster.fit(_frame(series))
    trained = time.perf_counter() - start
    rows = forecaster.predict().sort_values(["unique_id", "ds"])
    median = rows["LSTM"].to_numpy(dtype=np.float64).reshape(-1, horizon)
    np.savez(answer, median=median, training_seconds=trained, seconds=time.perf_counter() - start)


def _frame(path: str) -> pd.DataFrame:
    with np.load(path) as kept:
        values, lengths = kept["values"], np.diff(kept["offsets"])
    steps = np.concatenate([np.arange(length) for length in lengths])
    return pd.DataFrame({"unique_id": np.repeat(np.arange(len(lengths)), lengths), "ds": steps, "y": values})


if __name__ == "__main__":
    main(*sys.argv[1:])
