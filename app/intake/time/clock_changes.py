"""Local times that stand twice since clocks were put back: the zones of the world know them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from app.intake.arrays import Ints

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local times have no zone
MOST = 400  # repeated times: a century of quarters of an hour
# One zone for each way in which clocks are put back.
ZONES = (
    *("Europe/Berlin", "America/New_York", "Europe/London", "Europe/Athens", "Australia/Sydney"),
    *("Pacific/Auckland", "America/Santiago", "America/Sao_Paulo", "Asia/Jerusalem", "Africa/Cairo"),
    *("Asia/Tehran", "Europe/Moscow", "America/Mexico_City", "America/Havana", "Australia/Lord_Howe"),
)


def zone_of_repeated(ordinals: Ints) -> str | None:
    """Return a zone in which clocks were put back over all of these local times, or None."""
    repeated = np.unique(ordinals).tolist()
    if not 0 < len(repeated) <= MOST:
        return None
    return next((name for name in ZONES if all(_is_twice(time, ZoneInfo(name)) for time in repeated)), None)


def _is_twice(ordinal: int, zone: ZoneInfo) -> bool:
    try:
        time = (EPOCH + timedelta(microseconds=ordinal)).replace(tzinfo=zone)
    except OverflowError:  # 24:00 on the last day there is
        return False
    first, second = time.utcoffset(), time.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second
