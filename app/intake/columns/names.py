"""Names that columns of each role often have."""

import re
from collections.abc import Iterable
from functools import lru_cache

# In tiers: a name of an earlier tier goes before all names of later ones.
ID_NAMES = (
    ("unique_id",),
    ("series_id", "series", "series_name"),
    (
        *("id", "name", "item", "item_id", "item_name", "product", "product_id", "sku", "article", "store"),
        *("store_id", "shop", "country", "country_name", "country_code", "region", "state", "city", "code"),
        *("key", "group", "symbol", "ticker", "sensor", "sensor_id", "device", "device_id", "station"),
        *("station_id", "meter", "meter_id", "customer", "customer_id", "location", "site", "branch"),
    ),
)
DATES = ("fecha", "дата", "tarih", "التاريخ", "日期", "时间", "時間", "日付", "日時", "날짜", "일자")
TIME_NAMES = (
    ("ds",),
    ("date", "datetime", "date_time", "timestamp", "time", "datum", *DATES),
    (
        *("year", "quarter", "month", "week", "day", "hour", "period", "year_month", "yearmonth", "t"),
        "step",
        *("time_period", "ts", "epoch", "unix_time", "unixtime", "yearweek", "year_week"),
        *("yearquarter", "yyyymm", "yyyyq"),
    ),
)
CERTAIN_TARGETS = (("y",), ("value", "values", "target", "obs_value"))
TARGET_NAMES = (
    *CERTAIN_TARGETS,
    (
        *("sales", "count", "demand", "load", "population", "quantity", "qty", "amount", "volume", "units"),
        *("visitors", "passengers", "orders", "revenue", "price", "temp", "temperature", "consumption"),
    ),
)
CALENDAR_NAMES = {
    *("weekday", "day_of_week", "dayofweek", "dow", "day_of_year", "dayofyear", "doy", "is_weekend"),
    *("weekend", "holiday", "is_holiday", "workingday", "is_workday", "semester", "fiscal_year"),
}
KNOWN_DAYS = {"holiday", "is_holiday", "workingday", "is_workday"}  # which no calendar of weeks tells
TOTAL = (
    r"(?i)\**\s*(?:(?:grand |sub)?total|sum|summe|gesamt(?:ergebnis|summe)?|insgesamt|average|mean|avg"
    r"|durchschnitt|total g[eé]n[eé]ral|totale(?: complessivo)?|total geral|suma(?: końcowa)?|totaal"
    r"|eindtotaal|totalsumma|celkový součet|razem|итого|всего|общий итог|среднее|المجموع|الإجمالي|المتوسط"
    r"|(?:genel |ara )?toplam|ortalama|[合小累]\s?[计計]|总计|總計|総計|平均|[합소]\s?계|총\s?합?계|평균):?"
)
"""Names of rows and columns that are totals or means of others, as spreadsheets write them."""
SUMMARY = (
    rf"{TOTAL}|(?:min|max)(?:imum|\.)?|median|ytd|year[ -]to[ -]date|mittel(?:wert)?|moyenne|m[eé]dia"
    r"|promedio|(?:std|st)\.? ?dev\.?|最大|最小"
)
"""Names of rows below those of times, which sum them up."""
TOTALS_OF = {"Ergebnis", "集計", "汇总", "요약", "Résultat"}  # of spreadsheets, behind the name of a group
COUNTER_NAMES = {"index", "row", "row_number", "rownum", "rownames", "record", "no", "nr", "unnamed_0", "id"}


NAMES = 4096


@lru_cache(NAMES)  # a name of a column is looked at thirty times, and a table may have a thousand columns
def normal(name: str) -> str:
    """Return a name in small letters, with its words joined by underscores."""
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def in_first_tier(names: Iterable[str], tiers: tuple[tuple[str, ...], ...]) -> list[str]:
    """Return the names in the first tier that has any."""
    names = list(names)
    for tier in tiers:
        found = [name for name in names if normal(name) in tier]
        if found:
            return found
    return []


def is_total(name: str) -> bool:
    """Return whether a row or column of this name is a total of others."""
    return re.fullmatch(TOTAL, name.strip()) is not None


def is_summary(text: str) -> bool:
    """Return whether a text in a column of times names a total, a mean or the like of the others."""
    return re.fullmatch(SUMMARY, text.strip()) is not None


@lru_cache(NAMES)
def total_of(name: str) -> str:
    """Return whose total a row of this name is, as `North Total` is of North; empty for any other name."""
    words = name.split()
    if len(words) > 1 and (is_total(words[-1]) or words[-1] in TOTALS_OF):
        return " ".join(words[:-1])
    return " ".join(words[1:]) if len(words) > 1 and is_total(words[0]) else ""


def is_code_name(name: str) -> bool:
    """Return whether whole numbers in a column of this name are likely codes."""
    return is_in(name, ID_NAMES) or normal(name).endswith(("_id", "_nr", "_code"))


def is_in(name: str, tiers: tuple[tuple[str, ...], ...]) -> bool:
    return any(normal(name) in tier for tier in tiers)
