"""Read the columns of a table that have a role into rows."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from app.errors import BadInput
from app.intake.arrays import Ints
from app.intake.beside.judging import NOT_JUDGED, Judged
from app.intake.beside.reading import Notation, read_column, without_sentinels
from app.intake.columns.beside import unused_notes
from app.intake.columns.coded import Coded, Column, Floats
from app.intake.columns.numbers import MISSING, Decimal, is_doubtful, read_numbers, shown_mark
from app.intake.columns.roles import Roles, find_roles
from app.intake.columns.time_parts import joined
from app.intake.options import ReadOptions, as_option
from app.intake.problems import Place, listed, refuse_rows
from app.intake.rows import Rows
from app.intake.tables.table import Dtype, Table
from app.intake.time.notations.languages import month_numbers
from app.intake.time.times import Times
from app.schemas.datasets import MAX_COLUMNS_SHOWN, Detected

EMPTY_TIMES = ("", "NA", "N/A", "n/a", "NaN", "nan", "NaT", "null", "NULL", "None")
EMPTY_NAMES = ("",)  # NA is Namibia
BETWEEN_NAMES = " / "


@dataclass(frozen=True)
class OpenTable:
    """A table whose columns have roles and have been read."""

    table: Table
    roles: Roles
    options: ReadOptions
    cells: "_Cells"

    def rows(self, unnamed: str | None = None, *, by_target: bool = False) -> Rows:
        """Return the rows, once for each target.

        Without a column of names, all belong to the series `unnamed`, or to one named after their target.
        Where there are several targets, or `by_target` says that there were, names end with theirs.
        """
        frame, targets, count = self.cells.frame, self.roles.targets, len(self.roles.targets)
        of_parts = dict(zip(self.roles.times, self.roles.parts, strict=True))
        every = [Coded.of(frame[name], EMPTY_TIMES) for name in of_parts]
        parts = list(of_parts.values())
        months = month_numbers(every[parts.index("month")].texts) if "month" in parts else {}
        times = Coded.together(every, lambda texts: joined(texts, parts, months))
        series, names = self._series(times.codes, unnamed, by_target=by_target)
        y = np.concatenate([self.cells.y[name] for name in targets])
        place = Place(self.table.first_row, len(times.codes) if count > 1 else None)
        texts = pd.Series(times.texts, dtype="object")
        return Rows(place, series, names, np.tile(times.codes, count), texts, y, self.cells.beside)

    def _series(self, times: Ints, unnamed: str | None, *, by_target: bool) -> tuple[Ints, tuple[str, ...]]:
        """Return the series of each row and target, and the names of all series, sorted."""
        targets = [re.sub(r"[\t\r\n]+", " ", name) for name in self.roles.targets]  # a name has one line
        if not self.roles.ids:
            # A row without a time and a value belongs to none.
            blank = [(times < 0) & np.isnan(self.cells.y[name]) for name in self.roles.targets]
            codes = [np.where(is_blank, -1, number) for number, is_blank in enumerate(blank)]
            names = targets if unnamed is None or len(targets) > 1 else [unnamed]
        else:
            columns = [Coded.of(self.cells.frame[name], EMPTY_NAMES) for name in self.roles.ids]
            ids = Coded.together(columns, BETWEEN_NAMES.join)
            if len(targets) == 1 and not by_target:
                return ids.codes, ids.texts
            names = [BETWEEN_NAMES.join((text, target)) for target in targets for text in ids.texts]
            codes = [
                np.where(ids.codes < 0, -1, ids.codes + number * len(ids.texts))
                for number in range(len(targets))
            ]
        order = sorted(range(len(names)), key=names.__getitem__)
        rank = np.append(np.argsort(order), -1)
        return rank[np.concatenate(codes)].astype(np.int64), tuple(names[i] for i in order)

    def detected(self, times: Times | None, judged: Judged = NOT_JUDGED) -> Detected:
        """Return how the table was read; without `times`, as far as it was."""
        columns = tuple(map(judged.column, self.roles.columns))
        notes = [
            *self.table.origin.notes,
            *self.roles.notes,
            *self.cells.notes,
            *(times.notes if times else []),
            *judged.notes,
            *unused_notes(columns),
        ]
        return Detected(
            format=self.table.origin.format,
            id_column=as_option(self.roles.ids),
            time_column=cast("str", as_option(self.roles.times)),
            target_column=cast("str", as_option(self.roles.targets)),
            encoding=self.table.origin.encoding,
            delimiter=self.table.origin.delimiter,
            decimal=self.cells.decimal,
            date_format=times.date_format if times else None,
            columns=list(columns[:MAX_COLUMNS_SHOWN]),
            options=self.options.shown,
            notes=notes,
        )


def open_rows(table: Table, said: ReadOptions, previous: str | None = None) -> OpenTable:
    """Find the roles of a table's columns and read them; open questions are left to the caller.

    `previous` is the decimal mark of earlier rows. Raises BadInput for what cannot be used.
    """
    if not table.has_rows:
        raise BadInput("The file has a header and no rows. Send one row for each time of each series.")
    roles = find_roles(table.sample(table.names), table.unnamed, said, table.texts)
    return OpenTable(table, roles, said, _read_cells(table, roles, said, previous))


@dataclass(frozen=True)
class _Cells:
    """The columns that have a role, row by row."""

    frame: pd.DataFrame  # names and times as categories
    y: Mapping[str, Floats]
    beside: tuple[Column, ...]
    decimal: Decimal
    notes: tuple[str, ...] = ()


def _read_cells(table: Table, roles: Roles, options: ReadOptions, previous: str | None) -> _Cells:
    """Parse plain numbers while reading; read any other notation as text and judge it as a column."""
    marks = _Marks.of(table, roles, options, previous)
    frame = _plain_numbers(table, roles, options, marks)
    if frame is None:
        frame = table.read({**_texts(roles), **dict.fromkeys(roles.targets, "str")})
    y: dict[str, Floats] = {}
    signs: list[str] = []
    mark = marks.table
    for name in roles.targets:
        if frame[name].dtype == np.float64:
            y[name] = frame[name].to_numpy()
            continue
        missing = (*MISSING, *options.sentinels)
        numbers = read_numbers(
            frame[name], table.delimiter, previous=previous, decimal=options.decimal, missing=missing
        )
        _refuse_text(table, name, frame, np.flatnonzero(numbers.wrong))
        y[name] = numbers.numbers
        signs += [f"In {listed([name])} {note}." for note in numbers.notes]
        mark = mark or ("," if numbers.decimal == "," else None)
    place = Place(table.first_row)
    notation = Notation(place, table.delimiter, mark or ".", options)
    beside = tuple(read_column(each, frame.pop(each.name), notation) for each in roles.beside)
    notes = (*signs, *(() if mark else marks.doubts))
    values = {name: finite(place, each, options) for name, each in y.items()}
    return _Cells(frame, values, beside, notation.decimal, notes)


@dataclass(frozen=True)
class _Marks:
    """What a sample tells of decimal marks."""

    table: Decimal | None  # that is said, or that a column shows, targets first; None where none does
    is_plain: bool  # whether targets may be plain numbers with a decimal point
    doubtful: Mapping[str, str]  # columns beside the target that may have either mark, with a number of each

    @classmethod
    def of(cls, table: Table, roles: Roles, options: ReadOptions, previous: str | None) -> "_Marks":
        """Look at the numbers of the first rows; `previous` is the mark of earlier ones."""
        said, order = options.decimal, [*roles.targets, *roles.numeric_names]
        # Between commas a point stands before decimals, so that only other tables are in doubt.
        sample = table.sample(order if table.delimiter != "," else roles.targets)
        doubts = [] if said else [name for name in sample if is_doubtful(sample[name], table.delimiter)]
        shown = (shown_mark(sample[name], table.delimiter) for name in order if doubts)
        earlier: Decimal | None = "," if previous == "," else "." if previous else None
        return cls(
            said or next(filter(None, shown), earlier),
            "," not in {said, previous} and not set(doubts) & set(roles.targets),
            {str(name): _with_mark(sample[name]) for name in doubts if name not in roles.targets},
        )

    @property
    def doubts(self) -> Iterator[str]:
        """Notes on columns that may have either mark, for where nothing settles it."""
        for name, text in self.doubtful.items():
            read = "decimals" if "." in text else "thousands"
            yield (
                f"Numbers in {listed([name])} such as {text[:40]!r} are read with {read}, and no other number"
                " tells whether they have; say by decimal which mark stands before decimals, '.' or ','."
            )


def _with_mark(texts: "pd.Series[str]") -> str:
    """Return the first text with a decimal mark or a separator of thousands."""
    return str(texts[texts.str.contains("[.,]", regex=True, na=False)].iloc[0]).strip()


def _plain_numbers(table: Table, roles: Roles, options: ReadOptions, marks: _Marks) -> pd.DataFrame | None:
    """Return the table with targets as plain numbers, and covariates where they are; None if targets are not.

    Plain are those with a decimal point and without separators of thousands.
    """
    if not marks.is_plain:
        return None
    targets: dict[str, Dtype] = dict.fromkeys(roles.targets, "float64")
    plain = [name for name in roles.numeric_names if name not in marks.doubtful]
    numbers: dict[str, Dtype] = dict.fromkeys(plain, "float64")
    missing = (*MISSING, *options.sentinels)
    for some in [numbers, {}] if numbers else [{}]:
        kinds = {**_texts(roles), **some, **targets}
        with contextlib.suppress(ValueError):  # some cell is not a plain number
            return table.read(kinds, missing=missing)
    return None


def _texts(roles: Roles) -> dict[str, Dtype]:
    """Return how all columns but the targets are read as text; those of numbers are not, as few repeat."""
    coded: dict[str, Dtype] = dict.fromkeys((*roles.ids, *roles.times, *roles.beside_names), "category")
    return {**coded, **dict.fromkeys(roles.numeric_names, "str")}


def finite(place: Place, y: Floats, options: ReadOptions) -> Floats:
    """Return values with NaN where one stands for none; raises BadInput for infinite ones."""
    infinite = np.isinf(y)
    if infinite.any():
        raise refuse_rows(
            place,
            "y",
            np.flatnonzero(infinite),
            lambda _: "the value is infinite or too large for a 64-bit float",
            "Some values are infinite; leave them empty where there is no value",
        )
    return without_sentinels(y, options)


def _refuse_text(table: Table, name: str, frame: pd.DataFrame, wrong: Ints) -> None:
    if len(wrong):
        raise refuse_rows(
            Place(table.first_row),
            "y",
            wrong,
            lambda row: f"{str(frame[name].iloc[row])[:40]!r} is not a number",
            f"Column {name!r} holds text where numbers should be; correct these cells, or leave them"
            " empty where there is no value",
        )
