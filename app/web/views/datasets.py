"""The pages of a dataset: what it holds, its list of series, and one series."""

from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse

from app.api.http.identifiers import NO_NUL, DatasetId
from app.schemas.datasets import DatasetOut, SeriesName
from app.services.datasets import catalog, last_values
from app.services.jobs import states
from app.services.registry import models
from app.services.shared.paging import PageRequest, decode_cursor, encode_cursor
from app.services.training.submit import suggested_horizon
from app.web import charts
from app.web.visit import PageRoute, TheVisit, Visit

ROWS, VERSIONS, NEWEST = 25, PageRequest(10), PageRequest(25)
SHOWN_VALUES = 60  # in the table of a series
router = APIRouter(prefix="/ui/datasets", include_in_schema=False, route_class=PageRoute)
Name = Annotated[SeriesName, Query(pattern=NO_NUL)]
Count = Annotated[int | None, Query(ge=0)]


class Listing(NamedTuple):
    """Which part of the list of series is wanted."""

    search: str | None
    page: PageRequest


class Change(NamedTuple):
    """How many rows an append has just added and corrected."""

    appended: int | None
    corrected: int | None


async def _listing(
    search: Annotated[SeriesName | None, Query(pattern=NO_NUL)] = None,
    cursor: Annotated[str | None, Query(max_length=4000)] = None,
) -> Listing:
    return Listing(search, PageRequest(ROWS, decode_cursor(cursor)))


async def _change(appended: Count = None, corrected: Count = None) -> Change:
    return Change(appended, corrected)


@router.get("/{dataset_id}")
async def dataset(
    dataset_id: DatasetId,
    visit: TheVisit,
    listing: Annotated[Listing, Depends(_listing)],
    change: Annotated[Change, Depends(_change)],
) -> HTMLResponse:
    """Show what a dataset holds, how it was read, its series, models and versions."""
    found = await visit.read(catalog.get, dataset_id)
    facts = {"dataset": found, "change": change, **await _series(visit, dataset_id, listing)}
    if visit.is_part:
        return visit.page("parts/series.html", **facts)
    return visit.page("dataset.html", **facts, **await _beside(visit, found))


@router.get("/{dataset_id}/series")
async def series(dataset_id: DatasetId, unique_id: Name, visit: TheVisit) -> HTMLResponse:
    """Show one series: its chart, gaps and seasons, and its last values as a table."""
    found = await visit.read(catalog.get, dataset_id)
    observed = await visit.read(catalog.observations, dataset_id, unique_id, charts.EVERY)
    return visit.page(
        "series.html",
        dataset=found,
        observed=observed,
        last=list(zip(observed.ds, observed.y, strict=True))[-SHOWN_VALUES:],
        repairs=[repair for repair in found.profile.repairs if repair.unique_id == unique_id],
        chart=charts.of_history(observed, found.profile.frequency, visit.language),
    )


async def _series(visit: Visit, dataset_id: str, listing: Listing) -> dict[str, Any]:
    """Return a page of the list of series, with the last values of each."""
    page = await visit.read(catalog.series_page, dataset_id, listing.page, listing.search)
    names = [each.unique_id for each in page.series]
    return {
        "series": page.series,
        "next": encode_cursor(page.next),
        "values": await visit.read(last_values.read, dataset_id, names),
        "search": listing.search or "",
    }


async def _beside(visit: Visit, dataset: DatasetOut) -> dict[str, Any]:
    """Return what stands beside the list of series: models, trainings, versions."""
    jobs = (await visit.read(states.page, NEWEST)).jobs
    return {
        "jobs": [job for job in jobs if job.dataset_id == dataset.id],
        "models": (await visit.read(models.page, dataset.id, NEWEST)).models,
        "versions": (await visit.read(catalog.versions_page, dataset.id, VERSIONS)).versions,
        "horizon": suggested_horizon(dataset.profile),
    }
