"""Zones: local times and instants, with the standard library's as the reference."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.errors import BadInput
from app.intake.arrays import Ints
from app.intake.time.steps import HOUR
from app.intake.time.zones import parse_zone, repeated, skipped, zone_of

NAMES = (
    *("Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata"),
    *("America/Sao_Paulo", "Pacific/Apia"),
)


def micros(*texts: str) -> Ints:
    return np.array(texts, dtype="M8[us]").astype(np.int64)


@pytest.mark.parametrize("name", NAMES)
def test_local_times_are_those_of_the_standard_library_and_lead_back(name: str) -> None:
    moments = [datetime(1975, 1, 1, tzinfo=UTC) + timedelta(hours=31 * i) for i in range(15_000)]
    instants = np.array([int(moment.timestamp()) * 10**6 for moment in moments])
    ahead = [moment.astimezone(ZoneInfo(name)).utcoffset() or timedelta() for moment in moments]
    zone = zone_of(name)
    local = zone.local(instants)
    assert (local - instants).tolist() == [round(each / timedelta(microseconds=1)) for each in ahead]
    assert np.all((zone.instants(local) == instants) | (zone.second(local) == instants))


def test_times_that_come_twice_and_never_are_known() -> None:
    zone = zone_of("Europe/Berlin")
    autumn = micros("2022-10-30T01:59", "2022-10-30T02:00", "2022-10-30T02:59", "2022-10-30T03:00")
    spring = micros("2022-03-27T01:59", "2022-03-27T02:00", "2022-03-27T02:59", "2022-03-27T03:00")
    assert repeated(zone, autumn).tolist() == skipped(zone, spring).tolist() == [False, True, True, False]
    assert not skipped(zone, autumn).any()
    assert not repeated(zone, spring).any()


@pytest.mark.parametrize(
    ("name", "hours"), [("Europe/Berlin", 1), ("Europe/Dublin", 0), ("Australia/Sydney", 10), ("+05:30", 5.5)]
)
def test_standard_time_is_that_of_winter(name: str, hours: float) -> None:
    assert zone_of(name).standard == hours * HOUR


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *[("Europe/Berlin", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("utc", "UTC")],
        ("America/New York", "America/New_York"),
    ],
)
def test_zone_is_known_by_its_name_in_any_case(name: str, found: str) -> None:
    zone = parse_zone(name)
    assert zone is not None
    assert zone.name == found


@pytest.mark.parametrize(
    ("name", "close"),
    [("Berlin", "Did you mean Europe/Berlin?"), ("Europe/Berln", "Europe/Berlin"), ("+01:00", "tz database")],
)
def test_unknown_zone_is_refused_with_close_names(name: str, close: str) -> None:
    with pytest.raises(BadInput, match="time_zone") as caught:
        parse_zone(name)
    assert close in str(caught.value)
    assert caught.value.errors[0].pointer == "#/time_zone"
