"""Dates as people of many languages write them."""

import pandas as pd
import pytest

from app.intake.time.dates import Hints
from app.intake.time.times import read_times
from tests.app.intake.uploads import made, times, upload


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("2020年1月", "2020-01-01"),
        ("2020年1月9日", "2020-01-09"),
        ("2020年1月9日 13:00", "2020-01-09T13"),
        ("2020年01月09日(木)", "2020-01-09"),
        ("2020年1月9日 星期四", "2020-01-09"),
        ("2020年第2季度", "2020-04-01"),
        ("2020年二季度", "2020-04-01"),
        ("2020年第四季度", "2020-10-01"),
        ("2020年十一月", "2020-11-01"),
        ("2020年1月下旬", "2020-01-21"),
        ("2020年1月9日13时", "2020-01-09T13"),
        ("2020年1月9日 13時05分", "2020-01-09T13:05"),
        ("令和2年4月", "2020-04-01"),
        ("平成31年1月9日", "2019-01-09"),
        ("令和元年5月", "2019-05-01"),
        ("R2.4", "2020-04-01"),
        ("H30.12.31", "2018-12-31"),
        ("民國109年1月", "2020-01-01"),
        ("109年1月", "2020-01-01"),
        ("109/04/01", "2020-04-01"),
        ("2020/1/9 下午 1:00", "2020-01-09T13"),
        ("2020-01-09 오전 1:00:00", "2020-01-09T01"),
        ("09/13/2020 01:00:00 p. m.", "2020-09-13T13"),
        ("2020. 04", "2020-04-01"),
        ("2020. 2/4", "2020-04-01"),
        ("2020년 제 2/4분기", "2020-04-01"),
        ("II кв. 2020 г.", "2020-04-01"),
        ("2 квартал 2020", "2020-04-01"),
        ("2. Quartal 2020", "2020-04-01"),
        ("2020-T2", "2020-04-01"),
        ("2e trimestre 2020", "2020-04-01"),
        ("2. çeyrek 2020", "2020-04-01"),
        ("الربع الثاني 2020", "2020-04-01"),
        ("Oca.20", "2020-01-01"),
        ("2020. április", "2020-04-01"),
        ("KW 02/2020", "2020-01-06"),
        ("2020年第5周", "2020-01-27"),
        ("２０２０年１月", "2020-01-01"),
        ("２０２０／０１／０９", "2020-01-09"),
        ("2020년 1월", "2020-01-01"),
        ("2020년 1월 9일 목요일", "2020-01-09"),
        ("2020년 2분기", "2020-04-01"),
        ("2020. 1. 9.", "2020-01-09"),
        ("9 января 2020 г.", "2020-01-09"),
        ("январь 2020", "2020-01-01"),
        ("янв. 2020", "2020-01-01"),
        ("9 stycznia 2020", "2020-01-09"),
        ("9 Ocak 2020", "2020-01-09"),
        ("Ağu 2020", "2020-08-01"),
        ("KASIM 2020", "2020-11-01"),
        ("9 de enero de 2020", "2020-01-09"),
        ("9 gennaio 2020", "2020-01-09"),
        ("9 janvier 2020", "2020-01-09"),
        ("Μάρτιος 2020", "2020-03-01"),
        ("يناير 2020", "2020-01-01"),
        ("٩ يناير ٢٠٢٠", "2020-01-09"),
        ("تشرين الأول 2020", "2020-10-01"),
        ("मार्च 2020", "2020-03-01"),
        ("01.2020", "2020-01-01"),
    ],
)
def test_a_date_is_read_in_the_language_it_is_written_in(text: str, read_as: str) -> None:
    found = read_times(pd.Series([text]), Hints())
    assert found.readable.all()
    assert str(found.ordinals.astype("M8[us]")[0])[: len(read_as)] == read_as


@pytest.mark.parametrize(
    ("names", "number"), [(["listopad 2020", "styczeń 2021"], 11), (["listopad 2020", "siječanj 2021"], 10)]
)
def test_a_name_of_two_months_means_that_of_the_language_of_the_others(names: list[str], number: int) -> None:
    found = read_times(pd.Series(names), Hints())
    assert str(found.ordinals.astype("M8[us]")[0])[5:7] == str(number)


@pytest.mark.parametrize("form", ["{year}年", "{year}年度", "{year}년도", "平成{era}年", "民國{minguo}年"])
def test_years_with_their_sign_are_years(form: str) -> None:
    years = range(2000, 2010)
    lines = (form.format(year=year, era=year - 1988, minguo=year - 1911) for year in years)
    found = upload("年度,売上", *(f"{line},{i}" for i, line in enumerate(lines)))
    assert (found.profile.frequency, times(found)) == ("YS", [*years])


@pytest.mark.parametrize("column", ["{m}月", "{m}월"])
def test_months_with_their_sign_are_joined_with_the_year(column: str) -> None:
    lines = (f"{year},{column.format(m=m)},{m}" for year in (2020, 2021) for m in range(1, 13))
    found = upload("年,月,y", *lines)
    assert (found.profile.detected.time_column, found.profile.frequency) == ("年,月", "MS")


def test_month_names_in_a_column_of_their_own_are_of_one_language() -> None:
    names = "siječanj veljača ožujak travanj svibanj lipanj srpanj kolovoz rujan listopad studeni prosinac"
    lines = (f"{year},{name},{i}" for year in (2020, 2021) for i, name in enumerate(names.split()))
    found = upload("year,month,y", *lines)
    assert times(found)[9] == "2020-10-01"
    assert found.frame.y[9] == 9


def test_month_and_year_with_a_point_are_months_though_they_are_numbers() -> None:
    months = made("2019-01-01", 24, "MS", "%m.%Y")
    found = upload("Monat;Umsatz", *(f"{month};{i},5" for i, month in enumerate(months)))
    assert (found.profile.frequency, found.profile.detected.date_format) == ("MS", "%m.%Y")
