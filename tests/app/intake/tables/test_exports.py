"""Exports of programs and offices in other languages: titles, totals, encodings, dates and numbers."""

from collections.abc import Callable, Iterable

import pytest

from app.intake.options import ReadOptions
from app.intake.reader import read_csv

COUNT = 24  # months from 2020-01 on
RUSSIAN = (
    *("Январь", "Февраль", "Март", "Апрель", "Май", "Июнь"),
    *("Июль", "Август", "Сентябрь", "Октябрь", "Ноябрь", "Декабрь"),
)
TURKISH = (
    *("Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran"),
    *("Temmuz", "Ağustos", "Eylül", "Ekim", "Kasım", "Aralık"),
)
ARABIC = (
    *("يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو"),
    *("يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
)
DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def months(form: Callable[[int, int, int], str]) -> list[str]:
    """A line for each month: year, month and the value, which begins with 1,001."""
    return [form(2020 + i // 12, i % 12 + 1, 1001 + i) for i in range(COUNT)]


def across(form: str) -> str:
    return ",".join(f'"{form.format(y=2020 + i // 12, m=i % 12 + 1)}"' for i in range(COUNT))


def numbers(first: int) -> str:
    return ",".join(f'"{first + i:,}"' for i in range(COUNT))


EXPORTS: dict[str, tuple[str, list[str]]] = {
    "wps sales": (
        "gb18030",
        [
            "某某公司2020-2021年度销售统计表,",
            "单位：元,",
            "日期,销售额",
            *months(lambda y, m, v: f'{y}年{m}月,"￥{v:,}.00"'),
            '合计,"￥24,300.00"',
            "制表人：张三,",
        ],
    ),
    "kingdee ledger": (
        "gb18030",
        [
            "凭证日期,摘要,科目编码,科目名称,借方金额,贷方金额",
            *months(lambda y, m, v: f'{y}-{m:02}-01,销售收入,6001,主营业务收入,,"{v:,}.00"'),
            '合计,,,,,"24,300.00"',
        ],
    ),
    "statistics of china": (
        "gb18030",
        [
            f"数据库：月度数据{',' * COUNT}",
            f"指标,{across('{y}年{m}月')}",
            f"发电量,{numbers(1001)}",
            f"数据来源：国家统计局{',' * COUNT}",
        ],
    ),
    "taiwan": (
        "cp950",
        ["年月,營業額", *months(lambda y, m, v: f'{y - 1911}年{m}月,"{v:,}"'), '合計,"24,300"'],
    ),
    "e-stat": (
        "cp932",
        [
            '"統計名：","家計調査"',
            '""',
            f'"用途分類","単位",{across("{y}年{m}月")}',
            f'"消費支出","円",{numbers(1001)}',
        ],
    ),
    "wareki": (
        "cp932",
        [
            "年月,売上（千円）,前年比",
            *months(lambda y, m, v: f'令和{y - 2018}年{m}月,"{v:,}",{"▲" if m == 1 else ""}3.5'),
        ],
    ),
    "kosis": ("cp949", [f'"시도별","단위",{across("{y}. {m:02}")}', f'"서울특별시","명",{numbers(1001)}']),
    "korean sales": (
        "cp949",
        ["월,매출액(원)", *months(lambda y, m, v: f'{y}년 {m}월,"₩{v:,}"'.replace("₩", "")), '합계,"24,300"'],
    ),
    "1c": (
        "cp1251",
        [
            "Отчет по продажам;",
            "Период: 01.01.2020 - 31.12.2021;",
            "Месяц;Выручка, руб.",
            *months(lambda y, m, v: f"{RUSSIAN[m - 1]} {y} г.;{v // 1000}\u00a0{v % 1000:03},00"),
            "Итого;24\u00a0300,00",
        ],
    ),
    "rosstat": (
        "cp1251",
        [
            f"Объем отгрузки{';' * 12}",
            f"Год;{';'.join(RUSSIAN)}",
            *(f"{y};" + ";".join(f"{1001 + 12 * (y - 2020) + m},0" for m in range(12)) for y in (2020, 2021)),
        ],
    ),
    "arabic": (
        "cp1256",
        ["الشهر,المبيعات", *months(lambda y, m, v: f"{ARABIC[m - 1]} {y},{v}"), "المجموع,24300"],
    ),
    "arabic digits": (
        "utf-8-sig",
        ["الشهر;القيمة", *months(lambda y, m, v: f"{m:02}/{y};{v}٫0".translate(DIGITS))],
    ),
    "turkish": (
        "cp1254",
        [
            "Ay;Satış Tutarı (TL)",
            *months(lambda y, m, v: f"{TURKISH[m - 1]} {y};{v // 1000}.{v % 1000:03},00"),
            "Genel Toplam;24.300,00",
        ],
    ),
    "turkstat": (
        "cp1254",
        [
            f"Yıl;{';'.join(TURKISH)}",
            *(
                f"{y};" + ";".join(f"1.{1 + 12 * (y - 2020) + m:03},0" for m in range(12))
                for y in (2020, 2021)
            ),
        ],
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_becomes_its_series_without_a_word(name: str) -> None:
    encoding, lines = EXPORTS[name]
    said = ReadOptions(target_column="売上（千円）") if name == "wareki" else ReadOptions()
    found = read_csv(written(lines, encoding), said)
    assert (found.profile.start, found.profile.end, found.profile.frequency) == (
        "2020-01-01",
        "2021-12-01",
        "MS",
    )
    assert found.frame.y.tolist() == [1001 + i for i in range(COUNT)]


def test_negative_numbers_of_ledgers_in_japanese_are_noted() -> None:
    lines = months(lambda y, m, v: f"{y}年{m}月,{'△' if m % 2 else ''}{v}")
    found = read_csv(written(["年月,増減", *lines], "cp932"), ReadOptions())
    assert found.frame.y[:2].tolist() == [-1001, 1002]
    assert "In '増減' '△1001' is read as -1001." in found.profile.detected.notes


def written(lines: Iterable[str], encoding: str) -> bytes:
    return "\r\n".join([*lines, ""]).encode(encoding)
