"""Tables to append bring the target of their dataset under its name, and are refused without it."""

import pytest

from app.errors import BadInput
from app.intake.additions.addition import Addition
from app.intake.additions.existing import ExistingDataset
from app.intake.frame import Intake
from app.intake.reader import ReadOptions, read_csv, read_more_csv, read_rows
from app.schemas.datasets import ObservationIn

DAYS = range(1, 29)


def table(header: str, cells: str, shops: str = "AB") -> bytes:
    lines = [
        cells.format(shop=shop, day=f"2024-01-{day:02}", n=day % 7, m=day % 5, price=day % 4 + 0.5)
        for shop in shops
        for day in DAYS
    ]
    return "\n".join([header, *lines]).encode()


def existing(intake: Intake) -> ExistingDataset:
    profile, frame = intake.profile, intake.frame
    only = frame.unique_ids[0] if profile.series == 1 else None
    return ExistingDataset(frame.axis, profile.end, profile.detected, only, covariates=frame.columns)


def more(intake: Intake, *lines: str, **said: str) -> Addition:
    return read_more_csv("\n".join(lines).encode(), ReadOptions(**said), existing(intake))  # type: ignore[arg-type]


def shops() -> Intake:
    data = table("date,shop,sales,price,promo", "{day},{shop},{n},{price},no")
    return read_csv(data, ReadOptions(target_column="sales", future_columns="price"))


def one_series() -> Intake:
    return read_csv(table("date,sales", "{day},{n}", "A"), ReadOptions())


def from_json() -> Intake:
    rows = [ObservationIn(ds=f"2024-01-{day:02}", y=day % 7) for day in DAYS]
    return read_rows(rows, ReadOptions())


def two_targets(header: str, cells: str, **said: str) -> Intake:
    options = ReadOptions(target_column="sales,returns", **said)  # type: ignore[arg-type]
    return read_csv(table(header, cells), options)


@pytest.mark.parametrize(
    "lines",
    [
        ("date,shop,price,promo,temp", "2024-02-05,A,3.5,no,31"),
        ("date,shop,price,promo,returns", "2024-02-05,A,3.5,no,31"),
        ("date,shop,stock", "2024-02-05,A,31"),
        ("date,shop,y", "2024-02-05,A,31"),
    ],
)
def test_no_other_column_becomes_the_target_where_the_dataset_has_columns(lines: tuple[str, str]) -> None:
    with pytest.raises(BadInput, match=r"no target, which is 'sales'. Name .* by target_column") as caught:
        more(shops(), *lines)
    assert [error.pointer for error in caught.value.errors] == ["#/target_column"]


def test_two_columns_left_are_refused_where_the_dataset_has_none_beside_the_target() -> None:
    with pytest.raises(BadInput, match="no target, which is 'sales'"):
        more(one_series(), "date,visitors,temp", "2024-02-05,7,31")
    with pytest.raises(BadInput, match="no target, which is 'y'"):
        more(from_json(), "ds,price,temp", "2024-02-05,7,31")


def test_column_that_the_upload_had_beside_its_target_does_not_become_the_target() -> None:
    intake = read_csv(table("date,sales,dow", "{day},{n},{m}", "A"), ReadOptions(target_column="sales"))
    assert intake.frame.columns == ()
    with pytest.raises(BadInput, match="no target, which is 'sales'"):
        more(intake, "date,dow", "2024-02-05,31")


def test_only_column_left_stands_in_for_the_target_and_is_noted() -> None:
    addition = more(one_series(), "date,value", "2024-01-29,31")
    assert addition.points.y.tolist() == [31]
    assert "'value' is taken as the target, which is 'sales' in the dataset." in addition.detected.notes
    assert more(from_json(), "ds,amount", "2024-01-29,31").points.y.tolist() == [31]


def test_target_column_names_another_column() -> None:
    addition = more(shops(), "date,shop,price,turnover", "2024-01-29,A,3.5,31", target_column="turnover")
    assert (addition.points.y.tolist(), addition.points.cells["price"].tolist()) == ([31], [3.5])


def test_targets_without_names_append_to_the_series_named_by_them() -> None:
    intake = two_targets("date,sales,returns,price", "{day},{n},{m},{price}", duplicates="last")
    assert intake.frame.unique_ids == ("returns", "sales")
    addition = more(intake, "date,sales,returns,price", "2024-01-29,5,1,3.5")
    assert addition.points.unique_ids == ("returns", "sales")
    assert addition.points.y.tolist() == [1, 5]
    assert more(intake, "date,sales", "2024-01-29,5").points.unique_ids == ("sales",)


def test_one_of_several_targets_is_joined_to_the_names_as_in_the_upload() -> None:
    intake = two_targets("date,shop,sales,returns", "{day},{shop},{n},{m}", id_column="shop")
    assert intake.frame.unique_ids == ("A / returns", "A / sales", "B / returns", "B / sales")
    assert more(intake, "date,shop,sales", "2024-01-29,A,5").points.unique_ids == ("A / sales",)
    addition = more(intake, "date,shop,returns", "2024-01-29,B,5", target_column="returns")
    assert addition.points.unique_ids == ("B / returns",)


def test_table_with_none_of_several_targets_is_refused() -> None:
    intake = two_targets("date,shop,sales,returns", "{day},{shop},{n},{m}", id_column="shop")
    with pytest.raises(BadInput, match="none of the targets, which are 'sales', 'returns'"):
        more(intake, "date,shop,stock", "2024-01-29,A,5")


def test_table_with_a_part_of_the_names_is_refused() -> None:
    data = table("date,shop,family,sales", "{day},{shop},bread,{n}")
    intake = read_csv(data, ReadOptions(id_column="shop,family"))
    with pytest.raises(BadInput, match="named by 'shop', 'family' together, and the table lacks 'family'"):
        more(intake, "date,shop,sales", "2024-01-29,A,5")


def test_table_with_a_part_of_the_times_is_refused() -> None:
    lines = [f"2024-01-{day:02},{hour},{hour}" for day in range(1, 9) for hour in range(24)]
    intake = read_csv("\n".join(["date,hour,load", *lines]).encode(), ReadOptions())
    with pytest.raises(BadInput, match="told by 'date', 'hour' together, and the table lacks 'hour'"):
        more(intake, "date,load", "2024-01-09,5")
