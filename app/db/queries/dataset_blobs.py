"""The numbered blobs of a dataset, and the index rows of the series in each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert, select, update

from app.db.engine import DatasetRef, Session
from app.db.queries.datasets import Entry
from app.db.queries.scope import chunks, of, removable
from app.db.tables import DatasetBlob, Series


class Row(NamedTuple):
    """An index row: its series and version, and the blob that holds the series."""

    unique_id: str
    version: int
    blob: int
    length: int
    ahead: int

    @property
    def rows(self) -> int:
        """How many rows of the blob are the series'."""
        return self.length + self.ahead


ROW = tuple(getattr(Series, name) for name in Row._fields)


def add(
    session: Session, ref: DatasetRef, key: str, version: int, rows: Sequence[Mapping[str, Any]]
) -> list[Entry]:
    """Store the index rows of a version's series in a further blob, and return them as entries.

    The caller has locked the dataset, or nobody else knows of it yet.
    """
    number = add_blob(session, ref, key, version, [row["length"] + row["ahead"] for row in rows])
    placed = [{**ref._asdict(), "version": version, **row, "blob": number} for row in rows]
    session.execute(insert(Series), placed)
    return [Entry(*(row[name] for name in Entry._fields)) for row in placed]


def add_blob(session: Session, ref: DatasetRef, key: str, version: int, rows: Collection[int]) -> int:
    """Store that series of so many rows share a blob, and return the number the dataset counts it by.

    The caller has locked the dataset, or nobody else knows of it yet.
    """
    last = session.scalar(select(func.max(DatasetBlob.number)).where(*of(ref, DatasetBlob)))
    number = 0 if last is None else last + 1
    counts = {"series": len(rows), "rows": sum(rows)}
    session.add(DatasetBlob(**ref._asdict(), number=number, key=key, version=version, **counts))
    session.flush()
    return number


def key(session: Session, ref: DatasetRef, number: int) -> str:
    """Return the key of a blob of a dataset."""
    query = select(DatasetBlob.key).where(*of(ref, DatasetBlob), DatasetBlob.number == number)
    return session.scalars(query).one()


def subtract(session: Session, ref: DatasetRef, rows: Iterable[Row]) -> list[str]:
    """Subtract removed index rows from their blobs' counts; remove empty blobs and return their keys."""
    counts: dict[int, list[int]] = {}
    for row in rows:
        counts.setdefault(row.blob, []).append(row.rows)
    if not counts:
        return []
    change = (
        update(DatasetBlob.__table__)  # type: ignore[arg-type]  # of the table: many rows by one statement
        .where(*of(ref, DatasetBlob), DatasetBlob.number == bindparam("which"))
        .values(series=DatasetBlob.series - bindparam("n"), rows=DatasetBlob.rows - bindparam("m"))
    )
    parameters = [{"which": blob, "n": len(some), "m": sum(some)} for blob, some in counts.items()]
    session.connection().execute(change, parameters)
    empty = removable(DatasetBlob, ref.workspace_id).where(*of(ref, DatasetBlob), DatasetBlob.series <= 0)
    return list(session.scalars(empty.returning(DatasetBlob.key)))


def small(session: Session, ref: DatasetRef, below: int, until: int, limit: int) -> Sequence[int]:
    """Return the numbers of up to `limit` blobs with fewer rows than `below`, of versions up to `until`."""
    query = select(DatasetBlob.number).where(
        DatasetBlob.rows < below, *of(ref, DatasetBlob), DatasetBlob.version <= until
    )
    return session.scalars(query.order_by(DatasetBlob.number).limit(limit)).all()


def with_many_small(session: Session, below: int, many: int) -> list[DatasetRef]:
    """Return the datasets of any workspace that have `many` blobs with fewer rows than `below`."""
    owner = DatasetBlob.workspace_id, DatasetBlob.dataset_id
    query = select(*owner).where(DatasetBlob.rows < below).group_by(*owner).having(func.count() >= many)
    return [DatasetRef(*row) for row in session.execute(query)]


def rows_at(session: Session, ref: DatasetRef, names: Sequence[str], blobs: Collection[int]) -> list[Row]:
    """Return the index rows of named series in the given blobs."""
    rows: list[Row] = []
    for some in chunks(names):
        named = Series.unique_id.in_(some)
        query = select(*ROW).where(*of(ref, Series), named, Series.blob.in_(blobs))
        rows += [Row(*row) for row in session.execute(query)]
    return rows


def move(
    session: Session, ref: DatasetRef, rows: Iterable[Row], number: int, first_rows: Mapping[str, int]
) -> None:
    """Point index rows at another blob; `first_rows` are the rows of it where each series begins."""
    change = (
        update(Series.__table__)  # type: ignore[arg-type]  # as above
        .where(*of(ref, Series), Series.version == bindparam("of"), Series.unique_id == bindparam("name"))
        .values(blob=number, first_row=bindparam("at"))
    )
    moves = [{"of": row.version, "name": row.unique_id, "at": first_rows[row.unique_id]} for row in rows]
    session.connection().execute(change, moves)
