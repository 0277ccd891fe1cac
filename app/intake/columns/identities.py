"""Find the columns that name the series."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.intake.columns.choices import Choice, ask, together
from app.intake.columns.contents import Sample
from app.intake.columns.names import ID_NAMES, TARGET_NAMES, in_first_tier, is_in
from app.intake.options import as_option
from app.intake.problems import Question, listed

# (rows,) a number from 0 for each distinct text of a column; -1 marks an empty cell
Codes = NDArray[np.int32]
Read = Callable[[Sequence[str]], pd.DataFrame]  # whole columns as categories

LEAST_FILLED = 0.1  # of the pairs of a name and a time, the share that must have a row for it to be a name
LEAST_NAMED = 0.5  # of the rows of a column that names series without being called so: flags are rarer
SELDOM = 0.005  # of the rows: the hours that clocks repeat are one in 8,760
ONE_SERIES = Choice((), "")


def find_identity(
    sample: Sample, free: Sequence[str], times: Sequence[str], read: Read, duplicates: str | None = None
) -> Choice:
    """Choose the column that names the series; none where the table is a single one.

    `duplicates` is what the caller says of times that repeat, which a name found by its texts may explain.
    """
    fit = [name for name in free if sample.contents[name] in {"text", "whole", "empty"}]
    # Names such as 1e5 or 2024-01-01 are names all the same where the column is called so.
    if certain := in_first_tier(free, ID_NAMES[:1]) or in_first_tier(fit, ID_NAMES[:2]):
        return _several(certain) if len(certain) > 1 else Choice((certain[0],), "is named so")
    if named := _repeating(read, in_first_tier(fit, ID_NAMES[2:])):
        return _finest(named)
    texts = [name for name in fit if sample.contents[name] == "text"]
    if not texts or not _often_repeat(read, times):
        return ONE_SERIES
    found = _repeating(read, [name for name in texts if not is_in(name, TARGET_NAMES)])
    found = {name: codes for name, codes in found.items() if not _is_flag(codes)}
    varied = {name: codes for name, codes in found.items() if codes.max() > 0}
    filled = {name: codes for name, codes in varied.items() if sample.filled(name) > LEAST_NAMED}
    found = filled or varied or found
    choice = _finest(found) if found else ONE_SERIES
    return _noted(choice, duplicates) if choice.names else choice


def _noted(choice: Choice, duplicates: str | None) -> Choice:
    within = "" if duplicates in {None, "refuse"} else f", and duplicates={duplicates} counts within each"
    note = (
        f"{listed(choice.names)} is taken for the name of the series, since its texts repeat{within}. If all"
        f" are one series, say unused_columns={as_option(choice.names)}; if another column names them, say"
        " id_column."
    )
    return replace(choice, notes=(*choice.notes, note))


def _often_repeat(read: Read, times: Sequence[str]) -> bool:
    """Return whether rows of one time are more than the hours that clocks repeat, or a slip."""
    repeated = read(times).duplicated()
    return bool(repeated.mean() > SELDOM)


def _is_flag(codes: Codes) -> bool:
    """Return whether a column holds two texts, one of them so seldom that no series has its name."""
    counts = np.bincount(codes[codes >= 0])
    return len(counts) == 2 and counts.min() <= max(1, SELDOM * len(codes))  # noqa: PLR2004 - yes and no


def _repeating(read: Read, names: Sequence[str]) -> dict[str, Codes]:
    """Return the columns in which a text repeats: one with its own text in each row names no series."""
    if not names:
        return {}
    frame = read(names)
    codes = {name: np.asarray(frame[name].cat.codes, dtype=np.int32) for name in names}
    return {name: code for name, code in codes.items() if code.max() + 1 < len(code)}


def _several(names: Sequence[str]) -> Choice:
    advice = f" If it takes several, name them together: {together(names[:3])}."
    return ask("id_column", "names of the series", names, advice=advice)


def _finest(codes: Mapping[str, Codes]) -> Choice:
    """Choose the column that determines all other columns of names; ask if none does."""
    most = max(_different(code) for code in codes.values())
    # A column that determines all others has the most distinct texts; all that have as many are equal.
    finest = [name for name, code in codes.items() if _different(code) == most]
    if not _determines(codes[finest[0]], codes.values()):
        return _several(list(codes))
    chosen = next((name for name in finest if "name" in name.lower()), finest[0])
    return Choice((chosen,), "its texts repeat")


def _different(codes: Codes) -> int:
    """Return the number of distinct texts; the empty cell counts as one."""
    return int(codes.max()) + 1 + bool((codes < 0).any())


def _determines(codes: Codes, others: Iterable[Codes]) -> bool:
    """Return whether rows that are equal in one column are equal in all others."""
    first = np.zeros(codes.max() + 2, dtype=np.int64)
    # Written from the last row to the first, so that the first row of each text stays; -1 is the empty cell.
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return all(np.array_equal(other[first[codes]], other) for other in others)


def further_keys(
    frame: pd.DataFrame, ids: Sequence[str], times: Sequence[str], free: Sequence[str]
) -> list[str]:
    """Return the columns that, beside `ids`, tell apart the rows of one time: each alone, else all together.

    Args:
        frame: rows as text.
        ids: the columns that name the series.
        times: the columns of times.
        free: the columns that may name series as well.
    """
    if not (ids or times) or not frame.duplicated([*ids, *times]).any():
        return []
    alone = [name for name in free if _are_keys(frame, [*ids, name], times)]
    return alone or ([*free] if len(free) > 1 and _are_keys(frame, [*ids, *free], times) else [])


def ask_for_keys(ids: Sequence[str], further: Sequence[str], order: Sequence[str]) -> Question:
    """Return the question for further columns of names; `order` are all columns as the table has them."""
    each = [as_option(sorted([*ids, name], key=order.index)) or "" for name in further]
    now = f"by {listed(ids)} alone" if ids else "as a single series"
    return Question(
        "id_column",
        f"Read {now}, times repeat, and {listed(further)} tells their rows apart. Say by id_column what names"
        f" the series, such as {listed(each)}; or by duplicates what becomes of repeated times.",
        tuple(each),
        "times repeat",
    )


def _are_keys(frame: pd.DataFrame, names: Sequence[str], times: Sequence[str]) -> bool:
    """Return whether each name has one row at a time, and rows at enough of the times to be a name."""
    if frame.duplicated([*names, *times]).any():
        return False
    pairs = len(frame[[*names]].drop_duplicates()) * len(frame[[*times]].drop_duplicates())
    return len(frame) >= LEAST_FILLED * pairs
