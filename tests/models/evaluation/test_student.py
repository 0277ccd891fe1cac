import pytest

from models.evaluation.student import critical, two_sided


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 12.706), (2, 4.303), (5, 2.571), (10, 2.228), (30, 2.042), (1e6, 1.960)]
)
def test_critical_values_are_those_of_the_tables(freedom: float, value: float) -> None:
    assert critical(0.05, freedom) == pytest.approx(value, abs=1e-3)
    assert two_sided(value, freedom) == pytest.approx(0.05, abs=1e-4)


def test_degrees_of_freedom_need_not_be_whole() -> None:
    assert two_sided(2.0, 5) > two_sided(2.0, 5.5) > two_sided(2.0, 6)


@pytest.mark.parametrize(("t", "chance"), [(0.0, 1.0), (float("inf"), 0.0), (float("nan"), 1.0)])
def test_ends_are_exact(t: float, chance: float) -> None:
    assert two_sided(t, 4) == chance


def test_sides_count_alike() -> None:
    assert two_sided(-1.5, 7) == two_sided(1.5, 7)
