"""Rows to append bring cells of the columns that their dataset has."""

from typing import Any

import pytest

from app.errors import BadInput
from app.intake.additions.addition import Addition
from app.intake.additions.existing import ExistingDataset
from app.intake.covariates import Covariate
from app.intake.reader import ReadOptions, read_csv, read_more_csv, read_more_rows
from app.schemas.datasets import ObservationIn

FILE = b"shop,date,sales,price,promo,region\n" + b"".join(
    b"%s,2024-01-%02d,%d,%d.5,%s,%s\n" % (shop, day, day % 7, day % 4, b"yes" if day % 3 else b"no", region)
    for shop, region in ((b"a", b"coast"), (b"b", b"hills"))
    for day in range(1, 29)
)
COLUMNS = (
    Covariate("price", "future", "number"),
    Covariate("promo", "past", "category"),
    Covariate("region", "static", "category"),
)
SAID = ReadOptions(target_column="sales", future_columns="price")


def existing() -> ExistingDataset:
    intake = read_csv(FILE, SAID)
    assert {each.name: each.role for each in COLUMNS} == {
        each.name: each.role for each in intake.profile.covariates
    }
    return ExistingDataset(
        intake.frame.axis, intake.profile.end, intake.profile.detected, None, covariates=COLUMNS
    )


def more(*lines: str) -> Addition:
    return read_more_csv("\n".join(lines).encode(), ReadOptions(), existing())


def more_rows(*rows: dict[str, Any]) -> Addition:
    return read_more_rows([ObservationIn(**row) for row in rows], existing())


def test_cells_are_sent_row_by_row_and_static_ones_for_each_series() -> None:
    points = more(
        "shop,date,sales,price,promo,region",
        "b,2024-01-30,,3.5,,",
        "a,2024-01-29,5,2.5,yes,coast",
        "b,2024-01-29,4,1.5,no,hills",
    ).points
    assert points.unique_ids == ("a", "b")
    assert points.cells["price"].tolist() == [2.5, 1.5, 3.5]
    assert points.cells["promo"].tolist() == ["yes", "no", None]
    assert points.static["region"].tolist() == ["coast", "hills"]
    assert points.y[2] != points.y[2]


def test_column_that_is_not_sent_is_in_no_mapping() -> None:
    points = more("shop,date,sales,price", "a,2024-01-29,5,2.5").points
    assert (list(points.cells), list(points.static)) == (["price"], [])


def test_table_without_the_target_is_refused_with_how_to_send_columns_alone() -> None:
    with pytest.raises(BadInput, match="no target, which is 'sales'"):
        more("shop,date,price", "a,2024-01-29,2.5")


def test_column_that_the_dataset_does_not_have_is_noted() -> None:
    addition = more("shop,date,sales,price,visitors", "a,2024-01-29,5,2.5,71")
    assert list(addition.points.cells) == ["price"]
    assert "Not used: 'visitors' (is no column of the dataset)." in addition.detected.notes
    addition = more_rows({"unique_id": "a", "ds": "2024-01-29", "y": 5, "visitors": 71})
    assert addition.points.cells == {}
    assert "Not used: 'visitors' (is no column of the dataset)." in addition.detected.notes


def test_rows_of_json_bring_cells_too() -> None:
    points = more_rows(
        {"unique_id": "a", "ds": "2024-01-29", "y": 5, "price": 2, "promo": "yes", "region": "coast"},
        {"unique_id": "a", "ds": "2024-01-30", "y": None, "price": 3},
    ).points
    assert points.cells["price"].tolist() == [2, 3]
    assert points.cells["promo"].tolist() == ["yes", None]
    assert points.static["region"].tolist() == ["coast"]


def test_text_in_a_column_of_numbers_is_refused_with_its_row() -> None:
    with pytest.raises(BadInput, match="Column 'price' holds text") as caught:
        more("shop,date,sales,price", "a,2024-01-29,5,cheap")
    assert [error.pointer for error in caught.value.errors] == ["#row=2"]


def test_several_values_of_a_static_column_are_refused_with_their_row() -> None:
    with pytest.raises(BadInput, match="Column 'region' is static") as caught:
        more("shop,date,sales,region", "a,2024-01-29,5,coast", "a,2024-01-30,5,hills")
    assert [error.pointer for error in caught.value.errors] == ["#row=3"]


def test_what_was_said_of_columns_is_not_said_again_of_rows_that_follow() -> None:
    assert more("shop,date,sales,price", "a,2024-01-29,5,2.5").detected.options == {}


def test_true_and_false_of_json_are_the_words_of_a_column_of_categories() -> None:
    points = more_rows({"unique_id": "a", "ds": "2024-01-29", "y": 5, "promo": True}).points
    assert points.cells["promo"].tolist() == ["true"]
