"""The forms in which JSON holds a table, as rows: those that pandas writes, those of charts and of answers.

pandas calls its forms records, split, index, columns, values and table. Charts write pairs of a time and a
value. Each may be inside an object, if it is the only table there.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from app.intake.files.refusals import Refused

Row = dict[str, Any]

DEEPEST = 3  # objects in one another that the table of an answer is in
ROWS_OF = ("observations", "data", "records", "rows", "results", "values")
FEW = 2  # fields of an object that is a row, and no series
LEAST = 3  # lists that are plainly a table, and not a list of something else
LEAST_EPOCH = 100_000_000  # seconds: a smaller number at the begin of a list is no time
YEARS = range(1000, 3000)
BEGINS = 4  # digits that a date begins with
NO_TABLE = (
    "The JSON holds no table. Send a list of objects with the same keys, one for each time, or lines of such"
    " objects, or an object of columns."
)


def rows_of(found: Any) -> Iterable[Row]:
    """Return the rows of a table in any of its forms; raises Refused for none."""
    if isinstance(found, list):
        return _of_list(found)
    if not isinstance(found, dict) or not found:
        raise Refused(NO_TABLE)
    if isinstance(found.get("columns"), list) and isinstance(found.get("data"), list):
        return _of_split(found["columns"], found["data"], found.get("index"))
    inside = [found[name] for name in ROWS_OF if isinstance(found.get(name), list)]
    if inside and inside[0] and (isinstance(inside[0][0], dict) or _are_timed(inside[0])):
        return rows_of(inside[0])
    if all(_are_timed(each) for each in found.values()):
        return _side_by_side(found)
    nested = [*_tables_in(found, DEEPEST)]
    return rows_of(nested[0]) if len(nested) == 1 else _of_columns(found)


def flat(row: Row) -> Row:
    """Return a row with the fields of objects in it, by names such as `country.value`."""
    if not any(isinstance(value, dict) for value in row.values()):
        return row
    found: Row = {}
    for name, value in row.items():
        if not isinstance(value, dict):
            found[name] = value
        elif len(value) == 1 and (inner := next(iter(value))).startswith("$"):
            found |= flat({name: value[inner]})  # a type and its value, as MongoDB writes
        else:
            found |= {f"{name}.{inner}": cell for inner, cell in value.items()}
    return found


def _tables_in(found: Row, depth: int) -> Iterator[Any]:
    """Yield what is plainly a table inside an answer, in objects of objects.

    It is a list of objects or of times with values, columns of one length, or objects with the same keys.
    """
    for value in found.values():
        is_list = isinstance(value, list) and value and all(isinstance(row, dict) for row in value)
        if is_list or _are_timed(value):
            yield value
        elif isinstance(value, dict) and depth:
            if _are_columns(value) or _are_objects(value):
                yield value
            else:
                yield from _tables_in(value, depth - 1)


def _are_columns(found: Row) -> bool:
    """Return whether an object holds several lists of one length."""
    cells = [*found.values()]
    return len(cells) > 1 and all(isinstance(each, list) for each in cells) and len(set(map(len, cells))) == 1


def _are_objects(found: Row) -> bool:
    """Return whether an object holds objects of cells with the same keys, by the time of each."""
    first = next(iter(found.values()), None)
    return len(found) >= LEAST and all(
        isinstance(each, dict)
        and isinstance(first, dict)
        and each.keys() == first.keys()
        and _is_time(name)
        and not any(isinstance(cell, dict | list) for cell in each.values())
        for name, each in found.items()
    )


def _are_timed(found: Any) -> bool:
    """Return whether a list holds lists of a time and one value or more each."""
    if not isinstance(found, list) or len(found) < LEAST:
        return False
    width = len(found[0]) if isinstance(found[0], list) else 0
    return width > 1 and all(
        isinstance(row, list) and len(row) == width and _is_time(row[0]) for row in found
    )


def _is_time(cell: Any) -> bool:
    """Return whether a cell is a time from the epoch, a year, or a text that begins as a date does."""
    if isinstance(cell, str):
        return cell[:BEGINS].isdecimal()
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    return is_number and (cell >= LEAST_EPOCH or cell in YEARS)


def _named(rows: list[list[Any]], value: str = "value") -> Iterator[Row]:
    """Yield lists of a time and values as rows."""
    values = [value] if len(rows[0]) == FEW else [f"{value} {i}" for i in range(1, len(rows[0]))]
    return (dict(zip(("time", *values), row, strict=True)) for row in rows)


def _side_by_side(found: Mapping[str, list[list[Any]]]) -> Iterable[Row]:
    """Return lists of times and values as columns by name where all have the same times, else as series."""
    times = [[row[0] for row in rows] for rows in found.values()]
    if any(each != times[0] for each in times):
        named = ({"series": name} | row for name, rows in found.items() for row in _named(rows))
        return named if len({len(rows[0]) for rows in found.values()}) == 1 else _refuse_lengths()
    every = zip(*(_named(rows, name) for name, rows in found.items()), strict=True)
    return (dict(chain.from_iterable(row.items() for row in rows)) for rows in every)


def _refuse_lengths() -> Iterable[Row]:
    raise Refused("The columns of the JSON have different lengths. Write null where there is no value.")


def _of_columns(found: Row) -> Iterable[Row]:
    values = list(found.values())
    if all(isinstance(value, dict) for value in values):
        return _of_objects(found)
    if all(isinstance(value, list) for value in values):
        if len({len(value) for value in values}) > 1:
            return _refuse_lengths()
        return (dict(zip(found, cells, strict=True)) for cells in zip(*values, strict=True))
    if any(isinstance(value, dict | list) for value in values):
        raise Refused(NO_TABLE)
    if len(found) > FEW and "y" not in found and not any(isinstance(value, str) for value in values):
        return ({"index": key, "value": value} for key, value in found.items())
    return [found]


def _of_list(found: list[Any]) -> Iterable[Row]:
    if found and all(isinstance(row, dict) for row in found):
        return _of_series(found) or found
    if len(found) == FEW and isinstance(found[1], list) and isinstance(found[0], dict):
        return rows_of(found[1])  # as the World Bank answers
    if _are_timed(found):
        return _named(found)
    if (
        len(found) > 1
        and all(isinstance(row, list) for row in found)
        and all(isinstance(name, str) for name in found[0])
    ):
        return _of_split(found[0], found[1:], None)
    raise Refused(NO_TABLE)


def _of_series(found: list[Row]) -> Iterable[Row]:
    """Return a row for each time of series whose times and values are lists in one field; none for others."""
    timed = [[name for name, value in row.items() if _are_timed(value)] for row in found]
    if any(len(names) != 1 for names in timed):
        return []
    return [
        {name: cell for name, cell in series.items() if name != of} | row
        for (of,), series in zip(timed, found, strict=True)
        for row in _named(series[of])
    ]


def _of_split(names: list[Any], data: list[Any], index: Any) -> Iterable[Row]:
    if not all(isinstance(row, list) and len(row) == len(names) for row in data):
        raise Refused(f"Not every row of the JSON has {len(names)} cells, as there are columns.")
    labels = (
        index
        if isinstance(index, list) and len(index) == len(data) and index != list(range(len(data)))
        else None
    )
    for number, row in enumerate(data):
        own = dict(zip(map(str, names), row, strict=True))
        yield {"index": labels[number], **own} if labels else own


def _of_objects(found: Mapping[str, Row]) -> Iterable[Row]:
    """Return the rows of objects that are columns or rows, whichever are fewer columns than rows."""
    inner = list(dict.fromkeys(key for value in found.values() for key in value))
    are_columns = len(inner) > len(found) or (len(inner) == len(found) and inner[0].isdecimal())
    labels, names = (inner, list(found)) if are_columns else (list(found), inner)
    is_counted = labels == [str(i) for i in range(len(labels))]
    for label in labels:
        cells = {name: (found[name].get(label) if are_columns else found[label].get(name)) for name in names}
        yield cells if is_counted else {"index": label, **cells}
