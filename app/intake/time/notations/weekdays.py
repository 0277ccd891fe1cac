"""The names of the days of the week in the languages of CLDR, by Babel."""

import contextlib
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

from babel import Locale

from app.intake.time.notations.languages import LATIN, OTHER_SCRIPTS

DAYS = 7
LEAST = 5  # from Monday to Friday


def weekday_numbers(names: Sequence[str]) -> dict[str, int]:
    """Return the days, 0 for Monday, that five or more names are in one language; none for others."""
    short = {name: name.strip().rstrip(".").lower() for name in names}
    if len(short) < LEAST:
        return {}
    for language in (*LATIN, *OTHER_SCRIPTS, "ja", "ko"):
        days = _days_in(language)
        found = {name: days[each] for name, each in short.items() if each in days}
        if len(found) == len(set(found.values())) >= LEAST:
            return found
    return {}


def day_of_week(day: str, weekday: int, *, before: bool) -> str | None:
    """Return the day, 0 for Monday, among the seven that begin or end with another; both ISO 8601."""
    with contextlib.suppress(ValueError):
        first = date.fromisoformat(day) - timedelta(days=(DAYS - 1) * before)
        return (first + timedelta(days=(weekday - first.weekday()) % DAYS)).isoformat()
    return None


@cache
def _days_in(language: str) -> dict[str, int]:
    kinds = [names for forms in Locale.parse(language).days.values() for names in forms.values()]
    whole = [names for names in kinds if len(set(names.values())) == DAYS]
    return {name.rstrip(".").lower(): number for names in whole for number, name in names.items()}
