"""Results as bytes: the same numbers in every format."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.schemas.forecast import ForecastPage, Interval, SeriesForecast
from app.schemas.media_types import ARROW
from app.services.forecasting import formats
from app.services.forecasting.result import ForecastResult
from app.services.shared.paging import encode_cursor
from tests.factories import result

ODD = [1e300, 5e-324, -0.0, 5.0, 1e16, 123456789012345680.0, 1e-5, 0.1 + 0.2, 1e22]
ODD_NAMES = ["a", 'the "old" one', "comma, and\nline", "日本 🎌", "=1+1", "a\rb", ""]
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def shapes(given: ForecastResult) -> list[SeriesForecast]:
    """The pydantic shapes of the documentation, filled one by one."""
    return [
        SeriesForecast(
            unique_id=name,
            dataset_id=given.dataset_id,
            dataset_version=given.dataset_version,
            model_id=given.model_id,
            frequency=given.frequency,
            ds=given.times[i],
            forecast=given.forecast.median[i].tolist(),
            mean=given.mean[i].tolist(),
            intervals={
                str(level): Interval(
                    lo=given.forecast.lo[level][i].tolist(),
                    hi=given.forecast.hi[level][i].tolist(),
                    **given.calibration[level].model_dump(),
                )
                for level in given.levels
            },
            method=given.method,
            verdict=given.verdict,
            warning=given.warning,
        )
        for i, name in enumerate(given.unique_ids)
    ]


def rows_of(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode(), newline="")))


def bits(values: Sequence[float]) -> bytes:
    return np.array(values, dtype="<f8").tobytes()


@given(st.lists(NUMBERS, min_size=1, max_size=12))
@example(ODD)
def test_json_is_what_the_documented_shapes_write(numbers: list[float]) -> None:
    some = result(["a", "b"], numbers)
    page = ForecastPage(forecasts=shapes(some), next=encode_cursor("key"))
    assert formats.page_json(replace(some, following="key")) == page.model_dump_json().encode()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_json_of_an_odd_name_is_what_the_shape_writes(name: str) -> None:
    some = replace(result([name]), verdict=None, warning="5\u202f% worse", dataset_id=None, frequency=1)
    page = ForecastPage(forecasts=shapes(some), next=None)
    assert formats.page_json(some) == page.model_dump_json().encode()


def test_page_without_series_is_an_empty_list() -> None:
    assert json.loads(formats.page_json(result([]))) == {"forecasts": [], "next": None}


@given(st.lists(NUMBERS, min_size=1, max_size=12))
@example(ODD)
def test_number_is_the_same_in_every_format(numbers: list[float]) -> None:
    some = result(["a"], numbers)
    column = [float(row["forecast"]) for row in rows_of(b"".join(formats.csv_parts([some])))]
    (line,) = b"".join(formats.ndjson_parts([some])).splitlines()
    arrow = pa.ipc.open_stream(b"".join(formats.batch_parts(ARROW, [some]))).read_all()
    assert bits(column) == bits(numbers)
    assert bits(json.loads(line)["forecast"]) == bits(numbers)
    assert bits(arrow["forecast"].to_pylist()) == bits(numbers)


def test_csv_has_one_header_and_a_row_for_each_step() -> None:
    table = b"".join(formats.csv_parts([result(["a"], [1.5, 2.0]), result(["b"], [3.0, 1e300])]))
    assert table.decode().splitlines() == [
        "unique_id,ds,forecast,mean,lo-80,hi-80,lo-95,hi-95",
        "a,2024-01-01,1.5,1.75,0.5,2.5,-0.5,3.5",
        "a,2024-02-01,2.0,2.25,1.0,3.0,0.0,4.0",
        "b,2024-01-01,3.0,3.25,2.0,4.0,1.0,5.0",
        "b,2024-02-01,1e+300,1e+300,1e+300,1e+300,1e+300,1e+300",
    ]


def test_name_of_any_kind_is_read_back_from_csv() -> None:
    table = b"".join(formats.csv_parts([result(ODD_NAMES, [1.0])]))
    assert [row["unique_id"] for row in rows_of(table)] == ODD_NAMES


def test_ndjson_has_a_line_for_each_series() -> None:
    some = result(["a", "line\nbreak"])
    lines = b"".join(formats.ndjson_parts([some, result(["c"])])).decode().splitlines()
    assert [SeriesForecast.model_validate_json(line) for line in lines] == shapes(some) + shapes(
        result(["c"])
    )


def test_arrow_has_the_columns_of_csv_and_a_batch_for_each_page() -> None:
    pages = [result(["a", "b"], [1.0, 2.0]), result(["c"], [3.0, 4.0])]
    batches = list(pa.ipc.open_stream(b"".join(formats.batch_parts(ARROW, pages))))
    header = next(formats.csv_parts(pages)).decode().strip()
    assert ",".join(batches[0].schema.names) == header
    assert [batch.num_rows for batch in batches] == [4, 2]
    assert batches[0]["unique_id"].to_pylist() == ["a", "a", "b", "b"]
    assert batches[1].slice(1).to_pylist() == [
        {
            "unique_id": "c",
            "ds": datetime.fromisoformat("2024-02-01"),
            "forecast": 4.0,
            "mean": 4.25,
            "lo-80": 3.0,
        }
        | {"hi-80": 5.0, "lo-95": 2.0, "hi-95": 6.0}
    ]


def test_arrow_metadata_holds_what_rows_share() -> None:
    some = replace(result(["a"]), warning="5\u202f% worse", verdict="loses")
    schema = pa.ipc.open_stream(b"".join(formats.batch_parts(ARROW, [some]))).schema
    assert {key.decode(): value.decode() for key, value in schema.metadata.items()} == {
        "model_id": "model_1",
        "dataset_id": "ds_1",
        "dataset_version": "2",
        "frequency": "MS",
        "method": "lstm",
        "verdict": "loses",
        "warning": "5\u202f% worse",
    }


def test_arrow_has_times_with_offsets_as_instants() -> None:
    hours = replace(result(["a"], [1.0]), times=[["2024-01-01T00:00:00+01:00"]])
    table = pa.ipc.open_stream(b"".join(formats.batch_parts(ARROW, [hours]))).read_all()
    assert table.schema.field("ds").type == pa.timestamp("us", "UTC")
    assert table["ds"].to_pylist() == [datetime(2023, 12, 31, 23, tzinfo=UTC)]


def test_arrow_keeps_whole_numbers_as_times_and_leaves_nulls_out() -> None:
    years = replace(result(["a"], [1.0]), times=[[2024]], dataset_id=None, dataset_version=None)
    table = pa.ipc.open_stream(b"".join(formats.batch_parts(ARROW, [years]))).read_all()
    assert (table.schema.field("ds").type, table["ds"].to_pylist()) == (pa.int64(), [2024])
    assert b"dataset_id" not in table.schema.metadata


def test_parts_are_made_as_they_are_taken() -> None:
    seen: list[str] = []

    def pages() -> Iterator[ForecastResult]:
        for name in ("a", "b", "c"):
            seen.append(name)
            yield result([name])

    parts = formats.batch_parts(ARROW, pages())
    assert len(next(parts)) > 0
    assert seen == ["a"]
    assert max(map(len, parts)) < 1000
    assert seen == ["a", "b", "c"]


def test_header_is_one_line_of_ascii() -> None:
    assert formats.header_value("5\u202f% worse \u2013\r\nevil: 日") == "5 % worse ? evil: ?"
