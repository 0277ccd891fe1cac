"""The examples of the documentation: one story, from the upload to the forecast."""

import json
from typing import Any

Example = dict[str, Any]

DATASET_ID = "ds_0660f96ccf3453f4b05d3d274d"
JOB_ID = "job_0660f96d107c22a9d1f0b6c3e8"
MODEL_ID = "model_0660f96d6671cee863c5fd106d"
WORKER_ID = "worker_0660f96a5b1f0c77d2a94e1b05"
CURSOR = "ZHNfMDY2MGY5NmNjZjM0NTNmNGIwNWQzZDI3NGQ"

COLUMN: Example = {"name": "y", "role": "target", "reason": "is named 'y'"}
DETECTED: Example = {
    "format": "csv",
    "id_column": "unique_id",
    "time_column": "ds",
    "target_column": "y",
    "encoding": "utf-8",
    "delimiter": ",",
    "decimal": ".",
    "date_format": "year",
    "columns": [COLUMN],
    "options": {"duplicates": "last"},
    "notes": [],
}
OBSERVATION: Example = {"unique_id": "museum", "ds": "2026-01-04", "y": 398.0, "price": 7.0, "promo": True}
COVARIATE: Example = {
    "name": "price",
    "role": "future",
    "kind": "number",
    "values": 2600,
    "missing": 0,
    "ahead": 1,
}
REPAIR: Example = {
    "kind": "duplicate",
    "unique_id": "Norway",
    "row": 17,
    "detail": "1975 stands again in row 18, and the last one counts",
}
SEASON: Example = {
    "length": 12,
    "name": "year",
    "found": False,
    "gain": None,
    "reason": "too short to know a season of a year: 14 of 18 steps",
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
    "seasons": [],
    "intermittent": 0,
    "covariates": [COVARIATE],
    "detected": DETECTED,
    "repairs": [REPAIR],
    "repairs_total": 1,
}
ROW: Example = {"unique_id": "Norway", "ds": 1960, "y": 3581239.0}
QUESTION: Example = {
    "parameter": "target_column",
    "question": "Several columns could hold the values: 'Open', 'Close'. Say which with target_column.",
    "candidates": ["Open", "Close"],
}
UNREADABLE: Example = {
    "detail": "Some times cannot be read as ISO8601; correct or delete these cells (row 61).",
    "pointers": ["#row=61"],
}
PREVIEW: Example = {
    "detected": DETECTED,
    "rows": [ROW],
    "questions": [],
    "problems": [],
    "off_step": 0,
    "profile": PROFILE,
}
VERSION: Example = {
    "version": 2,
    "created_at": "2026-01-31T09:00:00Z",
    "series": 40,
    "observations": 2560,
    "start": 1960,
    "end": 2023,
    "repairs_total": 1,
}
DATASET: Example = {
    "id": DATASET_ID,
    "name": "population",
    "version": 1,
    "champion_id": MODEL_ID,
    "created_at": "2026-01-31T09:00:00Z",
    "lower": 0.0,
    "upper": None,
    "integer": True,
    "profile": PROFILE,
}
DATASET_UPDATE: Example = {
    "name": "population, in persons",
    "lower": 0.0,
    "upper": None,
    "integer": True,
    "season_length": None,
}
APPENDED: Example = {
    **DATASET,
    "version": 2,
    "profile": {
        **PROFILE,
        "observations": 2600,
        "shortest": 65,
        "longest": 65,
        "end": 2024,
        "repairs": [],
        "repairs_total": 0,
    },
    "appended": 40,
    "corrected": 1,
    "unchanged": 0,
    "new_series": 0,
    "detected": DETECTED,
    "repairs": [],
    "repairs_total": 0,
}
SUMMARY: Example = {
    **{key: DATASET[key] for key in ("id", "name", "version", "champion_id", "created_at")},
    **{key: PROFILE[key] for key in ("series", "observations", "frequency", "start", "end")},
}
SERIES: Example = {
    "unique_id": "Norway",
    "length": 64,
    "observations": 64,
    "start": 1960,
    "end": 2023,
    "ahead": 1,
    "static": {"continent": "Europe"},
}
OBSERVATIONS: Example = {
    "unique_id": "Norway",
    "dataset_id": DATASET_ID,
    "dataset_version": 1,
    "ds": [2021, 2022, 2023, 2024],
    "y": [5408320.0, 5457127.0, 5519594.0, None],
    "columns": {"gdp_growth": [4.0, 3.0, 0.5, 0.6]},
    "static": {"continent": "Europe"},
    "next": None,
}
TRAINING: Example = {
    "dataset_id": DATASET_ID,
    "horizon": 5,
    "preset": "quick",
    "architecture": "all",
    "start": "auto",
    "method": "auto",
    "measure": "auto",
    "on_loss": "warn",
    "promote": "auto",
    "seed": 0,
    "cuts": None,
    "step_size": None,
    "level": [],
    "priority": 0,
    "season_length": None,
}
PROGRESS: Example = {
    "phase": "training",
    "share_done": 0.75,
    "estimated_end": "2026-01-31T09:00:30Z",
    "architecture": "rnn",
    "member": 2,
    "members": 2,
    "epoch": 20,
    "epochs": 20,
    "loss": 0.041,
    "validation_loss": None,
}
PUBLISHED: Example = {**dict.fromkeys(PROGRESS), "phase": "publishing", "share_done": 1.0}
PROMOTION: Example = {
    "decision": "promoted",
    "because": "Its error (MASE) on the 400 steps that both were tested on was 3.2 % below the champion's.",
    "compared_with": "model_0660e85b1f0c4f27b0a9d3c1e4",
}
JOB: Example = {
    "id": JOB_ID,
    "state": "succeeded",
    "dataset_id": DATASET_ID,
    "dataset_version": 1,
    "request": TRAINING,
    "attempt": 1,
    "worker_id": WORKER_ID,
    "progress": PUBLISHED,
    "error": None,
    "failures": [],
    "model_id": MODEL_ID,
    "promotion": PROMOTION,
    "created_at": "2026-01-31T09:00:05Z",
    "started_at": "2026-01-31T09:00:05Z",
    "finished_at": "2026-01-31T09:00:30Z",
}
RUNNING: Example = {
    **JOB,
    "state": "running",
    "progress": PROGRESS,
    "model_id": None,
    "promotion": None,
    "finished_at": None,
}
EVENTS = (
    f"event: progress\ndata: {json.dumps(RUNNING)}\nid: 12\n\n"
    f"event: succeeded\ndata: {json.dumps(JOB)}\nid: 15\n\n"
)
READINESS: Example = {"status": "ready", "detail": None, "worker_alive": True, "changes_seen_s": 0.121}

WORKER: Example = {
    "id": WORKER_ID,
    "host": "station",
    "pid": 4711,
    "device": "cpu",
    "alive": True,
    "job_id": JOB_ID,
    "silent_s": 0.4,
    "started_at": "2026-01-31T08:55:00Z",
}
SCHEDULING: Example = {
    "dataset_id": DATASET_ID,
    "cron": "0 6 * * 1",
    "train": {"horizon": 5, "preset": "balanced"},
}
LAST_TIME: Example = {
    "at": "2026-02-02T06:00:00Z",
    "outcome": "asked",
    "detail": "A training on version 2 was asked for.",
    "dataset_version": 2,
    "job_id": JOB_ID,
}
SCHEDULE: Example = {
    **SCHEDULING,
    "id": "schedule_0660f96e2b7d40a1c95f3e6d82",
    "train": {name: value for name, value in TRAINING.items() if name != "dataset_id"},
    "paused": False,
    "next_at": "2026-02-09T06:00:00Z",
    "last": LAST_TIME,
    "created_at": "2026-01-31T09:01:00Z",
}
TRIAL: Example = {
    "architecture": "rnn",
    "start": "scratch",
    "smape": 0.617,
    "mase": 1.049,
    "parameters": 13510,
    "seconds": 2.6,
}
TRIALS: list[Example] = [
    TRIAL,
    {
        "architecture": "gru",
        "start": "scratch",
        "smape": 0.621,
        "mase": 1.054,
        "parameters": 31430,
        "seconds": 6.4,
    },
    {
        "architecture": "lstm",
        "start": "scratch",
        "smape": 0.629,
        "mase": 1.055,
        "parameters": 40390,
        "seconds": 9.3,
    },
    {
        "architecture": "cnn",
        "start": "scratch",
        "smape": 0.661,
        "mase": 1.138,
        "parameters": 54726,
        "seconds": 3.1,
    },
]
VERDICT: Example = {
    "outcome": "beats",
    "baseline": "theta",
    "n": 40,
    "unit": "series",
    "measure": "MASE",
    "effect": -0.23,
    "effect_interval": [-0.34, -0.1],
    "median_effect": -0.19,
    "effective_units": 9.2,
    "periods": 2,
    "p_value": 0.005,
    "sentence": "Over 2 periods of 5 years and 40 series, which move together like 9, this RNN's error "
    "(MASE) was 23 % below the best simple method's, dynamic optimised Theta; a gap this wide arises by "
    "chance in 1 of 200 cases.",
}
MEASURES: Example = {
    "smape": 0.617,
    "mase": 1.049,
    "rmsse": 1.121,
    "pinball": 0.214,
    "interval_score": 5.103,
    "coverage": {"80": 0.81, "95": 0.945},
}
WORSE: Example = {
    "smape": 0.801,
    "mase": 1.362,
    "rmsse": 1.433,
    "pinball": 0.302,
    "interval_score": 7.27,
    "coverage": {"80": 0.79, "95": 0.94},
}
STEP_MEASURES: Example = {
    "smape": [0.21, 0.83],
    "mase": [0.402, 1.7],
    "rmsse": [0.41, 1.61],
    "pinball": [0.09, 0.31],
    "interval_score": [2.4, 7.8],
    "coverage": {"80": [0.8, 0.82], "95": [0.95, 0.94]},
}
BACKTEST: Example = {
    "series": 40,
    "cuts": 2,
    "step_size": 5,
    "windows": 80,
    "steps": 10,
    "measures": {"rnn": MEASURES, "theta": WORSE},
    "by_step": {"rnn": STEP_MEASURES},
}
_TESTED: Example = {"calibrated": True, "periods": 2, "untested": None}
CALIBRATION: Example = {
    "50": {**_TESTED, "coverage": 0.505, "coverage_range": [0.392, 0.618]},
    "80": {**_TESTED, "coverage": 0.81, "coverage_range": [0.72, 0.9]},
    "95": {**_TESTED, "coverage": 0.945, "coverage_range": [0.896, 0.994]},
    "99": {**_TESTED, "calibrated": False, "coverage": 0.985, "coverage_range": [0.963, 1.0]},
}
PRETRAINED_BACKTEST: Example = {
    "dataset_id": DATASET_ID,
    "dataset_version": 1,
    "horizon": 5,
    "method": "pretrained",
    "verdict": VERDICT,
    "warning": None,
    "calibration": CALIBRATION,
    "backtest": {
        **BACKTEST,
        "measures": {"pretrained": MEASURES, "theta": WORSE},
        "by_step": {"pretrained": STEP_MEASURES},
    },
}
BOUNDS: Example = {"lo": 5401220.5, "hi": 5430188.1}
STEP_FORECAST: Example = {"forecast": 5415402.9, "intervals": {"80": BOUNDS}}
BACKTEST_ROW: Example = {
    "unique_id": "Norway",
    "cutoff": 2018,
    "ds": 2021,
    "step": 3,
    "y": 5408320.0,
    "scale": 33207.4,
    "root_scale": 36120.9,
    "methods": {"rnn": STEP_FORECAST},
}
BACKTEST_PAGE: Example = {"model_id": MODEL_ID, "rows": [BACKTEST_ROW], "next": "100"}
SERIES_MEASURES: Example = {"unique_id": "Norway", "measures": {"rnn": MEASURES, "theta": WORSE}}
SERIES_MEASURES_PAGE: Example = {"model_id": MODEL_ID, "series": [SERIES_MEASURES], "next": "100"}
LINEAGE: Example = {
    "dataset_version": 1,
    "data_sha256": "4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a",
    "config": {"horizon": 5, "season_lengths": [], "calendar": "none", "seed": 0, "architecture": "rnn"},
    "architectures": ["lstm", "gru", "rnn", "cnn"],
    "method": "auto",
    "measure": "auto",
    "cuts": None,
    "step_size": None,
    "level": [],
    "device": "cpu",
    "versions": {"gatecast": "0.1.0", "torch": "2.13.0"},
    "learned_until": 2023,
    "backtest_learned_until": 2013,
    "held_out_steps": 10,
    "cutoffs": [2013, 2018],
    "weights_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "backtest_sha256": "ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d",
    "methods_sha256": "7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451",
}
MODEL_SUMMARY: Example = {
    "id": MODEL_ID,
    "dataset_id": DATASET_ID,
    "dataset_version": 1,
    "job_id": JOB_ID,
    "champion": True,
    "promotion": PROMOTION,
    "horizon": 5,
    "preset": "quick",
    "seed": 0,
    "architecture": "rnn",
    "method": "rnn",
    "verdict": VERDICT,
    "name": None,
    "on_loss": "fallback",
    "trials": TRIALS,
    "weights_bytes": 54560,
    "weights_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "training_seconds": 24.1,
    "code_version": "0.1.0",
    "created_at": "2026-01-31T09:00:30Z",
}
MODEL: Example = {
    **MODEL_SUMMARY,
    "weights": {"rnn": 1.0},
    "verdicts": {"rnn": VERDICT},
    "calibration": CALIBRATION,
    "backtest": BACKTEST,
    "lineage": LINEAGE,
}
MODEL_UPDATE: Example = {"on_loss": "warn", "name": "five years, quick"}
COMPARED_MODEL: Example = {
    "model_id": MODEL_ID,
    "name": None,
    "method": "rnn",
    "dataset_version": 1,
    "horizon": 5,
    "windows": 80,
    "backtest_learned_until": 2013,
    "measures": {"rnn": MEASURES},
    "by_step": {"rnn": STEP_MEASURES},
    "verdict": None,
}
MODEL_COMPARISON: Example = {
    "dataset_id": DATASET_ID,
    "measure": "MASE",
    "series": 40,
    "cuts": 2,
    "windows": 80,
    "horizon": 5,
    "models": [COMPARED_MODEL],
    "baselines": {"theta": WORSE},
    "notes": [],
}
INTERVAL: Example = {"lo": [5548717.2, 5576105.1], "hi": [5577623.8, 5637518.4], **CALIBRATION["80"]}
FORECAST: Example = {
    "unique_id": "Norway",
    "dataset_id": DATASET_ID,
    "dataset_version": 1,
    "model_id": MODEL_ID,
    "frequency": "YS",
    "ds": [2024, 2025],
    "forecast": [5562835.3, 5606892.7],
    "mean": [5562967.8, 5606862.2],
    "intervals": {"80": INTERVAL},
    "method": "rnn",
    "verdict": "beats",
    "warning": None,
}
NOTHING_SAID: Example = {
    "date_format": None,
    "time_zone": None,
    "duplicates": None,
    "missing": None,
    "missing_values": [],
}
NO_COLUMNS: Example = {
    "past_columns": [],
    "future_columns": [],
    "static_columns": [],
    "category_columns": [],
    "unused_columns": [],
}
AD_HOC: Example = {
    **NOTHING_SAID,
    "dataset_id": DATASET_ID,
    "model_id": None,
    "horizon": 2,
    "until": None,
    "level": [80],
    "season_length": None,
    "lower": 0.0,
    "upper": None,
    "integer": False,
    "observations": [
        {"unique_id": "Svalbard", "ds": 2021, "y": 2859.0},
        {"unique_id": "Svalbard", "ds": 2022, "y": 2893.0},
        {"unique_id": "Svalbard", "ds": 2023, "y": 2939.0},
    ],
}
CHART = (
    '<?xml version="1.0" encoding="utf-8" standalone="no"?>\n<svg width="576pt" height="324pt" ...>...</svg>'
)
PROBLEM: Example = {
    "type": "urn:gatecast:problem:bad-input",
    "title": "The input cannot be used",
    "status": 422,
    "detail": "The longest series has 64 steps, too few to train for 40 steps ahead. Ask for at most 31.",
    "instance": "/train",
    "errors": [{"pointer": "#/horizon", "detail": "Ask for at most 31."}],
}
