"""Which cron expressions are read, and what they mean."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.errors import BadInput
from app.services.training.cron import next_after, normal

FRIDAY = datetime(2026, 1, 30, 9, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("* * * * *", datetime(2026, 1, 30, 9, 8, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 1, 30, 9, 15, tzinfo=UTC)),
        ("0 6 * * *", datetime(2026, 1, 31, 6, 0, tzinfo=UTC)),
        ("0 6 * * 1", datetime(2026, 2, 2, 6, 0, tzinfo=UTC)),
        ("0 6 * * mon-thu", datetime(2026, 2, 2, 6, 0, tzinfo=UTC)),
        ("30 22 1,15 * *", datetime(2026, 2, 1, 22, 30, tzinfo=UTC)),
        ("0 6 1 * 7", datetime(2026, 2, 1, 6, 0, tzinfo=UTC)),
        ("*/60 */24 * */12 *", datetime(2026, 1, 31, 0, 0, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2028, 2, 29, 0, 0, tzinfo=UTC)),
    ],
)
def test_expression_names_the_first_time_after_a_moment(cron: str, expected: datetime) -> None:
    assert next_after(cron, FRIDAY) == expected


def test_time_named_is_not_after_itself() -> None:
    six = datetime(2026, 1, 30, 6, 0, tzinfo=UTC)
    assert next_after("0 6 * * *", six) == six + timedelta(days=1)


def test_hours_are_those_of_utc_whatever_the_time_zone_of_the_moment() -> None:
    in_berlin = FRIDAY.astimezone(timezone(timedelta(hours=1)))
    found = next_after("0 10 * * *", in_berlin)
    assert (found, found.utcoffset()) == (datetime(2026, 1, 30, 10, 0, tzinfo=UTC), timedelta(0))


@pytest.mark.parametrize(
    "cron",
    [
        *("", "0 6 * *", "0 0 6 * * *", "0 0 6 * * * 2030", "@daily", "60 * * * *", "0 6 * * 8", "soon " * 5),
        *("0 6 31 2 *", "H 6 * * *", "R 6 * * *", "r(1-5) 6 * * *", "*/0 * * * *", "\0 6 * * *"),
        *("\uff19 6 * * *", f"*/{'9' * 22} * * * *", "*/61 * * * *", "0 0-12/25 * * *", "0 0 */32 * *"),
        *("0 0 1 */13 *", "0 0 * * */8", "0,*/61 * * * *"),
    ],
)
def test_other_expression_is_refused_with_how_to_mend_it(cron: str) -> None:
    with pytest.raises(BadInput, match="five fields, in UTC: minute, hour") as refusal:
        normal(cron)
    assert [part.pointer for part in refusal.value.errors] == ["#/cron"]


def test_white_space_is_made_normal() -> None:
    assert normal("  0\t6 * *   mon\n") == "0 6 * * mon"
