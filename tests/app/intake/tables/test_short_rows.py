"""Rows with fewer cells than the header: refused where a cell may have been lost, else noted."""

import pytest

from app.errors import BadInput
from tests.app.intake.uploads import made, upload

DAYS = made("2024-01-01", 8, "D")


def lines(**other: str) -> list[str]:
    """Rows of a day, a price and a value, but for those that are given by the number of their day."""
    return [other.get(f"d{i}", f"{day},{i}.5,{i * 10}") for i, day in enumerate(DAYS)]


@pytest.mark.parametrize("row", ["2024-01-04,335", "2024-01-04,30", "2024-01-04,3.5"])
def test_a_row_that_lost_a_cell_is_refused_by_its_number(row: str) -> None:
    with pytest.raises(BadInput, match=r"Row 5 has fewer cells than the header \(3\)") as caught:
        upload("ds,price,y", *lines(d3=row))
    assert [error.pointer for error in caught.value.errors] == ["#row=5"]


def test_the_last_row_of_a_file_that_was_cut_is_refused() -> None:
    with pytest.raises(BadInput, match="Row 9 has fewer cells"):
        upload("ds,price,y", *lines(d7="2024-01-08,7"))


def test_short_rows_beside_empty_last_cells_are_refused_however_many() -> None:
    others = {f"d{i}": f"{DAYS[i]},{i}" for i in range(5)}
    with pytest.raises(BadInput, match="5 rows, the first is 2, have fewer cells"):
        upload("ds,y,price", *lines(**others, d6=f"{DAYS[6]},60,"))


def test_values_that_are_left_out_at_the_end_of_a_file_are_noted() -> None:
    found = upload("ds,price,y", *lines(d6=f"{DAYS[6]},6.5", d7=f"{DAYS[7]},7.5"))
    assert found.frame.y.tolist() == [0, 10, 20, 30, 40, 50]
    assert found.profile.covariates[0].ahead == 2
    notes = "2 rows, the first is 8, have fewer cells than the header (3): the last ones count as empty."
    assert notes in found.profile.detected.notes


def test_a_last_column_that_most_rows_leave_out_is_noted() -> None:
    others = {f"d{i}": f"{DAYS[i]},{i}" for i in range(6)}
    found = upload("ds,y,remark", *lines(**others))
    assert found.frame.y[:6].tolist() == [0, 1, 2, 3, 4, 5]
    assert any(
        note.startswith("6 rows, the first is 2, have fewer cells") for note in found.profile.detected.notes
    )


@pytest.mark.parametrize("row", ["Total,280", "Source: the office, 2024"])
def test_a_total_or_a_remark_below_the_table_is_no_short_row(row: str) -> None:
    assert upload("ds,price,y", *lines(), row).frame.y.tolist() == [i * 10 for i in range(8)]
