"""Read the cells of the columns that have a role: values as numbers, names and times as codes."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.intake.arrays import Floats, Ints
from app.intake.beside.reading import Notation, read_column, without_sentinels
from app.intake.columns.coded import Column
from app.intake.columns.numbers import MISSING, Decimal, Numbers, is_doubtful, read_with_unit, shown_mark
from app.intake.columns.roles import Roles
from app.intake.options import ReadOptions
from app.intake.problems import Place, Unsettled, listed, refuse_rows
from app.intake.tables.table import Dtype, Table

FEW = 50  # targets, each of whose decimal marks is looked for
EASTERN = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")


@dataclass(frozen=True)
class TableCells:
    """The columns that have a role, row by row."""

    frame: pd.DataFrame  # names and times as categories
    y: Mapping[str, Floats]
    beside: tuple[Column, ...]
    decimal: Decimal
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.frame)


def read_cells(table: Table, roles: Roles, options: ReadOptions, previous: str | None) -> TableCells:
    """Parse plain numbers while reading; read any other notation as text and judge it as a column."""
    marks = _Marks.of(table, roles, options, previous)
    frame, mark = _plain_numbers(table, roles, options, marks), marks.table
    if frame is not None:
        mark = mark or ("," if marks.plain == "," else None)
    else:
        frame = table.read({**_texts(roles), **dict.fromkeys(roles.targets, "str")})
    y: dict[str, Floats] = {}
    signs: list[str] = []
    # Columns of times hold one thing, so that they are judged as one.
    for names in [roles.targets] if roles.across else [(name,) for name in roles.targets]:
        if all(frame[name].dtype == np.float64 for name in names):
            y |= {name: frame[name].to_numpy() for name in names}
            continue
        texts = pd.concat([frame[name] for name in names], ignore_index=True)
        numbers = _numbers(texts, table, options, previous)
        wrong = numbers.wrong.reshape(len(names), -1)
        for name, its, cells in zip(names, wrong, numbers.numbers.reshape(len(names), -1), strict=True):
            _refuse_text(table, name, frame, np.flatnonzero(its))
            y[name] = cells
        signs += [f"In {listed(names[:1])} {note}." for note in numbers.notes]
        mark = mark or ("," if numbers.decimal == "," else None)
    place = Place(table.first_row)
    notation = Notation(place, table.delimiter, mark or ".", options)
    beside = tuple(read_column(each, frame.pop(each.name), notation) for each in roles.beside)
    notes = (*signs, *(() if mark else marks.doubts))
    values = {name: finite(place, each, options) for name, each in y.items()}
    return TableCells(frame, values, beside, notation.decimal, notes)


def _numbers(texts: "pd.Series[str]", table: Table, options: ReadOptions, previous: str | None) -> Numbers:
    """Return texts as numbers; where they may have thousands or decimals, as those of their language."""
    missing = (*MISSING, *options.sentinels)
    try:
        return read_with_unit(
            texts, table.delimiter, previous=previous, decimal=options.decimal, missing=missing
        )
    except Unsettled:
        if not _is_eastern(table):
            raise
        return read_with_unit(texts, table.delimiter, decimal=".", missing=missing)


def _is_eastern(table: Table) -> bool:
    """Return whether columns are named in Chinese, Japanese or Korean, which have a point before decimals."""
    return any(map(EASTERN.search, table.names))


@dataclass(frozen=True)
class _Marks:
    """What a sample tells of decimal marks."""

    table: Decimal | None  # that is said, or that a column shows, targets first; None where none does
    plain: Decimal | None  # with which targets may be plain numbers, without separators of thousands
    doubtful: Mapping[str, str]  # columns beside the target that may have either mark, with a number of each

    @classmethod
    def of(cls, table: Table, roles: Roles, options: ReadOptions, previous: str | None) -> "_Marks":
        """Look at the numbers of the first rows; `previous` is the mark of earlier ones."""
        said, order = options.decimal, [*roles.targets, *roles.numeric_names]
        # Between commas a point stands before decimals, so that only other tables are in doubt.
        frame = table.sample(order if table.delimiter != "," else roles.targets)
        sample = {str(name): frame[name] for name in frame}
        if roles.across:
            pooled = pd.concat([sample.pop(name) for name in roles.targets], ignore_index=True)
            sample = {roles.targets[0]: pooled, **sample}
        doubts = (
            []
            if said or _is_eastern(table)
            else [name for name in sample if is_doubtful(sample[name], table.delimiter)]
        )
        shown = (shown_mark(texts, table.delimiter) for texts in sample.values() if doubts)
        earlier: Decimal | None = "," if previous == "," else "." if previous else None
        targets = [sample[name] for name in roles.targets if name in sample]
        plain: Decimal | None = None if "," in {said, previous} else "."
        if said != "." and table.delimiter not in {"", ","} and len(targets) <= FEW:
            are_commas = all(shown_mark(texts, table.delimiter) == "," for texts in targets)
            plain = "," if are_commas else plain
        return cls(
            said or next(filter(None, shown), earlier),
            None if set(doubts) & set(roles.targets) else plain,
            {name: _with_mark(sample[name]) for name in doubts if name not in roles.targets},
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
    """Return the table with targets as plain numbers, and covariates where they are; None for others."""
    if marks.plain is None:
        return None
    targets: dict[str, Dtype] = dict.fromkeys(roles.targets, "float64")
    plain = [name for name in roles.numeric_names if name not in marks.doubtful]
    numbers: dict[str, Dtype] = dict.fromkeys(plain, "float64")
    missing = (*MISSING, *options.sentinels)
    for some in [numbers, {}] if numbers else [{}]:
        kinds = {**_texts(roles), **some, **targets}
        with contextlib.suppress(ValueError):  # some cell is not a plain number
            return table.read(kinds, missing, marks.plain)
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
