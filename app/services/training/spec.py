"""Recipes: all that decides what a training leaves, to the last bit, to be told and followed again."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from app.digest import sha256
from app.schemas.choices import Architecture, MethodChoice
from app.schemas.datasets import Time
from app.schemas.models import Lineage
from app.services.datasets.panels import DatasetPanel
from app.services.registry import backtest_tables, baseline_forecasts
from app.version import VERSIONS
from models.config import TrainingConfig
from models.network.artifact import Artifact, dump
from models.network.devices import resolve_device
from models.training.checkpoints import NO_CHECKPOINTS, Checkpoints
from models.training.train import Progress, Trained, train


@dataclass(frozen=True, eq=False)
class Recipe:
    """What is learnt from, how, by which networks, on what, and what is to answer."""

    dataset: DatasetPanel
    config: TrainingConfig
    architectures: tuple[Architecture, ...]
    method: MethodChoice
    device: str

    @classmethod
    def of(cls, lineage: Lineage, dataset: DatasetPanel) -> "Recipe":
        """Return the recipe that a lineage tells of.

        Raises InvalidConfig for one of a version whose trainings had other numbers.
        """
        config = TrainingConfig.from_dict(lineage.config)
        return cls(dataset, config, tuple(lineage.architectures), lineage.method, lineage.device)

    def follow(
        self,
        on_progress: Callable[[Progress], None] = lambda _: None,
        checkpoints: Checkpoints = NO_CHECKPOINTS,
    ) -> "Result":
        """Train, on from the checkpoints that there are."""
        trained = train(
            self.dataset.panel,
            self.config,
            self.architectures,
            blending=self.method,
            device=self.device,
            on_progress=on_progress,
            checkpoints=checkpoints,
        )
        return Result(self, trained)


@dataclass(frozen=True, eq=False)
class Result:
    """What came of a recipe."""

    recipe: Recipe
    trained: Trained

    @cached_property
    def artifact(self) -> Artifact:
        """The model as bytes."""
        return dump(self.trained.model)

    @cached_property
    def rows(self) -> bytes:
        """The rows of the backtest as bytes."""
        return backtest_tables.row_table(self.recipe.dataset, self.trained.assessment.backtest)

    @cached_property
    def series(self) -> bytes:
        """The measures for each series as bytes."""
        return backtest_tables.series_table(self.recipe.dataset, self.trained.assessment.backtest)

    @cached_property
    def simple(self) -> bytes | None:
        """What the simple methods that take part in the answers said, as bytes; nothing where none does."""
        medians = self.trained.baseline_medians
        return baseline_forecasts.table(self.recipe.dataset, medians) if medians else None

    @property
    def methods(self) -> dict[str, dict[str, object]]:
        """Every way to forecast, as the model's row holds them."""
        return {name: method.to_dict() for name, method in self.trained.assessment.methods.items()}

    def lineage(self) -> Lineage:
        """Tell the recipe, and the hashes of what came of it."""
        recipe, held_out = self.recipe, self.trained.assessment.backtest.held_out
        cutoffs = _cutoffs(recipe.dataset, held_out.horizon, held_out.cuts)
        return Lineage(
            dataset_version=recipe.dataset.version,
            data_sha256=recipe.dataset.panel.digest(),
            config=recipe.config.to_dict(),
            architectures=list(recipe.architectures),
            method=recipe.method,
            device=resolve_device(recipe.device).type,
            versions=VERSIONS,
            learned_until=cutoffs[-1],
            backtest_learned_until=cutoffs[0],
            held_out_steps=held_out.steps,
            cutoffs=cutoffs[:-1],
            weights_sha256=sha256(self.artifact.weights),
            backtest_sha256=sha256(self.rows),
            methods_sha256=methods_digest(self.methods),
        )


def methods_digest(methods: Mapping[str, Any] | None) -> str:
    """Return the hash of methods: of their JSON with sorted keys and no spaces."""
    return sha256(json.dumps(methods, sort_keys=True, separators=(",", ":")).encode())


def _cutoffs(dataset: DatasetPanel, horizon: int, cuts: int) -> list[Time]:
    """Return the last known time at each cut, the earliest first, and at the end of the data."""
    back = horizon * np.arange(cuts, -1, -1)
    return dataset.axis.format(dataset.axis.step.shift(np.full(cuts + 1, dataset.last), -back))
