"""Pivot tables: names of groups stand in the first of their rows alone."""

import io

import pytest

from app.intake.tables.delimited import open_delimited
from app.intake.tables.groups import filled_down
from tests.app.intake.uploads import upload

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PIVOTED = {
    "names": [
        "Region,Month,Sales",
        *(f"{'North' * (m == 1)},2020-{m:02},{m}" for m in range(1, 13)),
        "North Total,,78",
        *(f"{'South' * (m == 1)},2020-{m:02},{m + 12}" for m in range(1, 13)),
        "Grand Total,,300",
    ],
    "dates": [
        "Month,Region,Sales",
        *(f"2020-{m:02},North,{m}\n,South,{m + 12}" for m in range(1, 13)),
    ],
    "years": [
        "Year,Month,Sales",
        *(f"{2020 + y if m == 'Jan' else ''},{m},{y}" for y in (0, 1) for m in MONTHS),
    ],
}


@pytest.mark.parametrize(("table", "series", "steps"), [("names", 2, 12), ("dates", 2, 12), ("years", 1, 24)])
def test_cells_in_the_first_row_of_a_group_alone_count_for_all_of_its_rows(
    table: str, series: int, steps: int
) -> None:
    found = upload(*PIVOTED[table])
    assert (found.profile.series, found.profile.longest, found.profile.gaps) == (series, steps, 0)
    assert "stand in the first row of each group" in found.profile.detected.notes[0]


@pytest.mark.parametrize(
    "names",
    [["North", "", "", "North", "", ""], ["", "North", "", "", "South", ""], ["a", "b", "", "c", "d", "e"]],
    ids=["repeated", "below", "few"],
)
def test_blank_names_that_are_no_groups_stay_blank(names: list[str]) -> None:
    rows = (f"{name},{2020 + i % 3},{i}" for i, name in enumerate(names))
    table = open_delimited(io.BytesIO("\n".join(["name,year,y", *rows]).encode()))
    assert filled_down(table, table.sample(table.names)) is table
