import pytest

from benchmarks.soak import growth


def test_growth_compares_the_last_quarter_with_the_second() -> None:
    assert growth([1.0, 1.0, 100.0, 100.0, 110.0, 90.0, 105.0, 105.0]) == pytest.approx(0.05)


def test_too_few_samples_tell_of_no_growth() -> None:
    assert growth([1.0, 2.0]) == 0.0
