"""Datasets: create, list, read and delete them."""

from collections.abc import Collection
from dataclasses import asdict

import numpy as np

from app import blobs
from app.auth import Principal
from app.db.engine import DatasetRef, Session
from app.db.queries import changes
from app.db.queries import datasets as queries
from app.db.queries import drafts as draft_queries
from app.db.queries import models as model_queries
from app.db.queries import versions as version_queries
from app.db.tables import Dataset, DatasetVersion, Series
from app.errors import BadInput, FieldError, NotFound
from app.intake.options import NOTHING_SAID, ReadOptions
from app.intake.time.axis import TimeAxis
from app.schemas.datasets import (
    DatasetOut,
    DatasetPage,
    DatasetSummary,
    ObservationPage,
    Profile,
    SeriesOut,
    SeriesPage,
    VersionOut,
    VersionPage,
)
from app.services.datasets import drafts
from app.services.datasets import series_store as store
from app.services.datasets.series_blob import shown_cells
from app.services.datasets.staging import StagedDataset
from app.services.jobs import states
from app.services.shared.paging import CountedPageRequest, PageRequest, cut, foreign_cursor
from models.choices import Limits


def create(session: Session, staged: StagedDataset) -> DatasetOut:
    """Publish a new dataset as its first version.

    Raises Unavailable if its draft was taken away.
    """
    ref, upload = staged.ref, staged.upload
    if staged.draft_id is None:
        dataset = queries.add(session, staged.dataset(version=1))
    else:
        drafts.finish(session, ref, staged.draft_id)
        dataset = queries.show(session, ref, 1)
    store.write(session, ref, 1, staged.portion)
    version = DatasetVersion(
        **ref._asdict(),
        version=1,
        axis=asdict(upload.intake.frame.axis),
        profile=staged.profile.model_dump(mode="json"),
        columns=[asdict(column) for column in upload.intake.frame.columns] or None,
        source_sha256=upload.source_sha256,
    )
    queries.add_version(session, version)
    return dataset_out(dataset, version)


def limits_of(dataset: Dataset) -> Limits:
    """Return the limits of a dataset's forecasts."""
    return Limits(dataset.lower, dataset.upper, dataset.integer)


def page(
    session: Session, principal: Principal, request: PageRequest, name: str | None = None
) -> DatasetPage:
    """Return a page of the caller's datasets, newest first; only those of a name where one is given."""
    found = queries.page(session, principal.workspace_id, request.limit + 1, request.after, name)
    shown, following = cut(found, request, lambda pair: pair[0].id)
    return DatasetPage(datasets=[_summary(*pair) for pair in shown], next=following)


def get(session: Session, principal: Principal, dataset_id: str) -> DatasetOut:
    """Return a dataset with its profile.

    Raises NotFound if the caller has none under this id.
    """
    return dataset_out(*find(session, principal, dataset_id))


def versions_page(
    session: Session, principal: Principal, dataset_id: str, request: PageRequest
) -> VersionPage:
    """Return a page of the versions of a dataset that are kept, newest first.

    Raises NotFound if the caller has no such dataset, BadInput for the cursor of another list.
    """
    find(session, principal, dataset_id)
    if not (request.after or "0").isdecimal():
        raise foreign_cursor()
    before = None if request.after is None else int(request.after)
    ref = DatasetRef(principal.workspace_id, dataset_id)
    found = version_queries.page(session, ref, request.limit + 1, before)
    shown, following = cut(found, request, lambda version: str(version.version))
    return VersionPage(versions=[_version_out(version) for version in shown], next=following)


def series_page(
    session: Session, principal: Principal, dataset_id: str, request: PageRequest, part: str | None = None
) -> SeriesPage:
    """Return a page of a dataset's series, by name; only those whose name holds `part` where it is given.

    Raises NotFound if the caller has no such dataset.
    """
    _, version = find(session, principal, dataset_id)
    axis = TimeAxis.from_dict(version.axis)
    limit, after = request.limit + 1, request.after
    if part:
        names = queries.names_with(session, version, part, limit, after)
        found = queries.series_named(session, version, names)
    else:
        found = queries.series_page(session, version, limit, after)
    shown, following = cut(found, request, lambda row: row.unique_id)
    return SeriesPage(series=[_series_out(axis, row) for row in shown], next=following)


def observations(
    session: Session,
    principal: Principal,
    dataset_id: str,
    unique_id: str | None,
    request: CountedPageRequest,
) -> ObservationPage:
    """Return a page of the observations of one series, oldest first.

    Raises NotFound if the dataset or the series does not exist, BadInput if no one of several is named.
    """
    dataset, version = find(session, principal, dataset_id)
    (row,) = (
        _only_series(session, version) if unique_id is None else named_series(session, version, [unique_id])
    )
    frame = store.read_frame(session, version, [row])
    shown = slice(request.first, request.first + request.limit)
    y = np.append(frame.y, np.full(row.ahead, np.nan))
    beside = frame.covariates
    return ObservationPage(
        unique_id=row.unique_id,
        dataset_id=dataset.id,
        dataset_version=version.version,
        ds=frame.axis.format(frame.row_ds[shown]),
        y=shown_cells(y[shown]),
        columns={name: shown_cells(cells[shown]) for name, cells in beside.steps.items()} if beside else {},
        static=row.static or {},
        next=str(shown.stop) if shown.stop < len(y) else None,
    )


def _only_series(session: Session, version: DatasetVersion) -> list[Series]:
    rows = queries.series_page(session, version, 2, None)
    if len(rows) > 1:
        remedy = "Name one of the series; a table of all comes by format=csv, xlsx, parquet, arrow or ndjson."
        raise BadInput(
            f"As JSON, the observations of one series are answered. {remedy}",
            [FieldError("?unique_id", remedy)],
        )
    return rows


def delete(session: Session, principal: Principal, dataset_id: str) -> None:
    """Delete a dataset with its models and their stored data, and cancel its unfinished jobs.

    It is hidden at once; the next `drafts.sweep` removes what remains of a large one. Raises NotFound if the
    caller has none under this id.
    """
    find(session, principal, dataset_id)
    ref = DatasetRef(principal.workspace_id, dataset_id)
    # Cancel jobs first: a training that ends meanwhile has either published, and its model is deleted below,
    # or finds its job cancelled and publishes nothing.
    states.cancel_all(session, principal, dataset_id, "Its dataset was deleted.")
    queries.lock(session, *ref)
    models = model_queries.of_dataset(session, *ref)
    blobs.release(session, ref.workspace_id, [key for model in models for key in model.blob_keys])
    queries.remove_versions_and_models(session, ref)
    queries.show(session, ref, 0)
    draft_queries.remove(session, ref)
    drafts.remove_portion(session, ref)
    changes.record(session, *ref)


def find(session: Session, principal: Principal, dataset_id: str) -> queries.Pair:
    """Return a dataset and its newest version.

    Raises NotFound if the caller has none under this id.
    """
    found = queries.find(session, principal.workspace_id, dataset_id)
    if found is None:
        raise NotFound(f"There is no dataset {dataset_id}. GET /datasets lists those there are.")
    return found


def of_source(
    session: Session, principal: Principal, source_sha256: str, options: ReadOptions = NOTHING_SAID
) -> str | None:
    """Return the id of the newest dataset whose source has this hash and was read so, or None.

    Where nothing is said of how to read it, the newest one fits.
    """
    found = queries.of_source(session, principal.workspace_id, source_sha256)
    fit = (dataset.id for dataset, version in found if _was_read_so(version, options))
    return next(fit, None)


def _was_read_so(version: DatasetVersion, options: ReadOptions) -> bool:
    detected = Profile.model_validate(version.profile).detected
    columns = ("id_column", "time_column", "target_column")
    said = {name: getattr(options, name) for name in columns if getattr(options, name)}
    return options.shown.items() <= detected.options.items() and all(
        getattr(detected, name) == text for name, text in said.items()
    )


def named_series(session: Session, version: DatasetVersion, unique_ids: list[str]) -> list[Series]:
    """Return the index rows of named series, sorted by name.

    Raises NotFound if the dataset lacks one of them.
    """
    rows = queries.series_named(session, version, unique_ids)
    if missing := set(unique_ids) - {row.unique_id for row in rows}:
        raise no_such_series(version, missing)
    return rows


def no_such_series(version: DatasetVersion, unique_ids: Collection[str]) -> NotFound:
    """Return the error for series that a dataset lacks."""
    missing = sorted(unique_ids)
    return NotFound(
        f"Dataset {version.dataset_id} has no series {', '.join(map(repr, missing))}. "
        f"GET /datasets/{version.dataset_id}/series lists those there are.",
        [FieldError("?unique_id", f"{name!r} is not there.") for name in missing],
    )


def dataset_out(dataset: Dataset, version: DatasetVersion) -> DatasetOut:
    """Return the response for a dataset at a version."""
    return DatasetOut.model_validate(
        {
            "id": dataset.id,
            "name": dataset.name,
            "version": dataset.version,
            "champion_id": dataset.champion_id,
            "created_at": dataset.created_at,
            "lower": dataset.lower,
            "upper": dataset.upper,
            "integer": dataset.integer,
            "profile": version.profile,
        },
    )


def _summary(dataset: Dataset, version: DatasetVersion) -> DatasetSummary:
    described = dataset_out(dataset, version)
    return DatasetSummary.model_validate({**described.profile.model_dump(), **described.model_dump()})


def _version_out(version: DatasetVersion) -> VersionOut:
    described = {"version": version.version, "created_at": version.created_at}
    return VersionOut.model_validate({**version.profile, **described})


def _series_out(axis: TimeAxis, row: Series) -> SeriesOut:
    start, end = axis.format(np.array([row.start, row.end]))
    return SeriesOut(
        unique_id=row.unique_id,
        length=row.length,
        observations=row.observations,
        start=start,
        end=end,
        ahead=row.ahead,
        static=row.static or {},
    )
