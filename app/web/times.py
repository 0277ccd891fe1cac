"""Times as a reader wants them: in the step of the data, in the words of the language."""

import re
from datetime import UTC, datetime

from babel.dates import format_date, format_datetime, format_skeleton, format_timedelta

from app.schemas.datasets import Time

UNITS = {"Y": "year", "Q": "quarter", "M": "month", "W": "week", "D": "day", "B": "day", "C": "day"}
SKELETONS = {"year": "y", "quarter": "yQQQ", "month": "yMMM"}
NONE = "–"  # noqa: RUF001  # a dash
WEEK_DAYS = 7
LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+?)?(?=Z|[+-][0-9]{2}:|$)")


def unit_of(frequency: str | int) -> str:
    """Return what a step is: a year, quarter, month, week, day, time of day or number."""
    if isinstance(frequency, int):
        return "number"
    alias = re.sub("^[0-9]*B?(?=[YQM])", "", frequency)
    if re.match("[0-9]", alias) or re.match("(h|min|s|ms)", alias):
        return "day" if re.match(r"[0-9]+D", alias) else "time"
    return UNITS.get(alias[:1], "time")


def position(time: Time) -> float:
    """Return where a time lies on a chart's axis: seconds on the clock of the data, or the number itself."""
    return time if isinstance(time, int) else _parsed(time).timestamp()


def shown(time: Time | None, unit: str, language: str) -> str:
    """Return a time in words of its own step."""
    if isinstance(time, int) or time is None or not LOCAL.match(time):
        return NONE if time is None else str(time)
    moment = _parsed(time)
    if unit in SKELETONS:
        return str(format_skeleton(SKELETONS[unit], moment, locale=language))
    if "T" not in time:
        return str(format_date(moment, "medium", language))
    return str(format_datetime(moment, "short", locale=language))


def since(moment: datetime, now: datetime, language: str) -> str:
    """Return how long ago a moment is, or its date when that is a week or more."""
    ago = now - moment
    if ago.days >= WEEK_DAYS:
        return str(format_date(moment, "medium", language))
    return str(format_timedelta(-ago, add_direction=True, locale=language))


def _parsed(time: str) -> datetime:
    found = LOCAL.match(time)
    return datetime.fromisoformat(found[0] if found else time).replace(tzinfo=UTC)
