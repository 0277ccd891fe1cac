"""Train, verify and forecast from the command line, in one process and without the queue.

Intake, database and services are the ones that the API uses.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.auth import OWNER
from app.commands.console import training_bar
from app.db.engine import Database
from app.digest import sha256_of_file
from app.intake.files.conversion import FileLimits
from app.intake.options import NOTHING_SAID
from app.intake.reader import ReadOptions, read_csv
from app.schemas.datasets import Profile
from app.schemas.media_types import CSV
from app.schemas.models import ModelOut
from app.schemas.train import TrainRequest
from app.services.datasets import catalog, staging
from app.services.datasets.staging import StagedDataset, Upload
from app.services.forecasting.compute import result_pages
from app.services.forecasting.formats import csv_parts
from app.services.forecasting.model_loading import load_model
from app.services.forecasting.request import ForecastRequest
from app.services.forecasting.resolve import backtest_pretrained, find_plan
from app.services.forecasting.result import ForecastResult
from app.services.registry import backtests, models
from app.services.shared import database_admin, devices, heartbeats
from app.services.shared.table_files import table_parts
from app.services.training import reproduce, run
from app.services.training.reproduce import Verification
from app.settings import Settings

SHOWN_DIGITS = 12  # of a hash
PART_ROWS = 5000


@dataclass(frozen=True)
class Training:
    """A model that was just trained, and the champion of its dataset, if there is one."""

    model: ModelOut
    champion_id: str | None

    @property
    def effect(self) -> str:
        """Return which model `gatecast forecast` uses now, as the predicate of a sentence."""
        if self.champion_id is None:
            promotion = f"POST /models/{self.model.id}/promote"
            return f"asks the pretrained network; make this one the champion through the API, by {promotion}"
        return "asks it" if self.model.champion else "asks the champion, another model"


def train(
    settings: Settings, file: Path, request: TrainRequest, options: ReadOptions = NOTHING_SAID
) -> Training:
    """Store a file as a dataset, unless it is stored, and train on it; `request` lacks the dataset's id.

    Raises BadInput for a file or a horizon that cannot be used, and TrainingFailed.
    """
    with _opened(settings) as database:
        dataset_id = _dataset_of(database, file, options, FileLimits.of(settings))
        training = request.model_copy(update={"dataset_id": dataset_id})
        with training_bar(Console(stderr=True)) as on_progress:
            job = run.run_without_queue(database, OWNER, training, settings.device, on_progress)
        with database.read() as session:
            model = models.get(session, OWNER, str(job.model_id))
            return Training(model, catalog.get(session, OWNER, model.dataset_id).champion_id)


def trial_table(model: ModelOut) -> Table:
    """Return the trials, one for each architecture, the best first."""
    table = Table(
        "architecture", "start", title="On steps held out at the ends of the series", title_justify="left"
    )
    for column in ("sMAPE", "MASE", "weights", "seconds"):
        table.add_column(column, justify="right")
    for trial in model.trials:
        mase = "none" if trial.mase is None else f"{trial.mase:.3f}"
        table.add_row(
            trial.architecture,
            trial.start,
            f"{trial.smape:.2f} %",
            mase,
            f"{trial.parameters:,}",
            f"{trial.seconds:.1f}",
        )
    return table


def backtest(settings: Settings, model_id: str) -> None:
    """Print the rows of a model's backtest as CSV. Raises NotFound, and Conflict for a model without one."""
    with _opened(settings) as database, database.read() as session:
        table = backtests.row_table(session, OWNER, model_id)
    parts = table_parts(CSV, table.schema, table.to_batches(max_chunksize=PART_ROWS))
    sys.stdout.writelines(part.decode() for part in parts)


def verify(settings: Settings, model_id: str) -> Verification:
    """Train a model again from its lineage, and compare the bits; raises as `reproduce.verify` does."""
    with _opened(settings) as database:
        return reproduce.verify(database, OWNER, model_id)


def verification_table(verified: Verification) -> Table:
    """Return what was compared, with the first digits of each hash."""
    table = Table("compared", "kept", "stored", "found", "outcome")
    for name, hashes in verified.hashes.items():
        table.add_row(name, *(each[:SHOWN_DIGITS] for each in hashes), hashes.outcome)
    return table


def forecast(
    settings: Settings, file: Path, request: ForecastRequest, options: ReadOptions = NOTHING_SAID
) -> None:
    """Print the forecast of a file as CSV, and warn if it lost; `request` lacks the dataset's id.

    Stores the file as a dataset, unless it is stored. Raises BadInput for a file that cannot be used.
    """
    with _opened(settings) as database:
        dataset_id = _dataset_of(database, file, options, FileLimits.of(settings))
        with database.read() as session:
            plan = find_plan(session, OWNER, request.for_dataset(dataset_id))
        device = devices.resolve_for_serving(settings.device)
        if plan.served_method.is_preliminary:
            plan = replace(plan, served_method=backtest_pretrained(database, plan, device))
        load = cache(partial(load_model, database, plan.model, plan.axis.seasons, device))
        _print(result_pages(database, plan, load, request.levels))


def _print(pages: Iterator[ForecastResult]) -> None:
    first = next(pages)
    if (remark := _remark(first)) is not None:
        sys.stderr.write(f"{remark}\n")  # on standard error, so that the CSV stays clean
    sys.stdout.writelines(part.decode() for part in csv_parts(chain([first], pages)))


def _remark(result: ForecastResult) -> str | None:
    """Return what no column holds: that the forecast lost, or which method replaces the model."""
    if result.verdict != "loses" or result.warning_on_all is not None:
        return result.warning_on_all
    return f"{result.method} answers in place of model {result.model_id}, which did worse on the backtest."


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    """Open the database after migrating it to this version."""
    database = Database(settings.database_url)
    try:
        database_admin.migrate(database)
        yield database
    finally:
        database.dispose()


def _say_how_it_was_read(profile: Profile) -> None:
    """Write the notes on a file, and how many of its rows were repaired, on standard error."""
    for note in profile.detected.notes:
        sys.stderr.write(f"Note: {note}\n")
    if profile.repairs:
        first = profile.repairs[0].detail
        every = f"{profile.repairs_total:,} {'repair' if profile.repairs_total == 1 else 'repairs'}"
        sys.stderr.write(f"Note: {every} of the file, the first: {first}.\n")


def _dataset_of(database: Database, file: Path, options: ReadOptions, limits: FileLimits) -> str:
    """Return the id of the dataset made of just this file, read in this way; make it if there is none."""
    with file.open("rb") as content:
        digest = sha256_of_file(content)
    with database.read() as session:
        found = catalog.of_source(session, OWNER, digest, options)
        if found is not None:
            _say_how_it_was_read(catalog.get(session, OWNER, found).profile)
            return found
    with file.open("rb") as content:
        intake = read_csv(content, options, limits)
    _say_how_it_was_read(intake.profile)
    with heartbeats.registered(database) as process_id:
        staged = StagedDataset(database, process_id, OWNER, Upload(file.stem, intake, digest))
        with staging.stored(staged), database.write() as session:
            return catalog.create(session, staged).id
