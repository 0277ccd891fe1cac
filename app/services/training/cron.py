"""Read cron expressions; the one module that knows croniter.

An expression has the five fields of crontab, so that it means the same to every reader. Croniter also reads
fields for seconds and years, `@daily` and the like, and `R` for a random time; they are refused.
"""

import re
from datetime import UTC, datetime

from croniter import croniter

from app.errors import BadInput, FieldError

FIELDS = 5
MAX_STEPS = (60, 24, 31, 12, 7)  # of each field; croniter takes longer steps, which never matter
REMEDY = (
    "Give five fields, in UTC: minute, hour, day of the month, month, day of the week. "
    "`0 6 * * 1` is every Monday at 06:00."
)


def normal(cron: str) -> str:
    """Return an expression with one space between its fields.

    Raises BadInput if it cannot be read, or names no time that ever comes.
    """
    next_after(cron, datetime.now(UTC))
    return " ".join(cron.split())


def next_after(cron: str, moment: datetime) -> datetime:
    """Return the first time of an expression after a moment, in UTC.

    Raises BadInput as `normal` does.
    """
    fields = cron.split()
    if len(fields) != FIELDS:
        raise _refusal(f"The cron expression {cron!r} has {len(fields)} fields.")
    if any(field[0] in "rR" for field in fields):
        raise _refusal(f"The cron expression {cron!r} leaves times to chance.")
    if any(map(_steps_too_far, fields, MAX_STEPS)):
        raise _refusal(f"The cron expression {cron!r} has a step that is longer than its field.")
    try:
        found: datetime = croniter(cron, moment.astimezone(UTC)).get_next(datetime)
    except ValueError as error:
        raise _refusal(f"The cron expression {cron!r} names no time that ever comes.") from error
    return found


def _steps_too_far(field: str, longest: int) -> bool:
    return any(int(step) > longest for step in re.findall(r"/(\d+)", field))


def _refusal(detail: str) -> BadInput:
    return BadInput(f"{detail} {REMEDY}", [FieldError("#/cron", REMEDY)])
