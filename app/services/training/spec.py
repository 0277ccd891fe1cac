"""Training specs decide to the last bit what a training makes; they are read from jobs or lineages."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import numpy as np

from app.db.engine import Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import jobs as job_queries
from app.digest import sha256
from app.errors import AppError
from app.queue import JobRef
from app.schemas.choices import Architecture, ArchitectureChoice, MeasureChoice, MethodChoice
from app.schemas.datasets import Time
from app.schemas.fields import lengths_of
from app.schemas.models import Lineage
from app.schemas.train import TrainRequest
from app.services.datasets import panels
from app.services.datasets.panels import DatasetPanel
from app.services.jobs import states
from app.services.registry import backtest_tables, baseline_forecasts
from app.version import VERSION, VERSIONS
from models.config import TrainingConfig, preset
from models.evaluation.held_out import HeldOut
from models.evaluation.rolling_origin import WHERE_HISTORY_ALLOWS, RollingOrigin
from models.network.artifact import Artifact, dump
from models.network.devices import resolve_device
from models.training.checkpoints import NO_CHECKPOINTS, Checkpoints
from models.training.train import Progress, Trained, train


class Unreadable(AppError):
    """The input of a job is gone, or this version cannot read it."""

    code = "unreadable"
    title = "What the job is made of cannot be read"


@dataclass(frozen=True)
class JobInput:
    """What a job trains on; `checkpoint` is what earlier attempts saved, if any."""

    ref: JobRef
    dataset_id: str
    request: TrainRequest
    dataset: DatasetPanel
    checkpoint: dict[str, Any] | None

    def spec(self, device: str) -> "TrainingSpec":
        """Return the spec of the training, with the numbers of its preset.

        Raises InvalidConfig for a pretrained start with a horizon that no network was pretrained for.
        """
        config = preset(
            self.request.preset,
            horizon=self.request.horizon,
            seasons=self.dataset.axis.seasons,
            values=len(self.dataset.panel.values),
            longest=int(self.dataset.panel.lengths.max()),
            seed=self.request.seed,
            start=self.request.start,
        )
        architectures = _architectures(self.request.architecture)
        method, measure = self.request.method, self.request.measure
        origin = origin_of(self.request)
        return TrainingSpec(self.dataset, config, architectures, method, measure, device, origin)


def read_job(session: Session, ref: JobRef) -> JobInput:
    """Read the input of a job.

    Raises Superseded if the job is gone, Unreadable if its dataset is, and BlobDamaged.
    """
    job = job_queries.find(session, ref.workspace_id, ref.job_id)
    if job is None:
        raise states.Superseded(f"Job {ref.job_id} is gone.")
    version = dataset_queries.version(session, ref.workspace_id, job.dataset_id, job.dataset_version)
    if version is None:
        raise Unreadable(f"Version {job.dataset_version} of its dataset {job.dataset_id} is gone.")
    try:
        request = TrainRequest.model_validate(job.request)
        dataset = panels.read(session, version, lengths_of(request.season_length))
        return JobInput(ref, job.dataset_id, request, dataset, job.checkpoint)
    except (ValueError, LookupError, TypeError) as error:  # of pydantic, numpy and Arrow
        raise Unreadable(
            f"What it asks for, or dataset {job.dataset_id}, cannot be read by version {VERSION}: {error}. "
            "`gatecast check` tells what is damaged."
        ) from error


@dataclass(frozen=True, eq=False)
class TrainingSpec:
    """The data and numbers of a training, the networks it tries, what it serves, and what it is judged by."""

    dataset: DatasetPanel
    config: TrainingConfig
    architectures: tuple[Architecture, ...]
    method: MethodChoice
    measure: MeasureChoice
    device: str
    origin: RollingOrigin = WHERE_HISTORY_ALLOWS

    @classmethod
    def of_lineage(cls, lineage: Lineage, dataset: DatasetPanel) -> "TrainingSpec":
        """Return the spec that a model was made from.

        Raises InvalidConfig for a lineage whose version had other numbers in its configuration.
        """
        config = TrainingConfig.from_dict(lineage.config)
        architectures = tuple(lineage.architectures)
        method, measure, origin = lineage.method, lineage.measure, origin_of(lineage)
        return cls(dataset, config, architectures, method, measure, lineage.device, origin)

    def train(
        self,
        on_progress: Callable[[Progress], None] = lambda _: None,
        checkpoints: Checkpoints = NO_CHECKPOINTS,
    ) -> "TrainingResult":
        """Train, from the checkpoints if there are any; raises as `models.training.train` does."""
        trained = train(
            self.dataset.panel,
            self.config,
            self.architectures,
            blending=self.method,
            measure=self.measure,
            step_name=self.dataset.axis.step_name,
            origin=self.origin,
            device=self.device,
            on_progress=on_progress,
            checkpoints=checkpoints,
        )
        return TrainingResult(self, trained)


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """What a training made, as the bytes and values that are stored."""

    spec: TrainingSpec
    trained: Trained

    @cached_property
    def artifact(self) -> Artifact:
        """The model's weights and metadata."""
        return dump(self.trained.model)

    @cached_property
    def backtest_rows(self) -> bytes:
        """The table of the backtest's rows."""
        return backtest_tables.row_table(self.spec.dataset, self.trained.assessment.backtest)

    @cached_property
    def backtest_series(self) -> bytes:
        """The table of the backtest's errors by series."""
        return backtest_tables.series_table(self.spec.dataset, self.trained.assessment.backtest)

    @cached_property
    def baseline_table(self) -> bytes | None:
        """The table of the baseline forecasts that the served method needs; None if it needs none."""
        medians = self.trained.baseline_medians
        return baseline_forecasts.table(self.spec.dataset, medians) if medians else None

    @property
    def blobs(self) -> list[bytes]:
        """Everything that is stored as a blob."""
        tables = [self.backtest_rows, self.backtest_series, self.baseline_table]
        return [self.artifact.weights, *(table for table in tables if table is not None)]

    @property
    def methods(self) -> dict[str, dict[str, object]]:
        """Every forecasting method by name, as the model's row stores it."""
        return {name: method.to_dict() for name, method in self.trained.assessment.methods.items()}

    def lineage(self) -> Lineage:
        """Return the spec as a lineage, with the hashes of what was made from it."""
        spec, held_out = self.spec, self.trained.assessment.backtest.held_out
        cutoffs = _cutoffs(spec.dataset, held_out)
        return Lineage(
            dataset_version=spec.dataset.version,
            data_sha256=spec.dataset.panel.digest(),
            config=spec.config.to_dict(),
            architectures=list(spec.architectures),
            method=spec.method,
            measure=spec.measure,
            cuts=spec.origin.cuts,
            step_size=spec.origin.step_size,
            level=list(spec.origin.levels),
            device=resolve_device(spec.device).type,
            versions=VERSIONS,
            learned_until=cutoffs[-1],
            backtest_learned_until=cutoffs[0],
            held_out_steps=held_out.steps,
            cutoffs=cutoffs[:-1],
            weights_sha256=sha256(self.artifact.weights),
            backtest_sha256=sha256(self.backtest_rows),
            methods_sha256=methods_digest(self.methods),
        )


def methods_digest(methods: Mapping[str, Any] | None) -> str:
    """Return the SHA-256 of methods as JSON with sorted keys and no spaces."""
    return sha256(json.dumps(methods, sort_keys=True, separators=(",", ":")).encode())


def _architectures(choice: ArchitectureChoice) -> tuple[Architecture, ...]:
    return get_args(Architecture) if choice == "all" else (choice,)


def origin_of(said: TrainRequest | Lineage) -> RollingOrigin:
    """Return where the backtest cuts the series, as a request or a lineage says."""
    return RollingOrigin(said.cuts, said.step_size, tuple(sorted(set(said.level))))


def _cutoffs(dataset: DatasetPanel, held_out: HeldOut) -> list[Time]:
    """Return the last time before each cut, the earliest first, and then that of the data."""
    before = held_out.horizon + held_out.stride * np.arange(held_out.cuts - 1, -1, -1)
    back = np.append(before, 0)
    return dataset.axis.format(dataset.axis.step.shift(np.full(len(back), dataset.last), -back))
