"""Find the column with the values, and what the other columns are."""

from collections.abc import Collection, Mapping, Sequence

from app.errors import BadInput, FieldError
from app.intake.columns.choices import Choice, ask
from app.intake.columns.contents import Sample
from app.intake.columns.names import (
    CALENDAR_NAMES,
    CERTAIN_TARGETS,
    COUNTER_NAMES,
    ID_NAMES,
    TARGET_NAMES,
    in_first_tier,
    is_in,
    normal,
)
from app.intake.columns.time_parts import Part
from app.intake.problems import listed

FLAGS = {"0", "1", "0.0", "1.0"}
BESIDE = "stands beside the target"


def without_meaning(sample: Sample, unnamed: Collection[str]) -> dict[str, str]:
    """Return the columns that hold nothing or count the rows, and why they are passed over."""
    found = {}
    for name in sample.names:
        if name in unnamed and sample.contents[name] == "empty":
            found[name] = "has neither a name nor a value"
        elif (name in unnamed or normal(name) in COUNTER_NAMES) and sample.counts_rows(name):
            found[name] = "counts the rows"
    return found


def find_target(
    sample: Sample, free: Sequence[str], parts: Mapping[str, Part], keys: Collection[str], advice: str = ""
) -> Choice:
    """Choose the column with the values: the only one that could hold them, or one named `y` or `value`.

    Args:
        sample: the first rows.
        free: columns without another role.
        parts: those that hold a part of a time.
        keys: those that tell the rows of one time apart.
        advice: what to say further where several could be it.

    Raises BadInput where no column holds numbers.
    """
    aside = {name: _other(sample, name, parts, keys) for name in free}
    numbers = [name for name in free if sample.contents[name] in {"whole", "number"}]
    could = [name for name in numbers if not aside[name] or is_in(name, TARGET_NAMES)]
    certain = in_first_tier((name for name in free if sample.contents[name] != "date"), CERTAIN_TARGETS)
    famous = in_first_tier((name for name in free if sample.contents[name] != "date"), TARGET_NAMES)
    found = certain or could or famous or numbers
    if not found:
        raise BadInput(
            f"No column is left that holds numbers; the table has {listed(sample.names)}.",
            [FieldError("#/target_column", "no column of numbers was found")],
        )
    rest = {name: why or BESIDE for name, why in aside.items() if name != found[0]}
    if len(found) > 1:
        choice = ask("target_column", "values", found, advice=advice)
        return Choice(choice.names, choice.reason, choice.question, rest)
    reason = f"is named {found[0]!r}" if certain else "the only column of numbers that could be the values"
    return Choice((found[0],), reason, None, rest)


def _other(sample: Sample, name: str, parts: Mapping[str, Part], keys: Collection[str]) -> str:
    """Return what a column is if not the values; empty where it could be them."""
    content = sample.contents[name]
    if content in {"date", "text", "empty"}:
        return {"date": "holds dates", "text": "holds text", "empty": "holds nothing"}[content]
    if name in parts or normal(name) in CALENDAR_NAMES:
        return "follows from the calendar"
    if name in keys:
        return "tells the rows of one time apart"
    if content == "whole" and (is_in(name, ID_NAMES) or normal(name).endswith(("_id", "_nr", "_code"))):
        return "is named like a name"
    if sample.distinct[name] <= len(FLAGS) and set(sample.some(name)) <= FLAGS:
        return "holds 0 and 1 alone"
    return ""
