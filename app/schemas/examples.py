"""The examples of the documentation: one story, from the upload to the forecast."""

from typing import Any

Example = dict[str, Any]

DATASET_ID = "ds_0660f96ccf3453f4b05d3d274d"
JOB_ID = "job_0660f96d107c22a9d1f0b6c3e8"
MODEL_ID = "model_0660f96d6671cee863c5fd106d"
CURSOR = "ZHNfMDY2MGY5NmNjZjM0NTNmNGIwNWQzZDI3NGQ"

DETECTED: Example = {
    "format": "csv",
    "id_column": "unique_id",
    "time_column": "ds",
    "target_column": "y",
    "encoding": "utf-8",
    "delimiter": ",",
    "decimal": ".",
    "date_format": "year",
    "notes": [],
}
REPAIR: Example = {
    "kind": "duplicate",
    "unique_id": "Norway",
    "row": 17,
    "detail": "1975 was there twice; the last row counts.",
}
PROFILE: Example = {
    "series": 40,
    "observations": 2560,
    "gaps": 0,
    "shortest": 64,
    "longest": 64,
    "start": 1960,
    "end": 2023,
    "frequency": "YS",
    "season_length": 1,
    "detected": DETECTED,
    "repairs": [REPAIR],
    "repairs_total": 1,
}
DATASET: Example = {
    "id": DATASET_ID,
    "name": "population",
    "version": 1,
    "champion_id": MODEL_ID,
    "created_at": "2026-01-31T09:00:00Z",
    "profile": PROFILE,
}
SUMMARY: Example = {
    **{key: DATASET[key] for key in ("id", "name", "version", "champion_id", "created_at")},
    **{key: PROFILE[key] for key in ("series", "observations", "frequency", "start", "end")},
}
SERIES: Example = {"unique_id": "Norway", "length": 64, "observations": 64, "start": 1960, "end": 2023}
OBSERVATIONS: Example = {
    "unique_id": "Norway",
    "dataset_id": DATASET_ID,
    "dataset_version": 1,
    "ds": [2021, 2022, 2023],
    "y": [5408320.0, 5457127.0, 5519594.0],
    "next": None,
}
TRAINING: Example = {
    "dataset_id": DATASET_ID,
    "horizon": 5,
    "preset": "quick",
    "architecture": "all",
    "method": "auto",
    "on_loss": "warn",
    "promote": "auto",
    "seed": 0,
}
PROGRESS: Example = {
    "phase": "training",
    "architecture": "rnn",
    "member": 2,
    "members": 2,
    "epoch": 20,
    "epochs": 20,
    "loss": 0.041,
    "validation_loss": None,
    "share_done": 1.0,
}
JOB: Example = {
    "id": JOB_ID,
    "state": "succeeded",
    "dataset_id": DATASET_ID,
    "dataset_version": 1,
    "request": TRAINING,
    "attempt": 1,
    "progress": PROGRESS,
    "error": None,
    "failures": [],
    "model_id": MODEL_ID,
    "created_at": "2026-01-31T09:00:05Z",
    "started_at": "2026-01-31T09:00:05Z",
    "finished_at": "2026-01-31T09:00:30Z",
}
TRIAL: Example = {
    "architecture": "rnn",
    "smape": 0.617,
    "mase": 1.049,
    "parameters": 13510,
    "seconds": 2.6,
}
TRIALS: list[Example] = [
    TRIAL,
    {"architecture": "gru", "smape": 0.621, "mase": 1.054, "parameters": 31430, "seconds": 6.4},
    {"architecture": "lstm", "smape": 0.629, "mase": 1.055, "parameters": 40390, "seconds": 9.3},
    {"architecture": "cnn", "smape": 0.661, "mase": 1.138, "parameters": 54726, "seconds": 3.1},
]
MODEL: Example = {
    "id": MODEL_ID,
    "dataset_id": DATASET_ID,
    "dataset_version": 1,
    "job_id": JOB_ID,
    "champion": True,
    "horizon": 5,
    "preset": "quick",
    "seed": 0,
    "architecture": "rnn",
    "name": None,
    "on_loss": "warn",
    "trials": TRIALS,
    "weights_bytes": 54560,
    "weights_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "training_seconds": 24.1,
    "code_version": "0.1.0",
    "created_at": "2026-01-31T09:00:30Z",
}
MODEL_UPDATE: Example = {"on_loss": "fallback", "name": "five years, quick"}
INTERVAL: Example = {"lo": [5548717.2, 5576105.1], "hi": [5577623.8, 5637518.4]}
FORECAST: Example = {
    "unique_id": "Norway",
    "dataset_id": DATASET_ID,
    "dataset_version": 1,
    "model_id": MODEL_ID,
    "frequency": "YS",
    "ds": [2024, 2025],
    "forecast": [5562835.3, 5606892.7],
    "intervals": {"80": INTERVAL},
    "method": "rnn",
}
PROBLEM: Example = {
    "type": "urn:gatecast:problem:bad-input",
    "title": "The input cannot be used",
    "status": 422,
    "detail": "The longest series has 64 steps, too few to train for 40 steps ahead. Ask for at most 31.",
    "instance": "/train",
    "errors": [{"pointer": "#/horizon", "detail": "Ask for at most 31."}],
}
