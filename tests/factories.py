"""Things to test with: plain functions whose defaults are enough for most tests."""

import csv
import io
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from app import blobs
from app.auth import OWNER, Principal
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import datasets as queries
from app.db.queries import processes as process_queries
from app.db.tables import Model, Workspace, new_id
from app.intake.covariates import Covariate, Covariates
from app.intake.frame import SeriesFrame
from app.intake.reader import ReadOptions, read_csv, read_more_rows
from app.main import create_app
from app.queue import JobRef
from app.schemas import examples
from app.schemas.backtests import LevelCalibration
from app.schemas.choices import Promotion
from app.schemas.datasets import DatasetOut, ObservationIn, ObservationsOut
from app.schemas.schedules import ScheduleRequest
from app.schemas.train import TrainRequest
from app.services.datasets import catalog, observations, staging
from app.services.datasets.merging import ObservationsUpload, StagedObservations
from app.services.datasets.staging import StagedDataset, Upload
from app.services.forecasting.compute import result_pages
from app.services.forecasting.model_loading import load_model
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import find_plan
from app.services.forecasting.result import ForecastResult
from app.services.registry import champions
from app.services.shared import database_admin, heartbeats
from app.services.training import run, schedules, spec, submit
from app.settings import Settings
from models.choices import Architecture
from models.config import TrainingConfig
from models.methods.baselines import BASELINES
from models.methods.forecast import Forecast
from models.panel import Panel
from models.training.checkpoints import Checkpoints
from models.training.train import Progress, Trained, train

ALL = 10**9  # versions to keep
# For tests of what a file or a request becomes, or who answers, whatever database stores it.
SQLITE_ALONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
EACH = 10 if os.environ.get("STORM_FILES") else 1  # times the examples of a property: more in `make storm`
Series = Mapping[str, Sequence[float | None]]


def trends(count: int = 3, length: int = 40) -> dict[str, list[float]]:
    """Series that an LSTM learns in a moment: growing lines with a little noise."""
    noise = np.random.default_rng(7).normal(0, 0.5, (count, length))
    lines = 100 + 5 * np.arange(count)[:, None] + (1 + np.arange(count)[:, None]) * np.arange(length)
    return {f"series {i}": (lines[i] + noise[i]).tolist() for i in range(count)}


def csv_bytes(series: Series | None = None, first_year: int = 1960) -> bytes:
    """A table `unique_id,ds,y` of yearly series."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["unique_id", "ds", "y"])
    for unique_id, values in (series or trends()).items():
        writer.writerows((unique_id, first_year + i, "" if y is None else y) for i, y in enumerate(values))
    return buffer.getvalue().encode()


def upload(client: TestClient, series: Series | None = None, **fields: str) -> dict[str, Any]:
    """Upload series over HTTP and return the answer."""
    response = client.post("/datasets", files={"file": ("test.csv", csv_bytes(series))}, data=fields)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


def dataset(
    database: Database,
    series: Series | None = None,
    principal: Principal = OWNER,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - it is frozen
) -> DatasetOut:
    """Store a dataset, past HTTP."""
    upload = Upload("test", read_csv(csv_bytes(series), options), "0" * 64)
    staged = StagedDataset(database, "nobody", principal, upload)
    with staging.stored(staged), database.write() as session:
        return catalog.create(session, staged)


def columns_beside(frame: SeriesFrame, ahead: int = 2) -> SeriesFrame:
    """Put columns of every role and kind beside series, known for so many steps more; some cells empty."""
    offsets = np.append(0, np.cumsum(np.diff(frame.offsets) + ahead))
    rows, series = np.arange(offsets[-1]), np.arange(len(frame.unique_ids))
    columns = (
        Covariate("price.net", "future", "number"),
        Covariate("y", "past", "category"),  # called as the target's own column is
        Covariate("size", "static", "number"),
        Covariate("shop", "static", "category"),
    )
    steps = {
        "price.net": np.where(rows % 5 == 1, np.nan, rows / 3),
        "y": np.array([None if row % 3 == 0 else f"ä {row}" for row in rows], dtype=object),
    }
    static = {
        "size": np.where(series % 2, np.nan, series + 0.1),
        "shop": np.array([None if i == 0 else f"shop {i}" for i in series], dtype=object),
    }
    return replace(frame, covariates=Covariates(columns, offsets, steps, static))


def dataset_with_columns(
    database: Database, series: Series | None = None, ahead: int = 2
) -> tuple[str, SeriesFrame]:
    """Store a dataset with columns, past HTTP; return its id, and its series."""
    intake = read_csv(csv_bytes(series), ReadOptions())
    frame = columns_beside(intake.frame, ahead)
    staged = StagedDataset(database, "nobody", OWNER, Upload("test", replace(intake, frame=frame), "0" * 64))
    with staging.stored(staged), database.write() as session:
        return catalog.create(session, staged).id, frame


def appended(database: Database, dataset_id: str, *rows: tuple[str, int, float | None]) -> ObservationsOut:
    """Append rows, past HTTP: read for what is there, then laid into what is there by then."""
    with database.read() as session:
        existing = observations.existing(session, OWNER, dataset_id)
    sent = [ObservationIn(unique_id=name, ds=ds, y=y) for name, ds, y in rows]
    ref, addition = DatasetRef(OWNER.workspace_id, dataset_id), read_more_rows(sent, existing)
    staged = StagedObservations(database, "nobody", ref, ObservationsUpload(addition, "1" * 64))
    with staging.stored(staged), database.write() as session:
        return observations.append(session, staged, ALL)


@contextmanager
def filled_app(folder: Path, fill: Callable[[Database], str]) -> Iterator[tuple[TestClient, str]]:
    """A caller of an app on SQLite, and the id of what was filled in: for modules whose tests only look."""
    url = f"sqlite:///{folder / 'test.db'}"
    database = Database(url)
    database_admin.migrate(database)
    found = fill(database)
    database.dispose()
    with TestClient(create_app(Settings(database_url=url, device="cpu"))) as client:
        yield client, found


def queued_job(database: Database, dataset_id: str, principal: Principal = OWNER, **request: Any) -> JobRef:
    """Store a training without queueing it; the test starts it itself."""
    request_body = TrainRequest(**{"dataset_id": dataset_id, "horizon": 3, "preset": "quick", **request})
    with database.write() as session:
        return submit.create_job(session, principal, request_body)


def entered(
    database: Database, role: heartbeats.Role = "worker", *, pid: int | None = None, **columns: Any
) -> str:
    """Enter a process of this host, this very one if need be, and return its id."""
    process = heartbeats.process_row(new_id(role), role, pid or os.getpid(), "cpu")
    for name, value in columns.items():
        setattr(process, name, value)
    with database.write() as session:
        process_queries.add(session, process)
    return process.id


def scheduled(database: Database, dataset_id: str, principal: Principal = OWNER, **wishes: Any) -> str:
    """Store a schedule that is due every day at six, and return its id."""
    train = {"horizon": 3, "preset": "quick", **wishes}
    request = ScheduleRequest.model_validate({"dataset_id": dataset_id, "cron": "0 6 * * *", "train": train})
    with database.write() as session:
        return schedules.create(session, principal, request).id


def new_version(database: Database, dataset_id: str) -> None:
    """Let a dataset have been observed once more: one value more of its first series."""
    with database.read() as session:
        _, version = catalog.find(session, OWNER, dataset_id)
        first = queries.series_page(session, version, 1, None)[0]
    appended(database, dataset_id, (first.unique_id, first.end + 1, 1.0))


def only(answer: httpx2.Response) -> dict[str, Any]:
    """The forecast on a page that holds one."""
    found: list[dict[str, Any]] = answer.json()["forecasts"]
    (one,) = found
    return one


def trained(database: Database, dataset_id: str, principal: Principal = OWNER, **request: Any) -> str:
    """Train at once, in this process, and return the model's id; the same training is not run twice.

    A test that compares bits, or looks at what happens meanwhile, takes `trained_anew`.
    """
    request_body = TrainRequest(**{"dataset_id": dataset_id, "horizon": 3, "preset": "quick", **request})
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(spec, "train", _train_once)
        return str(run.run_without_queue(database, principal, request_body, "cpu").model_id)


def trained_anew(database: Database, dataset_id: str, **request: Any) -> str:
    """Train as `trained` does, whatever was trained before."""
    _TRAININGS.clear()
    return trained(database, dataset_id, **request)


def _train_once(
    panel: Panel,
    config: TrainingConfig,
    architectures: Sequence[Architecture],
    *,
    on_progress: Callable[[Progress], None],
    checkpoints: Checkpoints,
    **options: Any,
) -> Trained:
    key = pickle.dumps((panel, config, architectures, options))
    if key not in _TRAININGS:
        _TRAININGS[key] = train(
            panel, config, architectures, on_progress=on_progress, checkpoints=checkpoints, **options
        )
    return _TRAININGS[key]


_TRAININGS: dict[bytes, Trained] = {}


def table(database: Database, request: ForecastRequest) -> Iterator[ForecastResult]:
    """The forecasts of every series, page by page."""
    with database.read() as session:
        plan = find_plan(session, OWNER, request)
    model = load_model(database, plan.model, plan.axis.seasons, "cpu")
    return result_pages(database, plan, lambda: model, request.levels)


def judged_model(
    dataset_id: str, *, skill: float | None = 0.0, tested_series: int = 40, **columns: Any
) -> Model:
    """Make a model that nobody trained; `skill` against its best baseline, None for one from before that."""
    model_id = new_id("model")
    baselines = {name: {**examples.MEASURES, "mase": 1.0} for name in BASELINES}
    measures = {**baselines, "lstm": {**examples.MEASURES, "mase": 1 - (skill or 0)}}
    backtest = {**examples.BACKTEST, "series": tested_series, "measures": measures}
    facts: dict[str, Any] = {
        "dataset_id": dataset_id,
        "workspace_id": OWNER.workspace_id,
        "dataset_version": 1,
        "job_id": "job_none",
        "horizon": 3,
        "preset": "quick",
        "seed": 0,
        "architecture": "lstm",
        "served": "lstm",
        "on_loss": "warn",
        "trials": [],
        "artifact": {},
        "weights_key": "0" * 64,
        "weights_bytes": 0,
        "weights_sha256": "",
        "code_version": "0",
        "training_seconds": 0.0,
        "backtest": None if skill is None else backtest,
    }
    return Model(id=model_id, **{**facts, **columns})


def result(unique_ids: Sequence[str], numbers: Sequence[float] = (1.0, 2.0, 3.0)) -> ForecastResult:
    """Make a result that nobody computed: by months, with bounds one (80 %) and two (95 %) away."""
    median = np.tile(np.array(numbers, dtype=np.float64), (len(unique_ids), 1))
    away = {80: 1.0, 95: 2.0}
    bounds = {level: (median - by, median + by) for level, by in away.items()}
    months = np.arange("2024-01", len(numbers), dtype="M8[M]").astype("M8[D]").astype(str).tolist()
    return ForecastResult(
        dataset_id="ds_1",
        dataset_version=2,
        model_id="model_1",
        frequency="MS",
        method="lstm",
        verdict="beats",
        warning=None,
        calibration={
            80: LevelCalibration(
                calibrated=True, coverage=0.79, coverage_range=(0.7, 0.88), periods=4, untested=None
            ),
            95: LevelCalibration(
                calibrated=False, coverage=None, coverage_range=None, periods=1, untested="one period"
            ),
        },
        levels=(80, 95),
        unique_ids=list(unique_ids),
        times=[months] * len(unique_ids),
        forecast=Forecast(
            median,
            lo={level: pair[0] for level, pair in bounds.items()},
            hi={level: pair[1] for level, pair in bounds.items()},
        ),
        mean=median + 0.25,
    )


_COLUMNS = {"": 0.0, "-lo-80": -1.0, "-hi-80": 1.0, "-lo-95": -2.0, "-hi-95": 2.0}


def backtest_rows(errors: Mapping[tuple[str, int], float], scale: float = 1.0) -> bytes:
    """Make the stored backtest of an LSTM that was so far off, by series and cutoff, one step ahead."""
    count = len(errors)
    table = pa.table(
        {
            "unique_id": pa.array([unique_id for unique_id, _ in errors], pa.string()),
            "cutoff": pa.array([cutoff for _, cutoff in errors], pa.int64()),
            "ds": pa.array([cutoff + 1 for _, cutoff in errors], pa.int64()),
            "step": pa.array([1] * count, pa.int64()),
            "y": pa.array([10.0] * count, pa.float64()),
            "scale": pa.array([scale] * count, pa.float64()),
            "root_scale": pa.array([scale] * count, pa.float64()),
            **{
                f"lstm{end}": pa.array([10.0 + error + away for error in errors.values()], pa.float64())
                for end, away in _COLUMNS.items()
            },
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def publish(session: Session, model: Model, rows: bytes | None = None, promotion: Promotion = "auto") -> str:
    """Let a model enter as a training that ends does, and return its id."""
    model.weights_key = blobs.put(session, model.workspace_id, f"weights of {model.id}".encode())
    model.backtest_key = blobs.put(session, model.workspace_id, rows or backtest_rows({}))
    champions.admit(session, model, promotion, champions.compare(session, model, promotion))
    return model.id


def workspace(database: Database, name: str = "other") -> Principal:
    """Make a second workspace and return its owner."""
    with database.write() as session:
        session.add(Workspace(id=name))
    return Principal(workspace_id=name)
