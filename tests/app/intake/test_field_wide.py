"""Tables with times in their header, and with a column for each series."""

import pytest

from app.errors import BadInput
from app.intake.additions.existing import ExistingDataset
from app.intake.options import ReadOptions
from app.intake.problems import Unsettled
from app.intake.reader import read_csv, read_more_csv
from tests.app.intake.uploads import made, times, upload

MONTHS = "Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec"


def row(first: int, count: int) -> str:
    return ",".join(str(first + i) for i in range(count))


@pytest.mark.parametrize(
    ("names", "frequency", "start"),
    [
        ([str(year) for year in range(2000, 2010)], "YS", 2000),
        ([f"X{year}" for year in range(2000, 2010)], "YS", 2000),
        ([f"{year} [YR{year}]" for year in range(2000, 2010)], "YS", 2000),
        (made("2020-01-01", 10, "MS", "%Y-%m"), "MS", "2020-01-01"),
        (made("2020-01-01", 10, "MS", "%b %Y"), "MS", "2020-01-01"),
        (made("2020-01-01", 10, "MS", "%Y%m"), "MS", "2020-01-01"),
        (made("2020-01-01", 10, "MS", "%Y年%-m月"), "MS", "2020-01-01"),
        (made("2020-01-20", 12, "D", "%-m/%-d/%y"), "D", "2020-01-20"),
        (made("2020-01-06", 10, "W-MON", "%G-W%V"), "W-MON", "2020-01-06"),
        ([f"2020Q{q}" for q in range(1, 5)] + [f"2021Q{q}" for q in range(1, 5)], "QS-OCT", "2020-01-01"),
        ([f"d_{day}" for day in range(1, 11)], 1, 1),
    ],
    ids=lambda each: str(each[0]) if isinstance(each, list) else "",
)
def test_names_that_are_times_make_a_series_of_each_row(
    names: list[str], frequency: str | int, start: str | int
) -> None:
    found = upload(f"name,kind,{','.join(names)}", f"a,x,{row(1, len(names))}", f"b,y,{row(101, len(names))}")
    assert found.frame.unique_ids == ("a", "b")
    assert found.frame.axis.frequency == frequency
    assert times(found)[0] == start
    assert found.frame.y[: len(names)].tolist() == list(range(1, len(names) + 1))
    assert "are the times" in " ".join(found.profile.detected.notes)


@pytest.mark.parametrize(
    ("lines", "frequency", "count"),
    [
        ([f"Year,{MONTHS}", f"2020,{row(1, 12)}", f"2021,{row(13, 12)}"], "MS", 24),
        ([f"Year,{MONTHS},Total", f"2020,{row(1, 12)},78", f"2021,{row(13, 12)},222"], "MS", 24),
        ([f",{MONTHS}", f"2020,{row(1, 12)}", f"2021,{row(13, 12)}"], "MS", 24),
        ([f"Year,{row(1, 12)}", f"2020,{row(1, 12)}", f"2021,{row(13, 12)}"], "MS", 24),
        (
            ["年," + ",".join(f"{m}月" for m in range(1, 13)), f"2020,{row(1, 12)}", f"2021,{row(13, 12)}"],
            "MS",
            24,
        ),
        (["Year,Q1,Q2,Q3,Q4", f"2020,{row(1, 4)}", f"2021,{row(5, 4)}"], "QS-OCT", 8),
        (
            [
                "Month,2019,2020,2021",
                *(f"{m},{i},{i + 12},{i + 24}" for i, m in enumerate(MONTHS.split(","), start=1)),
            ],
            "MS",
            36,
        ),
        (
            [
                f"date,{','.join(f'H{h}' for h in range(1, 25))}",
                f"2020-01-01,{row(1, 24)}",
                f"2020-01-02,{row(25, 24)}",
            ],
            "h",
            48,
        ),
        (
            [
                f"date,{','.join(f'{h:02}:00' for h in range(24))}",
                f"2020-01-01,{row(1, 24)}",
                f"2020-01-02,{row(25, 24)}",
            ],
            "h",
            48,
        ),
    ],
    ids=["months", "total", "unnamed", "numbers", "signs", "quarters", "years", "hours", "clocks"],
)
def test_names_that_are_parts_of_times_are_joined_with_those_of_rows(
    lines: list[str], frequency: str, count: int
) -> None:
    found = upload(*lines)
    assert found.frame.unique_ids == ("value",)
    assert found.frame.axis.frequency == frequency
    assert found.frame.y.tolist() == list(range(1, count + 1))


def test_several_series_may_have_months_in_columns_and_years_in_rows() -> None:
    lines = [f"{shop},{year},{row(year, 12)}" for shop in ("a", "b") for year in (2020, 2021)]
    found = upload(f"shop,year,{MONTHS}", *lines)
    assert (found.frame.unique_ids, found.frame.axis.frequency, len(found.frame.y)) == (("a", "b"), "MS", 48)


def test_the_column_that_tells_rows_apart_names_them_and_others_are_static() -> None:
    years = ",".join(map(str, range(2000, 2010)))
    lines = [f"{i},{'north' if i % 2 else 'south'},{row(i, 10)}" for i in range(1, 9)]
    found = upload(f"code,region,{years}", *lines)
    assert found.frame.unique_ids == tuple("12345678")
    assert [(each.name, each.role) for each in found.frame.columns] == [("region", "static")]


def test_several_columns_name_rows_that_none_tells_apart() -> None:
    years = ",".join(map(str, range(2000, 2010)))
    lines = [f"{c},{what},{row(1, 10)}" for c in ("NO", "SE", "DK") for what in ("gdp", "people")]
    found = upload(f"country,indicator,{years}", *lines)
    assert found.frame.unique_ids[:2] == ("DK / gdp", "DK / people")


def test_the_databank_of_the_world_bank_names_series_by_country_and_indicator() -> None:
    lines = [
        f"{c},{c}{c},{what},{code},1,..,3" for c in ("A", "B") for what, code in (("GDP", "X"), ("POP", "Y"))
    ]
    years = ",".join(f"{year} [YR{year}]" for year in (2000, 2001, 2002))
    below = ["", "Data from database: World Development Indicators,,,,,,", "Last Updated: 05/30/2024,,,,,,"]
    found = upload(f"Country Name,Country Code,Series Name,Series Code,{years}", *lines, *below)
    assert found.frame.unique_ids == ("A / GDP", "A / POP", "B / GDP", "B / POP")
    assert found.profile.gaps == 4


def test_rows_without_any_value_are_no_series() -> None:
    found = upload("name,2000,2001,2002,2003", "a,1,2,3,4", "b,,,,", "Source: made up,,,,")
    assert found.frame.unique_ids == ("a",)
    assert found.profile.repairs_total == 0
    assert "No value, and so no series, have 'Source: made up', 'b'." in found.profile.detected.notes


def test_decimals_and_thousands_of_all_columns_are_judged_together() -> None:
    found = upload("name;2000;2001;2002", "a;1.234;2.345,5;3.456", "b;1.000;2.000;3.000")
    assert found.frame.y[:3].tolist() == [1234, 2345.5, 3456]


def test_a_text_among_the_numbers_is_refused_with_its_column_and_row() -> None:
    with pytest.raises(BadInput, match="Column '2001' holds text") as refused:
        upload("name,2000,2001,2002", "a,1,2,3", "b,1,many,3")
    assert [part.pointer for part in refused.value.errors] == ["#row=3"]


@pytest.mark.parametrize(
    "names",
    ["Oslo,Bergen,Tromsø", "NO,SE,DK", "store_1,store_2,store_3", "sales_north,sales_south,sales_east"],
)
def test_columns_named_as_series_are_are_series(names: str) -> None:
    lines = (f"{day},{i + 10},{2 * i + 10},{i % 5 + 7}" for i, day in enumerate(made("2020-01-01", 20, "D")))
    found = upload(f"date,{names}", *lines)
    assert found.frame.unique_ids == tuple(sorted(names.split(",")))
    assert "is a series of its own" in " ".join(found.profile.detected.notes)


@pytest.mark.parametrize(
    "names",
    [
        "Open,High,Low",
        "HUFL,HULL,MUFL",
        "temp_min,temp_max,temp_mean",
        "Sales,Customers,Promo",
        "a,b,c",
        "销售额,数量,价格",
    ],
)
def test_columns_that_may_be_several_measures_ask_and_wide_takes_all(names: str) -> None:
    lines = [f"{day},{i + 10},{2 * i + 10},{i % 5 + 7}" for i, day in enumerate(made("2020-01-01", 20, "D"))]
    with pytest.raises(Unsettled, match="layout=wide takes all"):
        upload(f"date,{names}", *lines)
    assert upload(f"date,{names}", *lines, layout="wide").profile.series == 3


def test_columns_of_sizes_that_cannot_be_compared_ask() -> None:
    lines = (
        f"{day},{i + 10},{i + 10},{1000 * i + 9999}" for i, day in enumerate(made("2020-01-01", 20, "D"))
    )
    with pytest.raises(Unsettled):
        upload("date,Oslo,Bergen,Tromsø", *lines)


def test_long_says_that_years_in_the_header_are_no_times() -> None:
    lines = [f"{day},{i},{i + 1},{i + 2}" for i, day in enumerate(made("2020-01-01", 9, "D"))]
    with pytest.raises(BadInput):
        upload("day,2000,2001,2002", *lines, layout="long")


def test_a_target_that_is_named_is_one_though_names_are_times() -> None:
    found = upload(
        "d,2000,2001,2002,y,n,m", "2020-01-01,1,2,3,4,0,0", "2020-01-02,1,2,3,5,0,0", target_column="y"
    )
    assert found.frame.y.tolist() == [4, 5]


def test_later_years_are_appended_as_the_first_were_uploaded() -> None:
    first = upload(
        "name,kind,2000,2001,2002,2003", "a,x,1,2,3,4", "b,y,5,6,7,8", "c,x,5,6,7,8", "d,x,1,1,1,1"
    )
    frame = first.frame
    existing = ExistingDataset(
        frame.axis, frame.axis.format(frame.ds)[-1], first.profile.detected, None, covariates=frame.columns
    )
    data = b"name,kind,2003,2004,2005\na,x,4,5,6\nb,y,8,9,10\n"
    addition = read_more_csv(data, ReadOptions(), existing)
    assert addition.points.y.tolist() == [4, 5, 6, 8, 9, 10]


def test_titles_and_quotes_of_the_world_bank_do_no_harm() -> None:
    text = '"Data Source","World, made up",\r\n\r\n"Last Updated Date","2024-05-30",\r\n\r\n'
    text += '"Country Name","Country Code","2000","2001","2002",\r\n"Norlund","NRL","1","2","3",\r\n'
    text += '"Namib","NA","4","5","",\r\n"Estria","EST","","6","7",\r\n'
    found = read_csv(text.encode("utf-8-sig"), ReadOptions())
    assert found.frame.unique_ids == ("Estria", "Namib", "Norlund")
    assert found.frame.axis.frequency == "YS"


@pytest.mark.parametrize("total", ["Total", "Gesamtergebnis", "Grand Total", "Insgesamt", "Summe", "总计"])
def test_totals_of_rows_and_columns_are_left_out_and_noted(total: str) -> None:
    found = upload(f"Region,2019,2020,2021,{total}", "North,1,2,3,6", "South,2,3,4,9", f"{total},3,5,7,15")
    assert found.frame.unique_ids == ("North", "South")
    assert found.frame.columns == ()
    notes = " ".join(found.profile.detected.notes)
    assert f"Left out as totals of others are '{total}' (row 4)." in notes
    assert f"Not used: '{total}' (is named as a total of other columns)." in notes


def test_a_table_of_totals_alone_keeps_them() -> None:
    assert upload("Region,2019,2020,2021", "Total,3,5,7").profile.observations == 3


def test_the_total_beside_columns_that_are_series_is_left_out() -> None:
    days = made("2020-01-01", 20, "D")
    lines = (f"{day},{i + 10},{2 * i + 10},{i % 5 + 7},{3 * i + i % 5 + 27}" for i, day in enumerate(days))
    found = upload("date,Oslo,Bergen,Tromsø,Total", *lines)
    assert found.frame.unique_ids == ("Bergen", "Oslo", "Tromsø")
    assert found.frame.columns == ()


@pytest.mark.parametrize("id_column", [None, "Province/State,Country/Region"])
def test_blank_parts_of_a_joined_name_are_left_out_of_it(id_column: str | None) -> None:
    said = {"id_column": id_column} if id_column else {}
    found = upload(
        "Province/State,Country/Region,Lat,Long,1/22/20,1/23/20,1/24/20,1/25/20",
        ",Albania,41,20,0,0,1,2",
        "Victoria,Australia,-37,144,1,1,2,3",
        "New South Wales,Australia,-33,151,1,2,3,4",
        ",Norway,60,8,0,0,0,1",
        **said,
    )
    assert found.frame.unique_ids == (
        "Albania",
        "New South Wales / Australia",
        "Norway",
        "Victoria / Australia",
    )


def test_numbered_columns_of_several_rows_without_names_ask_what_repeats() -> None:
    header = ",".join(f"d_{i}" for i in range(1, 8))
    with pytest.raises(Unsettled) as caught:
        upload(header, "1,2,3,4,5,6,7", "2,3,4,5,6,7,8")
    assert [question.option for question in caught.value.questions] == ["duplicates"]


def test_numbered_columns_beside_a_column_of_times_are_measures() -> None:
    header = ",".join(["time", *(f"value {i}" for i in range(1, 8))])
    lines = [f"{1_600_000_000 + 86_400 * day},{row(day, 7)}" for day in range(30)]
    assert upload(header, *lines, target_column="value 3").profile.frequency == "D"
    with pytest.raises(Unsettled, match="target_column"):
        upload(header, *lines)
