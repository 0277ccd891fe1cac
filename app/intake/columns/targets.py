"""Find the column with the values."""

import re
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from app.errors import BadInput, FieldError
from app.intake.columns.choices import Choice, ask
from app.intake.columns.contents import Sample
from app.intake.columns.names import (
    CALENDAR_NAMES,
    CERTAIN_TARGETS,
    COUNTER_NAMES,
    TARGET_NAMES,
    in_first_tier,
    is_code_name,
    is_in,
    is_total,
    normal,
)
from app.intake.columns.numbers import which_are_numbers
from app.intake.columns.series_names import are_series
from app.intake.columns.signs import UNIT, without_unit
from app.intake.columns.time_parts import Part
from app.intake.problems import listed
from app.schemas.choices import Layout

SEVERAL = " Several make one series each, and layout=wide takes all."
LEAST_FILLED = 0.1  # of the rows of the target, where other columns could be it
DASHES = re.compile(r"[-=_+:| ]*")
FLAGS = {"0", "1", "0.0", "1.0"}
# How ledgers write in a column beside an amount whether it is added or taken away.
BOOKED = (
    *({"+", "-"}, {"s", "h"}, {"soll", "haben"}, {"d", "c"}, {"dr", "cr"}, {"debit", "credit"}),
    *({"débit", "crédit"}, {"d", "h"}, {"debe", "haber"}, {"dare", "avere"}, {"借", "贷"}, {"借方", "貸方"}),
)
NEGATIVE = r"\s*[-\u2212(].*|.*-\s*"


def without_meaning(sample: Sample, unnamed: Collection[str]) -> dict[str, str]:
    """Return the columns that hold nothing or count the rows, and why they are passed over."""
    found = {}
    for name in sample.names:
        if name in unnamed and all(map(DASHES.fullmatch, sample.some(name))):
            found[name] = "has neither a name nor a value"
        elif (name in unnamed or normal(name) in COUNTER_NAMES) and sample.counts_rows(name):
            found[name] = "counts the rows"
    return found


def find_target(
    sample: Sample,
    free: Sequence[str],
    parts: Mapping[str, Part],
    keys: Collection[str],
    layout: Layout | None,
) -> Choice:
    """Choose the column with the values: the only one that could hold them, or one named `y` or `value`.

    With layout `wide`, and where names and numbers are plainly of series, all are chosen.

    Args:
        sample: the first rows.
        free: columns without another role.
        parts: those that hold a part of a time.
        keys: those that tell the rows of one time apart.
        layout: whether each column is a series, as it is said.

    Raises BadInput where no column holds numbers.
    """
    numbers = [name for name in free if sample.contents[name] in {"whole", "number"}]
    could = [
        name for name in numbers if is_in(name, TARGET_NAMES) or not _is_other(sample, name, parts, keys)
    ]
    certain = in_first_tier((name for name in free if sample.contents[name] != "date"), CERTAIN_TARGETS)
    famous = in_first_tier((name for name in free if sample.contents[name] != "date"), TARGET_NAMES)
    varied = [name for name in could if sample.distinct[name] > 1]
    found = certain or varied or could or famous or numbers or _with_units(sample, free, parts)
    if not found:
        raise BadInput(
            f"No column is left that holds numbers{_likeliest(sample, free)}; the table has"
            f" {listed(sample.names)}.",
            [FieldError("#/target_column", "no column of numbers was found")],
        )
    each = [name for name in found if not is_total(name)]
    if len(each) > 1 and layout == "wide":
        return Choice(tuple(each), "layout=wide makes each a series")
    if len(each) > 1 and layout is None and found == numbers and are_series(sample, each):
        note = (
            f"Each of {listed(each)} is a series of its own. If one is the value and the others stand beside"
            " it, say by target_column which."
        )
        return Choice(tuple(each), "a series of its own", notes=(note,))
    if len(found) > 1:
        return ask("target_column", "values", found, advice=SEVERAL)
    reason = f"is named {found[0]!r}" if certain else "the only column of numbers that could be the values"
    return Choice((found[0],), reason)


def _with_units(sample: Sample, free: Sequence[str], parts: Mapping[str, Part]) -> list[str]:
    """Return the columns of numbers that all have one unit behind them, such as 950 W."""
    found = []
    for name in free:
        some = sample.some(name)
        if not (len(some) and re.match(UNIT, str(some[0]))):  # a table may have a thousand columns of texts
            continue
        texts, unit = without_unit(pd.Series(some, dtype="object"))
        if unit and name not in parts and any(mask.all() for mask in which_are_numbers(texts).values()):
            found.append(name)
    return found


def _likeliest(sample: Sample, free: Sequence[str]) -> str:
    """Return the column without a role where most texts have digits, with one of them; empty for none."""
    digits = {
        name: [text for text in sample.some(name) if any(map(str.isdigit, text))]
        for name in free
        if sample.contents[name] != "date"
    }
    name = max(digits, key=lambda name: len(digits[name]) / max(len(sample.some(name)), 1), default="")
    if not digits.get(name):
        return ""
    return f" ({listed([name])} comes closest, with cells such as {listed(digits[name][:1])})"


def _is_other(sample: Sample, name: str, parts: Mapping[str, Part], keys: Collection[str]) -> bool:
    """Return whether a column is plainly something else than the values."""
    content = sample.contents[name]
    is_code = content == "whole" and is_code_name(name)
    are_flags = sample.distinct[name] <= len(FLAGS) and set(sample.some(name)) <= FLAGS
    is_calendar = name in parts or normal(name) in CALENDAR_NAMES
    is_other = is_calendar or name in keys or is_code or are_flags
    return content in {"date", "text", "empty"} or is_other or sample.filled(name) < LEAST_FILLED


def sign_notes(sample: Sample, targets: Sequence[str]) -> tuple[str, ...]:
    """Return a note on a column that may hold the signs of values which have none, as debit and credit."""
    beside = [name for name in sample.names if sample.distinct[name] == 2]  # noqa: PLR2004 - two signs
    found = [name for name in beside if {text.lower() for text in sample.some(name)} in BOOKED]
    if not found or any(sample.column(name).str.fullmatch(NEGATIVE).any() for name in targets):
        return ()
    signs = listed(sorted(sample.some(found[0])))
    note = (
        f"{listed(found[:1])} holds {signs}, as debit and credit are written, and {listed(targets)} has no"
        " negative value: no sign is taken from it. If it tells the sign, write a minus before what is taken"
        " away."
    )
    return (note,)
