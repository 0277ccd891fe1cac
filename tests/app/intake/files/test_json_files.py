"""JSON files: lines of objects, and every form in which pandas and others write a table."""

import json
from typing import Any

import pandas as pd
import pytest

from app.errors import BadInput
from app.intake.frame import Intake
from app.intake.problems import Unsettled
from app.intake.reader import ReadOptions, read_csv
from tests.app.intake.uploads import times

DAYS = pd.date_range("2024-01-01", periods=6)
FRAME = pd.DataFrame({"shop": ["a"] * 6, "date": DAYS, "sales": [0.1 + 0.2, 2, 3, None, 5, 6]})


def read(found: Any, **said: Any) -> Intake:
    return read_csv(
        found.encode() if isinstance(found, str) else json.dumps(found).encode(), ReadOptions(**said)
    )


@pytest.mark.parametrize("orient", ["records", "split", "index", "columns", "table"])
def test_every_form_of_pandas_is_read_with_times_in_milliseconds(orient: Any) -> None:
    intake = read(FRAME.to_json(orient=orient, double_precision=15))
    assert intake.frame.unique_ids == ("a",)
    assert times(intake) == [f"2024-01-0{day}" for day in range(1, 7)]
    assert (intake.profile.gaps, intake.profile.detected.format) == (1, "json")


def test_a_series_of_pandas_is_one_of_times_and_values() -> None:
    intake = read(FRAME.set_index("date")["sales"].to_json())
    assert (times(intake)[0], intake.frame.unique_ids) == ("2024-01-01", ("value",))


def test_lines_of_objects_are_rows_whichever_keys_they_have() -> None:
    lines = [{"ds": 2000, "y": 1}, {"y": 2.5, "ds": 2001}, {"ds": 2002}, {"ds": 2003, "y": 4, "price": 2}]
    intake = read("\n".join(map(json.dumps, lines)) + "\n\n")
    assert intake.frame.y[[0, 1, 3]].tolist() == [1, 2.5, 4]
    assert [each.name for each in intake.profile.covariates] == ["price"]


@pytest.mark.parametrize(
    "found",
    [
        {"ds": [2000, 2001, 2002], "y": [1, 2, 3]},
        [["ds", "y"], [2000, 1], [2001, 2], [2002, 3]],
        {"name": "sales", "observations": [{"ds": 2000 + i, "y": i + 1} for i in range(3)]},
        [{"page": 1, "total": 3}, [{"ds": 2000 + i, "y": i + 1} for i in range(3)]],
        {"a": {"ds": 2000, "y": 1}, "b": {"ds": 2001, "y": 2}, "c": {"ds": 2002, "y": 3}},
    ],
)
def test_tables_in_other_forms_are_read(found: Any) -> None:
    intake = read(found)
    assert (times(intake), intake.frame.y.tolist()) == ([2000, 2001, 2002], [1, 2, 3])


def test_fields_of_objects_inside_are_columns() -> None:
    rows = [{"country": {"id": "NO", "value": "Norway"}, "date": str(2000 + i), "value": i} for i in range(3)]
    intake = read(rows, id_column="country.value", target_column="value")
    assert intake.frame.unique_ids == ("Norway",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "holds no table"),
        ("{}", "holds no table"),
        ("[[1, 2], [3, 4]]", "holds no table"),
        ('[{"ds": 1, "y": 2},', "but is not: .* in line 1"),
        ('{"ds": 1}\n{"ds": 2,}\n', "Line 2 is not JSON"),
        ('{"ds": 1}\n[2]\n', "Line 2 holds no object"),
        ('{"ds": [1, 2], "y": [1]}', "different lengths"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read(text)


def test_a_header_in_brackets_is_text() -> None:
    lines = ["[date],[value]", *(f"{2000 + i},{i}" for i in range(4))]
    assert read("\n".join(lines)).profile.detected.format == "csv"


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": True, "result": {"count": 3, "items": [{"ds": 2000 + i, "y": i} for i in range(3)]}},
        {"latitude": 59.9, "units": {"y": "C"}, "hourly": {"ds": [2000, 2001, 2002], "y": [0, 1, 2]}},
    ],
    ids=["items", "columns"],
)
def test_the_only_table_inside_an_answer_is_read(answer: dict[str, object]) -> None:
    found = read_csv(json.dumps(answer).encode(), ReadOptions())
    assert found.frame.y.tolist() == [0, 1, 2]


PAIRS = [[1_577_836_800_000 + 86_400_000 * i, i] for i in range(6)]
TIMED = {
    "pairs": PAIRS,
    "texts": [[f"2020-01-0{i + 1}", i] for i in range(6)],
    "chart": {"name": "load", "data": PAIRS},
    "answer": {"ok": True, "result": {"unit": "MW", "points": PAIRS}},
    "series": {"series": [{"series_id": "value", "data": PAIRS}]},
    "matrix": {
        "data": {"result": [{"metric": {"job": "a"}, "values": [[t // 1000, str(y)] for t, y in PAIRS]}]}
    },
    "dated": {"Meta": {"of": "a"}, "Daily": {f"2020-01-0{i + 1}": {"value": str(i)} for i in range(6)}},
    "types": [{"t": {"$date": f"2020-01-0{i + 1}T00:00:00Z"}, "v": {"$numberInt": str(i)}} for i in range(6)],
}


@pytest.mark.parametrize("form", TIMED)
def test_lists_of_times_and_values_are_tables_wherever_they_are(form: str) -> None:
    found = read(TIMED[form])
    assert (found.profile.start, found.profile.frequency) == ("2020-01-01", "D")
    assert found.frame.y.tolist() == [0, 1, 2, 3, 4, 5]


def test_several_values_at_a_time_are_a_question_by_number() -> None:
    with pytest.raises(Unsettled, match="'value 1', 'value 2'"):
        read([[time, value, value * value] for time, value in PAIRS])


def test_lists_at_the_same_times_are_columns_and_others_are_series() -> None:
    alike = read({"price": PAIRS, "volume": [[time, 7 * y + 1] for time, y in PAIRS]}, target_column="price")
    assert [each.name for each in alike.frame.columns] == ["volume"]
    apart = read({"a": PAIRS, "b": PAIRS[:4]})
    assert (apart.frame.unique_ids, len(apart.frame.y)) == (("a", "b"), 10)
