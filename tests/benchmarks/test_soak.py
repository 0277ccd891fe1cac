import asyncio
from typing import Any

import pytest

from benchmarks.soak import LATE_S, Schedule, Soak, growth
from benchmarks.staleness import Changes


class Slow:
    """A connection whose answers take so long by a clock of its own, and no time at all."""

    def __init__(self, seconds: float) -> None:
        self.now, self._seconds = 0.0, seconds

    async def ask(self, _method: str, _path: str) -> tuple[int, bytes]:
        self.now += self._seconds
        return 404, b""


def soaked(connection: Any, schedule: Schedule) -> Soak:
    nothing: Any = None
    run = Soak(nothing, [], ["/"], Changes(1, 0.0), Changes("", 0.0), {}, clock=lambda: connection.now)
    asyncio.run(run.read(connection, schedule))
    return run


def test_time_of_a_call_is_the_service_s_however_far_the_generator_falls_behind() -> None:
    run = soaked(Slow(0.5), schedule := Schedule(began=0.0, rate=100, seconds=10))
    assert run.taken_ms == pytest.approx([500.0] * 21)
    assert schedule.skipped == 1000 - 21


def test_generator_that_keeps_up_leaves_nothing_out() -> None:
    schedule = Schedule(began=3.0, rate=10, seconds=1)
    taken = [schedule.take(3.0 + number / 10 + LATE_S / 2) for number in range(11)]
    assert taken == pytest.approx([3.0 + number / 10 for number in range(10)] + [None])
    assert schedule.skipped == 0


def test_calls_that_are_late_are_left_out_and_counted() -> None:
    schedule = Schedule(began=0.0, rate=10, seconds=1)
    assert [schedule.take(moment) for moment in (0.0, 0.5)] == pytest.approx([0.0, 0.5])
    assert schedule.skipped == 4
    assert (schedule.take(5.0), schedule.skipped) == (None, 8)


def test_growth_compares_the_last_quarter_with_the_second() -> None:
    assert growth([1.0, 1.0, 100.0, 100.0, 110.0, 90.0, 105.0, 105.0]) == pytest.approx(0.05)


def test_too_few_samples_tell_of_no_growth() -> None:
    assert growth([1.0, 2.0]) == 0.0
