"""Years of other calendars: Buddhist ones as those that all share; Persian and Islamic ones are refused."""

import re

from app.errors import BadInput, FieldError
from app.intake.arrays import Texts

BUDDHIST = 543  # years that Thai calendars count more; days and months are the same
# One year of four digits at either end of a date; digits alone are years, or year, month and day.
OF_BUDDHISTS = re.compile(
    r"(?<!\d)2(?:4[4-9]|5\d)\d(?=[-/. ]\d|$|[ T]\d+:)"
    r"|^2(?:4[4-9]|5\d)\d(?=(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$)"
)
OF_PERSIANS_OR_MUSLIMS = re.compile(
    r"^1[34]\d{2}[-/.]\d{1,2}(?!\d)|^\d{1,2}[-/.](?:\d{1,2}[-/.])?1[34]\d{2}(?!\d)"
)
LATEST = 1460  # year of the Islamic calendar that may be meant, of the future even


def in_common_years(texts: Texts, date_format: str | None) -> tuple[Texts, tuple[str, ...]]:
    """Return times with years that all share in place of Buddhist ones, if all are, and a note on these.

    Numbers that `date_format` says to be integers stay as they are.
    """
    if date_format == "integer" or texts.empty or not all(map(OF_BUDDHISTS.search, texts)):
        return texts, ()
    common = texts.map(common_year)
    note = f"Years are those of the Buddhist calendar: {texts.iloc[0]!r} is read as {common.iloc[0]!r}."
    return common, (note,)


def common_year(text: str) -> str:
    """Return a time with the year that all share in place of a Buddhist one."""
    return OF_BUDDHISTS.sub(lambda found: str(int(found[0]) - BUDDHIST), text, count=1)


def refuse_other_calendars(texts: Texts) -> None:
    """Raise BadInput for dates whose years are of this century in the Persian or the Islamic calendar."""
    if texts.empty or not all(map(OF_PERSIANS_OR_MUSLIMS.search, texts)):
        return
    if max(int(year) for text in texts for year in re.findall(r"1[34]\d{2}", text)) > LATEST:
        return
    raise BadInput(
        f"Times such as {texts.iloc[0][:40]!r} may be of the Persian (Jalali) or Islamic (Hijri)"
        " calendar, which are not read. Convert them to Gregorian dates such as 2024-01-31; or, if they are"
        " from the Middle Ages, say date_format.",
        [FieldError("#/date_format", "needed, because the years may be of another calendar")],
    )
