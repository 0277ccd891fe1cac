"""Decide which columns hold the series' names, the times and the values: by name first, then by content."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.errors import BadInput, FieldError
from app.intake.cells import Cells
from app.intake.columns.numbers import GROUPS, are_numbers
from app.intake.options import ReadOptions
from app.intake.problems import listed
from app.intake.time.dates import mostly_dates
from app.intake.time.times import are_whole_numbers

# (rows,) a number from 0 for each distinct text of a column; -1 marks an empty cell
Codes = NDArray[np.int32]
Content = Literal["empty", "date", "whole", "number", "text"]
Role = Literal["id_column", "time_column", "target_column"]

# In tiers: a name of an earlier tier goes before all names of later ones.
ID_NAMES = (
    ("unique_id",),
    ("series_id", "series", "series_name"),
    (
        *("id", "name", "item", "item_id", "item_name", "product", "product_id", "sku", "article", "store"),
        *("store_id", "shop", "country", "country_name", "country_code", "region", "state", "city", "code"),
        *("key", "group", "symbol", "ticker", "sensor", "sensor_id", "device", "device_id", "station"),
        *("station_id", "meter", "meter_id", "customer", "customer_id", "location", "site", "branch"),
    ),
)
TIME_NAMES = (
    ("ds",),
    ("date", "datetime", "date_time", "timestamp", "time"),
    ("year", "quarter", "month", "week", "day", "hour", "period", "year_month", "t", "step"),
)
TARGET_NAMES = (
    ("y",),
    ("value", "values", "target"),
    (
        *("sales", "count", "demand", "load", "population", "quantity", "qty", "amount", "volume", "units"),
        *("visitors", "passengers", "orders", "revenue", "price", "temp", "temperature", "consumption"),
    ),
)
# Comparing two names costs the product of their lengths, so long names are cut and long lists too.
COMPARED, MOST_COMPARED = 100, 1_000


@dataclass(frozen=True)
class Roles:
    """The columns that hold names, times and values; without `id` the table is one series."""

    id: str | None
    time: str
    target: str
    note: str | None = None


def find_roles(
    sample: pd.DataFrame, requested: ReadOptions, read: Callable[[list[str]], pd.DataFrame]
) -> Roles:
    """Decide the roles; raises BadInput with the candidates and the parameter that decides between them.

    Args:
        sample: the first rows, as text.
        requested: the columns that the caller names.
        read: reads whole columns; called where repetitions over the whole table decide.
    """
    names = [str(name) for name in sample.columns]
    given: dict[Role, str | None] = {
        "id_column": requested.id_column or None,
        "time_column": requested.time_column or None,
        "target_column": requested.target_column or None,
    }
    _refuse_absent(given, names)
    _refuse_header_of_data(names)
    finder = _Finder(dict(zip(names, contents(Cells.of_table(sample)), strict=True)), read)
    taken = [name for name in given.values() if name]
    time = given["time_column"] or finder.time(taken)
    identity, note = given["id_column"], None
    if identity is None:
        identity, note = finder.identity([*taken, time], time)
    target = given["target_column"] or finder.target([*taken, time, *([identity] if identity else [])])
    return Roles(identity, time, target, note)


def _refuse_header_of_data(names: list[str]) -> None:
    """Raise BadInput for a first row of numbers and dates: no header, or one with a column for each time."""
    found = zip(names, contents(Cells.of_names(names)), strict=True)
    plain = [name for name, content in found if content in {"date", "whole", "number"}]
    if len(plain) * 2 >= len(names):
        raise BadInput(
            f"The first row holds {listed(plain)} where names of columns should be. Add a header row; and if"
            " there is a column for each time, turn the table so that there is a row for each time."
        )


def _refuse_absent(given: dict[Role, str | None], names: list[str]) -> None:
    for role, name in given.items():
        if name is not None and name not in names:
            close = difflib.get_close_matches(name[:COMPARED], names[:MOST_COMPARED], n=3)
            hint = f" Did you mean {listed(close)}?" if close else ""
            absent = repr(name[:COMPARED])
            detail = f"There is no column {absent}; the table has {listed(names)}.{hint}"
            raise BadInput(detail, [FieldError(f"#/{role}", f"no column {absent}")])
    chosen = [name for name in given.values() if name is not None]
    for role, name in given.items():
        if chosen.count(name or "") > 1:
            raise BadInput(
                f"Column {name!r} is given two roles; name one column for each.",
                [FieldError(f"#/{role}", "named for another role too")],
            )


def _several(names: Iterable[str], what: str, role: Role, advice: str = "") -> BadInput:
    return BadInput(
        f"Several columns could hold the {what}: {listed(names)}. Say which with {role}.{advice}",
        [FieldError(f"#/{role}", "needed, because several columns fit")],
    )


def _normal(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def _in_first_tier(names: Iterable[str], tiers: tuple[tuple[str, ...], ...]) -> list[str]:
    """Return the names in the first tier that has any."""
    names = list(names)
    for tier in tiers:
        found = [name for name in names if _normal(name) in tier]
        if found:
            return found
    return []


@dataclass(frozen=True)
class _Finder:
    contents: dict[str, Content]
    read: Callable[[list[str]], pd.DataFrame]

    def time(self, taken: list[str]) -> str:
        fit = [name for name, content in self._free(taken) if content in {"date", "whole"}]
        found = _in_first_tier(fit, TIME_NAMES)
        found = self._of_content(found, "date") or found or self._of_content(fit, "date")
        if len(found) == 1:
            return found[0]
        if found:
            advice = " Parts of a date in several columns must be joined into one (2024-01-31)."
            raise _several(found, "times", "time_column", advice)
        raise BadInput(
            f"No column holds times that can be read; the table has {listed(self.contents)}. Write them as"
            " ISO 8601 (2024-01-31), one row for each time, or name a column of integers with time_column.",
            [FieldError("#/time_column", "no column of times was found")],
        )

    def target(self, taken: list[str]) -> str:
        free = dict(self._free(taken))
        named = _in_first_tier((name for name, content in free.items() if content != "date"), TARGET_NAMES)
        found = named or [name for name, content in free.items() if content in {"whole", "number"}]
        if len(found) == 1:
            return found[0]
        if found:
            raise _several(found, "values", "target_column")
        raise BadInput(
            f"No column is left that holds numbers; the table has {listed(self.contents)}.",
            [FieldError("#/target_column", "no column of numbers was found")],
        )

    def identity(self, taken: list[str], time: str) -> tuple[str | None, str | None]:
        """Return the column that names the series, if any, and a note if the choice needs one."""
        fit = [name for name, content in self._free(taken) if content in {"text", "whole", "empty"}]
        certain = _in_first_tier(fit, ID_NAMES[:2])
        if certain:
            return _only(certain), None
        named = self._repeating(_in_first_tier(fit, ID_NAMES[2:]))
        if named:
            return _finest(named)
        texts = self._of_content(fit, "text")
        if not texts or not self._repeating([time]):
            return None, None
        found = self._repeating([name for name in texts if _normal(name) not in sum(TARGET_NAMES, ())])
        return _finest(found) if found else (None, None)

    def _free(self, taken: list[str]) -> list[tuple[str, Content]]:
        return [(name, content) for name, content in self.contents.items() if name not in taken]

    def _of_content(self, names: Iterable[str], content: Content) -> list[str]:
        return [name for name in names if self.contents[name] == content]

    def _repeating(self, names: list[str]) -> dict[str, Codes]:
        """Return the columns in which a text repeats: one with its own text in each row names no series."""
        if not names:
            return {}
        cells = self.read(names).to_numpy(dtype=object)
        codes = {name: pd.factorize(cells[:, i])[0].astype(np.int32) for i, name in enumerate(names)}
        return {name: code for name, code in codes.items() if code.max() + 1 < len(code)}


def _only(names: list[str]) -> str:
    if len(names) > 1:
        raise _several(names, "names of the series", "id_column")
    return names[0]


def _finest(codes: Mapping[str, Codes]) -> tuple[str, str | None]:
    """Return the column that determines all other columns of names; raises BadInput if none does."""
    most = max(_different(code) for code in codes.values())
    # A column that determines all others has the most distinct texts; all that have as many are equal.
    finest = [name for name, code in codes.items() if _different(code) == most]
    if not _determines(codes[finest[0]], codes.values()):
        advice = " If it takes several, join them into one column."
        raise _several(codes, "names of the series", "id_column", advice)
    chosen = next((name for name in finest if "name" in _normal(name)), finest[0])
    others = [name for name in codes if name != chosen]
    if not others:
        return chosen, None
    return chosen, f"Column '{chosen}' names the series; {listed(others)} follows from it and is not used."


def _different(codes: Codes) -> int:
    """Return the number of distinct texts; the empty cell counts as one."""
    return int(codes.max()) + 1 + bool((codes < 0).any())


def _determines(codes: Codes, others: Iterable[Codes]) -> bool:
    """Return whether rows that are equal in one column are equal in all others."""
    first = np.zeros(codes.max() + 2, dtype=np.int64)
    # Written from the last row to the first, so that the first row of each text stays; -1 is the empty cell.
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return all(np.array_equal(other[first[codes]], other) for other in others)


def contents(cells: Cells) -> list[Content]:
    """Return the content of each column: that of most of its distinct texts."""
    found = np.full(cells.columns, "text", dtype=object)
    found[cells.count() == 0] = "empty"
    left = cells.mostly(cells.texts.str.contains(r"\d").to_numpy(dtype=np.bool_))
    rest = cells.only(left)  # without digits it is text
    whole = rest.mostly(are_whole_numbers(rest.texts))
    number = whole.copy()
    for decimal in GROUPS:
        number |= rest.mostly(are_numbers(rest.texts, decimal))
    date = mostly_dates(rest.only(~number))
    found[number], found[whole], found[date] = "number", "whole", "date"
    return list(found)
