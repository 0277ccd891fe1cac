"""What an upload notes about limits: values that are not inside, and values that look like shares."""

import pytest

from app.schemas.choices import Limits
from tests.app.intake.uploads import upload


def notes(values: list[str], limits: Limits) -> list[str]:
    rows = [f"2024-01-{day:02},{value}" for day, value in enumerate(values, 1)]
    return upload("ds,y", *rows, limits=limits).profile.detected.notes


@pytest.mark.parametrize(
    ("limits", "note"),
    [
        (Limits(lower=1.0), "1 value is outside the limits, lower 1."),
        (Limits(0.0, 2.5), "2 values are outside the limits, lower 0 and upper 2.5."),
        (Limits(integer=True), "1 value is not whole."),
    ],
)
def test_values_outside_are_counted_and_kept(limits: Limits, note: str) -> None:
    (found,) = notes(["0.5", "3", "", "4", "2"], limits)
    assert found == f"{note} Values are kept as they are: limits and integer shape forecasts alone."


def test_values_inside_are_not_mentioned() -> None:
    assert notes(["1", "2", "", "3"], Limits(0.0, 3.0, integer=True)) == []


@pytest.mark.parametrize(
    ("values", "limits", "said"),
    [
        (["0.1", "0", "1"], Limits(), True),
        (["0.1", "0", "1.1"], Limits(), False),
        (["0.1", "-0.1", "1"], Limits(), False),
        (["0", "1", "1"], Limits(), False),
        (["0.1", "0", "1"], Limits(0.0, 1.0), False),
    ],
)
def test_shares_are_noted_and_not_assumed(values: list[str], limits: Limits, *, said: bool) -> None:
    assert any("as shares do" in note for note in notes(values, limits)) == said
