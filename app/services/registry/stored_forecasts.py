"""Store the quantile forecasts of a model, and read them: chunks of series whose names follow each other."""

import json
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

from app.db.engine import Database, Session
from app.db.queries import datasets as dataset_queries
from app.db.queries import forecasts as queries
from app.db.tables import DatasetVersion, Model, StoredForecasts, new_id
from app.digest import sha256
from app.intake.time.axis import TimeAxis
from app.services.registry.quantile_forecasts import SeriesQuantiles
from app.services.registry.served_method import ServedMethod
from app.services.shared.paging import PageRequest, cut
from app.version import release

CHUNK = 8  # series; one of 18 steps takes 1.5 KB, and a request for one reads them all
FULL = 2 * CHUNK  # series; one more, and a chunk is divided
PORTION, SLOW_PORTION = 256, 16
DEVICE = "cpu"  # as requests are computed by default; another one has other last digits


@dataclass(frozen=True)
class Found:
    """What is stored of some series: their forecasts, and the names of those that have none, or have changed.

    Both are in the order of the names. Names that a version does not have are in neither.
    """

    forecasts: SeriesQuantiles | None
    missing: Sequence[str]

    @property
    def is_empty(self) -> bool:
        """Whether none of the series is there, as in a version that was dropped."""
        return self.forecasts is None and not self.missing

    @property
    def needs_pass(self) -> bool:
        """Whether not all is known from what is stored."""
        return self.forecasts is None or len(self.missing) > 0


def portion_of(served: ServedMethod) -> int:
    """Return how many series are computed together and written in one transaction."""
    return SLOW_PORTION if served.is_slow else PORTION


def basis_of(served: ServedMethod, axis: TimeAxis) -> str:
    """Name all that forecasts depend on beside model and series: code, served method and axis."""
    facts = {"release": release(), "method": served.name, "axis": asdict(axis)}
    return f"{served.name} {sha256(json.dumps(facts, sort_keys=True).encode())}"


def find(session: Session, model: Model, served: ServedMethod, axis: TimeAxis) -> StoredForecasts | None:
    """Return what is stored of a model's forecasts by a served method; None if nothing is."""
    return queries.of_model(session, model.workspace_id, model.id, basis_of(served, axis))


def read_named(
    session: Session, version: DatasetVersion, stored_id: str, unique_ids: Collection[str]
) -> Found:
    """Read the forecasts of named series, as the version has them."""
    placed = queries.placed(session, version, stored_id, unique_ids)
    parts = []
    for data, rows in groupby(sorted(placed), key=lambda row: row.data):
        if (found := _current(data, {row.unique_id: row.version for row in rows})) is not None:
            parts.append(found)
    return _found([row.unique_id for row in placed], parts)


def read_page(
    session: Session, version: DatasetVersion, stored_id: str | None, page: PageRequest
) -> tuple[Found, str | None]:
    """Read the forecasts of a page of series, and the name of the last if another page follows."""
    rows, following = cut(
        dataset_queries.row_page(session, version, page.limit + 1, page.after), page, lambda row: row[0]
    )
    if stored_id is None or not rows:
        return Found(None, [name for name, _ in rows]), following
    numbers = dict(rows)
    span = rows[0][0], rows[-1][0]
    chunks = queries.between(session, version.workspace_id, stored_id, *span)
    parts = [part for data in chunks if (part := _current(data, numbers)) is not None]
    return _found(list(numbers), parts), following


def _found(names: Sequence[str], parts: Sequence[SeriesQuantiles]) -> Found:
    if not parts:
        return Found(None, names)
    series = SeriesQuantiles.joined(parts)
    known = set(series.unique_ids)
    return Found(series, [name for name in names if name not in known])


def _current(data: bytes | None, numbers: dict[str, int]) -> SeriesQuantiles | None:
    """Return the forecasts in a chunk that were made from these versions of index rows; None for none."""
    if data is None:
        return None
    chunk = SeriesQuantiles.unpack(data)
    stored = zip(chunk.unique_ids, chunk.versions.tolist(), strict=True)
    places = [place for place, (name, version) in enumerate(stored) if numbers.get(name) == version]
    return chunk.take(places) if places else None


def begin(session: Session, model: Model, served: ServedMethod, axis: TimeAxis) -> str:
    """Begin to store forecasts of a model that is not published yet, in place of an earlier attempt's."""
    queries.remove_of_job(session, model.workspace_id, model.job_id)
    return _add(session, model, basis_of(served, axis), None)


def begin_again(session: Session, model: Model, served: ServedMethod, axis: TimeAxis) -> str:
    """Return the id under which a published model's forecasts are stored, from now on or since before."""
    dataset_queries.lock(session, model.workspace_id, model.dataset_id)  # so that two workers add one row
    found = find(session, model, served, axis)
    return found.id if found is not None else _add(session, model, basis_of(served, axis), model.id)


def _add(session: Session, model: Model, basis: str, model_id: str | None) -> str:
    stored = StoredForecasts(
        workspace_id=model.workspace_id,
        id=new_id("forecasts"),
        dataset_id=model.dataset_id,
        model_id=model_id,
        job_id=model.job_id,
        basis=basis,
    )
    queries.add(session, stored)
    return stored.id


def complete(session: Session, model: Model, stored_id: str, version: int) -> None:
    """Record that every series is stored as it is in a version; what the model stored otherwise goes."""
    queries.complete(session, model.workspace_id, stored_id, version)
    queries.remove_others(session, model.workspace_id, model.id, stored_id)


def sweep(database: Database) -> None:
    """Remove what was stored of models that no training will publish any more."""
    with database.read() as session:
        left = queries.unpublished(session)
    for workspace_id, job_id in left:
        with database.write() as session:
            queries.remove_of_job(session, workspace_id, job_id)


def write(session: Session, workspace_id: str, stored_id: str, fresh: SeriesQuantiles) -> None:
    """Store forecasts of series, sorted by name, in place of those that they have.

    The caller holds the row of what is stored: two who write one chunk would undo each other's.
    """
    firsts = queries.first_names(session, workspace_id, stored_id)
    for old, part in _by_chunk(firsts, fresh):
        before = SeriesQuantiles.empty(fresh.horizon)
        if old is not None:
            before = SeriesQuantiles.unpack(queries.chunk(session, workspace_id, stored_id, old))
        kept = before.take([place for name, place in before.places.items() if name not in part.places])
        merged = SeriesQuantiles.joined([kept, part]).sorted()
        size = len(merged) if len(merged) <= FULL else CHUNK
        new = {some.unique_ids[0]: some.pack() for some in merged.split(size)}
        queries.replace_chunk(session, workspace_id, stored_id, old, new)


def _by_chunk(firsts: Sequence[str], fresh: SeriesQuantiles) -> Iterator[tuple[str | None, SeriesQuantiles]]:
    """Yield series with the first name of the chunk they belong to; None where there is no chunk yet."""
    numbers = [max(bisect_right(firsts, name) - 1, 0) for name in fresh.unique_ids]
    for number, places in groupby(range(len(fresh)), key=numbers.__getitem__):
        yield firsts[number] if firsts else None, fresh.take(list(places))
