"""Files as people have them: which column is what, what is asked, and what one parameter makes of them.

Each is small, of our own making, after situations that people complain of.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from app.errors import BadInput
from app.intake.preview import preview_csv
from app.intake.problems import Unsettled
from app.intake.reader import ReadOptions
from tests.app.intake.uploads import times, upload

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
Lines = Sequence[str]


def days(count: int, first: str = "2023-01-01") -> list[str]:
    return [str(date.fromisoformat(first) + timedelta(days=i)) for i in range(count)]


def prices() -> Lines:
    return [
        "Date,Open,High,Low,Close,Volume",
        *(f"{day},50.{i % 7},51.{i % 5},49.{i % 3},50.{i},{9**6 + i}" for i, day in enumerate(days(60))),
    ]


def load_and_temperature() -> Lines:
    stamps = (f"{day} {hour:02}:00" for day in days(4) for hour in range(24))
    return [
        "timestamp,demand_mw,temperature",
        *(f"{stamp},{600.5 + i},5.{i}" for i, stamp in enumerate(stamps)),
    ]


def units_and_price() -> Lines:
    return ["date,units_sold,price", *(f"{day},{40 + i % 7},9.{i % 4}" for i, day in enumerate(days(60)))]


def two_keys() -> Lines:
    keys = ((1, "bread"), (1, "dairy"), (2, "bread"))
    rows = (f"{day},{store},{family},{100.5 * store}" for day in days(40) for store, family in keys)
    return ["date,store_nbr,family,sales", *rows]


def receipts() -> Lines:
    return ["date,amount", *(f"{day},{20 + i}" for day in days(30) for i in range(2))]


def month_names() -> Lines:
    return ["Year,Month,Sales", *(f"{2015 + i // 12},{MONTHS[i % 12]},{900 + i}" for i in range(96))]


def month_names_of_germans() -> Lines:
    names = (
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    )
    return ["Jahr;Monat;Umsatz", *(f"{2015 + i // 12};{names[i % 12]};{900 + i}" for i in range(96))]


def quarters() -> Lines:
    return ["Year,Quarter,Revenue", *(f"{2012 + i // 4},Q{i % 4 + 1},{100 + i}" for i in range(40))]


def weeks() -> Lines:
    return ["year;week;calls", *(f"{2023 + i // 52};{i % 52 + 1};{7 + i}" for i in range(100))]


def hour_ending() -> Lines:
    rows = (f"{day},{hour:02}:00,{24000.5 + hour}" for day in days(10) for hour in range(1, 25))
    return ["OperDay,HourEnding,Load", *rows]


def hours_as_numbers() -> Lines:
    return ["date,hour,rides", *(f"{day},{hour},{hour}" for day in days(10) for hour in range(24))]


def clock_in_digits() -> Lines:
    rows = (
        f"{day.replace('-', '')},{hour:02}{minute:02},{hour}.5"
        for day in days(5)
        for hour in range(24)
        for minute in (0, 30)
    )
    return ["DATE,HrMn,TEMP", *rows]


def beginning_and_end() -> Lines:
    rows = (
        f"0{day}.01.2023;{hour:02}:00;{(hour + 1) % 24:02}:00;{600 + hour},25"
        for day in range(1, 9)
        for hour in range(24)
    )
    return ["Datum;Anfang;Ende;Netzlast [MWh]", *rows]


def exported_from_r() -> Lines:
    return ["rownames,time,value", *(f"{i + 1},{1949 + i / 12:.4f},{112 + i % 12}" for i in range(144))]


def closed_as_null() -> Lines:
    return ["Date,Close", *(f"{day},{'null' if i % 17 == 5 else 50 + i}" for i, day in enumerate(days(60)))]


def index_column() -> Lines:
    return [",when,closing", *(f"{i},{day},{48.5 + i % 5}" for i, day in enumerate(days(60)))]


def sentinel() -> Lines:
    return [
        "date,temp_max",
        *(f"{day},{-999 if i % 30 == 9 else 10 + i % 7}" for i, day in enumerate(days(90))),
    ]


def bounded() -> Lines:
    return ["date,availability", *(f"{day},{100 if i % 3 else 98.5}" for i, day in enumerate(days(60)))]


def separator_line() -> Lines:
    return ["sep=;", "Date;Verkauf;", *(f"{day};{300 + i},5;" for i, day in enumerate(days(30)))]


def comments() -> Lines:
    return ["# source: made up", "# unit: kWh, station 4", "date,kwh", *(f"{day},3.5" for day in days(30))]


def total_row() -> Lines:
    return ["date,sales", *(f"{day},10" for day in days(30)), "Total,300"]


def future_rows() -> Lines:
    return ["ds,y", *(f"{day},{'' if i >= 20 else i}" for i, day in enumerate(days(30)))]


def one_stopped() -> Lines:
    live = (f"live,{2018 + i // 12}-{i % 12 + 1:02},5" for i in range(60))
    return ["sku,month,qty", *live, *(f"stopped,2018-{month:02},5" for month in range(1, 13))]


def sparse_sales() -> Lines:
    return ["date,sku,units", *(f"{day},A,{i % 3 + 1}" for i, day in enumerate(days(300)) if i % 7 in {0, 3})]


def leading_zeros() -> Lines:
    return ["sku,date,units", *(f"{sku},{day},1.5" for sku in ("007", "7", "NA") for day in days(10))]


def flags_beside() -> Lines:
    return [
        "date,sales,promo,weekday",
        *(f"{day},{50 + i},{i % 2},{i % 7}" for i, day in enumerate(days(30))),
    ]


def planned_prices() -> Lines:
    """Two shops; their prices and promotions are known a week longer than their sales."""
    rows = (
        f"{shop},{day},{'' if i >= 40 else 20 + i % 7},{i % 4}.5,{('no', 'no', 'yes')[i % 3]},{i % 5},{size}"
        for shop, size in (("left", 80), ("right", 120))
        for i, day in enumerate(days(47))
    )
    return ["shop,date,sales,price,promo,visitors,size", *rows]


def numbered_months() -> Lines:
    return ["t,y", *(f"{i},{88 + i % 12}" for i in range(1, 145))]


@pytest.mark.parametrize(
    ("lines", "parameter", "candidates"),
    [
        (prices, "target_column", ["Open", "High", "Low", "Close", "Volume"]),
        (load_and_temperature, "target_column", ["demand_mw", "temperature"]),
        (units_and_price, "target_column", ["units_sold", "price"]),
        (two_keys, "id_column", ["store_nbr,family"]),
        (receipts, "duplicates", ["sum", "mean", "last"]),
    ],
)
def test_comparable_readings_are_a_question(
    lines: Callable[[], Lines], parameter: str, candidates: list[str]
) -> None:
    with pytest.raises(Unsettled, match=parameter) as caught:
        upload(*lines())
    assert [(question.option, list(question.candidates)) for question in caught.value.questions] == [
        (parameter, candidates)
    ]
    assert caught.value.errors[0].pointer == f"#/{parameter}"


@pytest.mark.parametrize(
    ("lines", "said", "series", "steps", "frequency"),
    [
        (prices, {"target_column": "Close"}, ["Close"], 60, "D"),
        (prices, {"target_column": "High,Low"}, ["High", "Low"], 60, "D"),
        (load_and_temperature, {"target_column": "demand_mw"}, ["demand_mw"], 96, "h"),
        (units_and_price, {"target_column": "units_sold"}, ["units_sold"], 60, "D"),
        (two_keys, {"id_column": "store_nbr,family"}, ["1 / bread", "1 / dairy", "2 / bread"], 40, "D"),
        (receipts, {"duplicates": "sum"}, ["amount"], 30, "D"),
        (month_names, {}, ["Sales"], 96, "MS"),
        (month_names_of_germans, {}, ["Umsatz"], 96, "MS"),
        (quarters, {}, ["Revenue"], 40, "QS-OCT"),
        (weeks, {}, ["calls"], 100, "W-MON"),
        (hour_ending, {}, ["Load"], 240, "h"),
        (hours_as_numbers, {}, ["rides"], 240, "h"),
        (clock_in_digits, {}, ["TEMP"], 240, "30min"),
        (beginning_and_end, {}, ["Netzlast [MWh]"], 192, "h"),
        (exported_from_r, {}, ["value"], 144, "MS"),
        (closed_as_null, {}, ["Close"], 60, "D"),
        (index_column, {}, ["closing"], 60, "D"),
        (separator_line, {}, ["Verkauf"], 30, "D"),
        (comments, {}, ["kwh"], 30, "D"),
        (total_row, {}, ["sales"], 30, "D"),
        (future_rows, {}, ["y"], 20, "D"),
        (leading_zeros, {}, ["007", "7", "NA"], 10, "D"),
        (flags_beside, {}, ["sales"], 30, "D"),
        (numbered_months, {}, ["y"], 144, 1),
    ],
)
def test_file_becomes_these_series(
    lines: Callable[[], Lines], said: dict[str, str], series: list[str], steps: int, frequency: str | int
) -> None:
    intake = upload(*lines(), **said)
    assert list(intake.frame.unique_ids) == series
    assert set(np.diff(intake.frame.offsets)) == {steps}
    assert intake.profile.frequency == frequency


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        (month_names, "Times are joined from 'Year', 'Month'."),
        (hour_ending, "Times are joined from 'OperDay', 'HourEnding'."),
        (index_column, "Not used: 'column 1' (counts the rows)."),
        (flags_beside, "Beside the target: 'promo' past, known up to the target's end."),
        (flags_beside, "Not used: 'weekday' (follows from the calendar)."),
        (separator_line, "Not used: 'column 3' (has neither a name nor a value)."),
        (comments, "2 lines above the header not read."),
        (sentinel, "3 values are -999, far from all others (10 to 16)"),
        (sentinel, "say missing_values=-999"),
        (bounded, "say upper=100"),
        (one_stopped, "'stopped' ends long before the others, by up to 48 steps."),
        (sparse_sales, "if that means that nothing happened, say missing=zero"),
    ],
)
def test_what_is_odd_is_noted(lines: Callable[[], Lines], note: str) -> None:
    assert note in "\n".join(upload(*lines()).profile.detected.notes)


def test_hour_ending_at_midnight_is_the_next_day() -> None:
    intake = upload(*hour_ending())
    assert (times(intake)[0], times(intake)[23]) == ("2023-01-01T01:00:00", "2023-01-02T00:00:00")
    assert intake.profile.season_length == 24


def test_opening_hours_beside_names_are_no_part_of_the_times() -> None:
    shops = (("left", "08:00"), ("right", "09:00"))
    rows = (f"{day},{shop},{opens},50.5" for day in days(20) for shop, opens in shops)
    intake = upload("date,shop,opens,sales", *rows)
    assert intake.frame.unique_ids == ("left", "right")
    assert times(intake)[0] == "2023-01-01"


def test_hours_of_several_zones_are_part_of_the_times() -> None:
    rows = (f"{day},{zone},{hour},{hour}.5" for day in days(5) for zone in ("A", "B") for hour in range(24))
    intake = upload("date,zone,hour,load", *rows)
    assert intake.frame.unique_ids == ("A", "B")
    assert intake.profile.frequency == "h"


@pytest.mark.parametrize(("duplicates", "value"), [("sum", 41), ("mean", 20.5), ("last", 21)])
def test_repeated_times_become_one_value(duplicates: str, value: float) -> None:
    intake = upload(*receipts(), duplicates=duplicates)
    assert set(intake.frame.y.tolist()) == {value}
    assert intake.profile.repairs_total == 30


def test_refusal_of_repeated_times_has_both_counts_and_rows() -> None:
    with pytest.raises(BadInput, match="60 rows stand for 30 times: 30 repeat") as caught:
        upload(*receipts(), duplicates="refuse")
    assert [error.pointer for error in caught.value.errors[:2]] == ["#/duplicates", "#row=2"]


def test_second_key_is_a_question_beside_sums() -> None:
    with pytest.raises(Unsettled, match=r"id_column.*or by duplicates"):
        upload(*two_keys())


def test_steps_without_sales_are_zeros_up_to_the_last_time_of_all() -> None:
    lines = [*sparse_sales(), "2023-12-31,B,1", "2024-01-02,B,1"]
    intake = upload(*lines, missing="zero")
    assert intake.profile.gaps == 0
    assert times(intake)[-1] == "2024-01-02"
    first = intake.frame.y[: intake.frame.offsets[1]]
    assert (len(first), first.sum()) == (367, sum(int(line.split(",")[2]) for line in sparse_sales()[1:]))
    assert not any("missing=zero" in note for note in intake.profile.detected.notes)


def test_values_that_stand_for_none_are_gaps() -> None:
    profile = upload(*sentinel(), missing_values="-999").profile
    assert (profile.observations, profile.gaps) == (87, 3)


def test_texts_that_stand_for_none_are_gaps() -> None:
    assert upload("ds,y", "1,5", "2,closed", "3,6", missing_values="closed,-1").profile.gaps == 1


def test_thousands_or_decimals_are_settled_by_their_mark() -> None:
    lines = ["ds;y", "2024-01-01;1.234", "2024-01-02;2.345"]
    assert upload(*lines, decimal=",").frame.y.tolist() == [1234, 2345]
    assert upload(*lines, decimal=".").frame.y.tolist() == [1.234, 2.345]


def test_lines_above_the_header_are_skipped_and_rows_keep_their_numbers() -> None:
    lines = ["Report of 2024", "by the office, final", "ds,y", "2024-01-01,1", "2024-01-02,x", "2024-01-03,1"]
    with pytest.raises(BadInput) as caught:
        upload(*lines, skip_rows=2)
    assert [error.pointer for error in caught.value.errors] == ["#row=5"]


def test_more_lines_skipped_than_there_are_is_refused() -> None:
    with pytest.raises(BadInput, match="Without its first 9 lines the file has no table"):
        upload("ds,y", "1,2", "2,3", skip_rows=9)


def test_header_behind_a_number_sign_is_no_comment() -> None:
    assert upload("# made up", "#ds,y", "2024-01-01,1", "2024-01-02,2").frame.y.tolist() == [1, 2]


def test_several_targets_beside_names_make_a_series_each() -> None:
    rows = (f"{shop},{day},1.5,{i}.5" for shop in "ab" for i, day in enumerate(days(10)))
    intake = upload("shop,date,in,out", *rows, target_column="in,out")
    assert intake.frame.unique_ids == ("a / in", "a / out", "b / in", "b / out")
    assert intake.frame.y[10:13].tolist() == [0.5, 1.5, 2.5]


def test_wrong_cell_of_several_targets_is_named_once() -> None:
    rows = [f"{day},1.5,2.5" for day in days(10)]
    with pytest.raises(BadInput) as caught:
        upload("date,in,out", *rows, "soon,1,2", target_column="in,out")
    assert [error.pointer for error in caught.value.errors] == ["#row=12"]


def test_column_whose_name_has_a_comma_is_named_as_it_is() -> None:
    intake = upload(
        'date,"sales, net",other', *(f"{day},1.5,2" for day in days(5)), target_column="sales, net"
    )
    assert intake.frame.unique_ids == ("sales, net",)


def test_questions_come_together() -> None:
    rows = (f"{day},{day},1.5,2.5" for day in days(20))
    with pytest.raises(Unsettled) as caught:
        upload("start date,end date,in,out", *rows)
    assert [question.option for question in caught.value.questions] == ["time_column", "target_column"]


def test_preview_shows_the_likeliest_reading_with_what_is_open() -> None:
    found = preview_csv("\n".join(prices()).encode(), ReadOptions())
    assert [(each.parameter, each.candidates[0]) for each in found.questions] == [("target_column", "Open")]
    assert [column.role for column in found.detected.columns] == [
        *("time", "target", "past", "past", "past", "past")
    ]
    assert found.profile is not None
    assert found.profile.frequency == "D"
    assert found.rows[0].model_dump() == {"unique_id": "Open", "ds": "2023-01-01", "y": 50.0}
    assert len(found.rows) == 5


def test_preview_names_what_must_be_mended() -> None:
    found = preview_csv("\n".join([*comments(), "soon,1"]).encode(), ReadOptions())
    assert found.profile is None
    assert [problem.pointers for problem in found.problems] == [["#row=34"]]


def test_preview_asks_what_repeated_times_are() -> None:
    found = preview_csv("\n".join(receipts()).encode(), ReadOptions())
    assert [each.parameter for each in found.questions] == ["duplicates"]
    assert found.profile is None


def test_preview_counts_the_rows_beside_the_step_and_names_them() -> None:
    mondays = [str(date(2023, 1, 2) + timedelta(weeks=i)) for i in range(60)]
    lines = ["date,stocks", *(f"{'2023-05-02' if day == '2023-05-01' else day},5.5" for day in mondays)]
    found = preview_csv("\n".join(lines).encode(), ReadOptions())
    assert found.profile is not None
    assert (found.profile.frequency, found.off_step) == ("W-MON", 1)
    assert [repair.row for repair in found.profile.repairs if repair.kind == "moved"] == [19]


@pytest.mark.parametrize(
    ("lines", "parameter", "candidates"),
    [
        (["ds;y", "2024-01-01;1.234", "2024-01-02;2.345", "2024-01-03;3.456"], "decimal", [".", ","]),
        (["ds,y", "2024-01-01,1", "2024-01-02T05:13,2", "2024-02-07T11:02,3"], "frequency", []),
    ],
)
def test_preview_asks_for_what_the_upload_is_refused_for(
    lines: Lines, parameter: str, candidates: list[str]
) -> None:
    found = preview_csv("\n".join(lines).encode(), ReadOptions())
    assert [(each.parameter, each.candidates) for each in found.questions] == [(parameter, candidates)]
    assert found.problems == []


def test_constants_and_flags_of_a_statistical_office_name_neither_series_nor_times() -> None:
    head = "DATAFLOW,LAST UPDATE,freq,unit,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG"
    lines = [
        f"ESTAT:X(1.0),20/11/23 11:00:00,M,RCH_A,{geo},2020-{month:02},{month}.5,{'p' if month == 12 else ''}"
        for geo in ("DE", "FR")
        for month in range(1, 13)
    ]
    found = upload(head, *lines)
    assert found.frame.unique_ids == ("DE", "FR")
    detected = found.profile.detected
    assert (detected.id_column, detected.time_column, detected.target_column) == (
        "geo",
        "TIME_PERIOD",
        "OBS_VALUE",
    )


def test_a_constant_column_of_numbers_is_no_candidate_for_the_values() -> None:
    found = upload("date,sales,size", *(f"{day},{i},120" for i, day in enumerate(days(30))))
    assert found.profile.detected.target_column == "sales"
