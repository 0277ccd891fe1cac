"""Parquet and Arrow: columns that know their types enter as they are."""

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.errors import BadInput
from app.intake.files.conversion import FileLimits
from app.intake.frame import Intake
from app.intake.reader import ReadOptions, read_csv
from tests.app.intake.uploads import times

COUNT = 6


def parquet(table: pa.Table, **said: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **said)
    return file.getvalue()


def read(columns: dict[str, Any], **said: Any) -> Intake:
    """Read columns from Parquet; whole years are their times unless they have others."""
    return read_csv(
        parquet(pa.table({"ds": pa.array(range(2000, 2000 + COUNT)), **columns})), ReadOptions(**said)
    )


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_every_unit_are_times(unit: str) -> None:
    hours = pa.array([dt.datetime(2024, 1, 1, hour) for hour in range(COUNT)], pa.timestamp(unit))  # noqa: DTZ001
    assert times(read({"ds": hours, "y": pa.array(np.arange(6.0))}))[-1] == "2024-01-01T05:00:00"


def test_times_that_know_their_zone_are_counted_in_it() -> None:
    hours = pd.date_range("2026-10-24T23:00", periods=6, freq="h", tz="Europe/Berlin")
    intake = read({"ds": pa.array(hours), "y": pa.array(np.arange(6.0))})
    assert times(intake)[3:5] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
    assert intake.profile.detected.options == {"time_zone": "Europe/Berlin"}


def test_times_of_utc_or_at_an_offset_stay_so() -> None:
    for zone in ("UTC", "+05:30"):
        hours = pa.array(pd.date_range("2026-10-24", periods=6, freq="h"), pa.timestamp("us", zone))
        intake = read({"ds": hours, "y": pa.array(np.arange(6.0))})
        assert intake.frame.axis.timezone == zone
        assert intake.profile.detected.options == {}


def test_dates_are_times() -> None:
    days = pa.array([dt.date(2024, 1, day) for day in range(1, 7)], pa.date32())
    assert times(read({"ds": days, "y": pa.array(np.arange(6.0))}))[-1] == "2024-01-06"


def test_values_enter_with_all_their_digits() -> None:
    numbers = [0.1 + 0.2, 1e300, -5e-324, 123456789.123456789, 1 / 3, 2.0**60]
    assert read({"y": pa.array(numbers)}).frame.y.tolist() == numbers


def test_decimals_become_the_nearest_numbers() -> None:
    decimals = pa.array([Decimal(f"{i}.10") for i in range(COUNT)], pa.decimal128(10, 2))
    assert read({"y": decimals}).frame.y.tolist() == [0.1, 1.1, 2.1, 3.1, 4.1, 5.1]


def test_missing_integers_are_gaps() -> None:
    intake = read({"y": pa.array([1, 2, None, 4, 5, 6], pa.int32())})
    assert (intake.profile.gaps, float(np.nansum(intake.frame.y))) == (1, 18.0)


def test_integers_from_the_epoch_are_dates() -> None:
    days = pa.array([1_704_067_200_000 + 86_400_000 * day for day in range(COUNT)])
    intake = read({"ds": days, "y": pa.array(np.arange(6.0))})
    assert (times(intake)[0], intake.profile.detected.date_format) == ("2024-01-01", "epoch_ms")


def test_categories_name_series_and_fill_columns() -> None:
    names = pa.array(["007", "NA"] * 3).dictionary_encode()
    years = pa.array([2000, 2000, 2001, 2001, 2002, 2002])
    towns = pa.array(["Kiel", "Ulm", None] * 2).dictionary_encode()
    intake = read({"shop": names, "ds": years, "y": pa.array(np.arange(6.0)), "town": towns})
    assert intake.frame.unique_ids == ("007", "NA")
    assert [(each.name, each.kind, each.missing) for each in intake.profile.covariates] == [
        ("town", "category", 2)
    ]


def test_the_index_of_a_pandas_frame_holds_the_times() -> None:
    frame = pd.DataFrame({"y": np.arange(6.0)}, index=pd.date_range("2024-01-01", periods=6))
    file = io.BytesIO()
    frame.to_parquet(file)
    detected = read_csv(file.getvalue(), ReadOptions()).profile.detected
    assert (detected.time_column, detected.format) == ("index", "parquet")


def test_lists_are_left_out_and_noted_and_structs_are_columns() -> None:
    places = pa.array([{"town": "Kiel", "population": i} for i in range(COUNT)])
    intake = read(
        {"y": pa.array(np.arange(6.0)), "tags": pa.array([["a"]] * COUNT), "place": places}, target_column="y"
    )
    assert "Column 'tags' holds lists or the like and was left out." in intake.profile.detected.notes
    assert {each.name for each in intake.profile.detected.columns} >= {"place.town", "place.population"}


@pytest.mark.parametrize("form", ["file", "stream", "feather"])
def test_arrow_is_read_as_file_and_as_stream(form: str) -> None:
    table, file = pa.table({"ds": list(range(2000, 2006)), "y": np.arange(6.0)}), io.BytesIO()
    if form == "feather":
        table.to_pandas().to_feather(file, compression="zstd")
    else:
        opened = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
        with opened(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    intake = read_csv(file.getvalue(), ReadOptions())
    assert (times(intake), intake.profile.detected.format) == (list(range(2000, 2006)), "arrow")


def test_two_columns_of_one_name_are_refused() -> None:
    table = pa.Table.from_arrays([pa.array([1, 2]), pa.array([1, 2])], names=["ds", "ds"])
    with pytest.raises(BadInput, match="have one name"):
        read_csv(parquet(table), ReadOptions())


def test_more_columns_than_the_settings_allow_are_refused() -> None:
    table = pa.table({f"c{i}": [1.0] for i in range(4)})
    with pytest.raises(BadInput, match="4 columns, and 3 is the most"):
        read_csv(parquet(table), ReadOptions(), FileLimits(columns=3))


@pytest.mark.parametrize(
    ("frequency", "step", "first"),
    [
        ("M", "MS", "2020-01-01"),
        ("Q", "QS-OCT", "2020-01-01"),
        ("W", "W-MON", "2019-12-30"),
        ("D", "D", "2020-01-01"),
    ],
)
def test_periods_of_pandas_count_for_their_beginning(frequency: str, step: str, first: str) -> None:
    frame = pd.DataFrame({"ds": pd.period_range("2020-01-01", periods=12, freq=frequency), "y": range(12)})
    file = io.BytesIO()
    frame.to_parquet(file)
    found = read_csv(file.getvalue(), ReadOptions())
    assert (found.frame.axis.frequency, times(found)[0]) == (step, first)


def test_durations_are_seconds() -> None:
    lasting = pa.array([dt.timedelta(seconds=90 + i) for i in range(COUNT)])
    assert read({"y": lasting}).frame.y[:2].tolist() == [90, 91]


def test_names_in_several_levels_are_joined() -> None:
    years = pd.Index([2000, 2001, 2002, 2003, 2004, 2006], name="year")
    frame = pd.DataFrame({("y", "a"): range(6), ("y", "b"): range(1, 7)}, index=years)
    file = io.BytesIO()
    frame.to_parquet(file)
    assert read_csv(file.getvalue(), ReadOptions(target_column="y b")).frame.y[0] == 1


def test_a_frame_of_nullable_types_keeps_what_is_missing() -> None:
    frame = pd.DataFrame(
        {
            "ds": pd.date_range("2024-01-01", periods=6),
            "y": pd.array([1, None, 3, 4, None, 6], dtype="Int64"),
            "promotion": pd.array([True, None, False] * 2, dtype="boolean"),
            "weather": pd.array(["sun", None, "rain"] * 2, dtype="string"),
        }
    )
    file = io.BytesIO()
    frame.to_parquet(file)
    found = read_csv(file.getvalue(), ReadOptions()).profile
    assert found.gaps == 2
    assert {each.name: each.missing for each in found.covariates} == {"promotion": 2, "weather": 2}
