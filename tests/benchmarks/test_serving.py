"""Figures of several rounds: each a median, a ratio that of the rounds' own."""

import pytest

from benchmarks.serving import COMPARED, Figures, Round, summary
from benchmarks.wrk import Load


def one_round(
    rps: dict[str, float], p50_ms: dict[str, float], errors: int = 0, memory_mb: float = 400
) -> Round:
    loads = {
        name: Load(
            requests=1,
            rps=rps.get(name, 1.0),
            p50_ms=p50_ms.get(name, 1.0),
            p99_ms=1.0,
            errors=errors,
            taken=0,
        )
        for name in (*COMPARED, "not_modified")
    }
    return Round(loads, memory_mb)


@pytest.fixture
def figures() -> Figures:
    """Of three rounds, the machine once at half its speed."""
    return summary(
        [
            one_round({"empty": 1000.0, "cached": 800.0}, {"first_1": 3.5}),
            one_round({"empty": 500.0, "cached": 350.0}, {"first_1": 7.5}, errors=2, memory_mb=612.34),
            one_round({"empty": 1000.0, "cached": 900.0}, {"first_1": 3.5}),
        ]
    )


def test_ratio_is_the_median_of_the_rounds_own(figures: Figures) -> None:
    assert (figures["cached_rps"], figures["cached_over_empty"]) == (800.0, 0.8)


def test_memory_is_the_most_of_all_rounds(figures: Figures) -> None:
    assert figures["api_rss_mb"] == 612.3


def test_errors_of_all_rounds_are_counted(figures: Figures) -> None:
    assert figures["errors"] == 6 * 2


def test_first_request_of_a_series_has_figures_of_its_own(figures: Figures) -> None:
    assert (figures["first_rps_16"], figures["first_16_over_empty"]) == (1.0, 0.001)
    assert figures["first_p50_ms"] == 3.5


def test_scenarios_beside_the_compared_ones_are_printed_by_name(figures: Figures) -> None:
    assert figures["not_modified_rps"] == 1.0
