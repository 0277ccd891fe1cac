"""Whether columns of numbers are series of one thing, such as cities, and not several things measured."""

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
from babel import Locale

from app.intake.columns.contents import Sample
from app.intake.columns.names import normal
from app.intake.columns.numbers import read_numbers

LEAST = 3  # columns
COMPARABLE = 30.0  # times the least of their medians is the largest of them
LEAST_COMMON = 3  # signs that all names begin or end with
PROPER = re.compile(r"[A-ZÀ-ÞĀ-ŽА-ЯΑ-Ω][^\W\d_]+(?:[ .'’-]+[^\W\d_]+)*")
WORD = re.compile(r"[^\W\d_]+")
# What tables hold beside one another as columns of one row.
WORDS = """
open high low close adj adjusted last bid ask volume turnover price prices cost costs revenue income
profit margin sales sale sold units unit quantity qty amount value values count counts number total sum
average avg mean median min max minimum maximum std demand load supply consumption production generation
power energy voltage current temp temperature humidity pressure wind speed direction rain rainfall snow
precipitation cloud clouds solar radiation visibility dew customers customer users user visitors visits
visit sessions session pageviews views clicks impressions orders order returns discount promo promotion
stock inventory weight height length width age rate ratio share index score rank year month week day
hour date time id code lat lon latitude longitude population births deaths cases confirmed recovered
tests passengers flights guests rooms spend budget forecast actual plan target error registered casual
holiday umsatz menge preis kosten anzahl absatz bestand temperatur verbrauch erzeugung einnahmen
ausgaben gewinn ventes prix quantité quantite coût coûts stock température ventas precio cantidad
ingresos costo цена продажи количество выручка сумма стоимость температура satış fiyat miktar gelir
"""
NO_NAMES = {
    *("value", "column", "col", "var", "variable", "feature", "field", "sensor", "lag"),
}  # whatever number follows
MEASURES = frozenset(WORDS.split())
EASTERN_MEASURES = re.compile(
    "[价價額额数量数値值金温度率销销売上本格収收入支出利润매출액수량가격온도율판매]"
)


def are_series(sample: Sample, names: Sequence[str]) -> bool:
    """Return whether names are plainly those of series, and their numbers comparable."""
    if len(names) < LEAST or not (_are_alike(names) or _are_proper(names)):
        return False
    return _are_comparable(sample, names)


def _are_proper(names: Sequence[str]) -> bool:
    """Return whether all are proper names, or codes of countries."""
    if set(names) <= _countries():
        return True
    return all(PROPER.fullmatch(name) and not (name.isupper() or _is_measure(name)) for name in names)


def _are_alike(names: Sequence[str]) -> bool:
    """Return whether names differ in one part alone, which is no measure, as in store_1, store_2."""
    begin = _common(names)
    end = _common([name[len(begin) :][::-1] for name in names])[::-1]
    rest = [name[len(begin) : len(name) - len(end)] for name in names]
    if max(len(begin), len(end)) < LEAST_COMMON or (begin[-1:].isalpha() and end[:1].isalpha()):
        return False
    if normal(begin) in NO_NAMES or (
        begin and begin[-1].isalpha() and not all(part[:1].isdigit() for part in rest)
    ):
        return False
    return all(part and not _is_measure(part) for part in rest)


def _common(names: Sequence[str]) -> str:
    """Return what all names begin with."""
    first, last = min(names), max(names)
    differ = (i for i, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(differ, min(len(first), len(last)))]


def _is_measure(name: str) -> bool:
    words = {word.lower() for word in WORD.findall(name)}
    return bool(words & MEASURES) or EASTERN_MEASURES.search(name) is not None


def _are_comparable(sample: Sample, names: Sequence[str]) -> bool:
    """Return whether the medians of the distinct numbers in each column are of one size."""
    cells, at = sample.cells, [sample.names_at[name] for name in names]
    numbers = read_numbers(cells.texts, "", decimal=".").numbers
    sizes = pd.Series(np.abs(numbers[cells.text])).groupby(cells.column).median().reindex(at)
    return bool(sizes.min() > 0 and sizes.max() <= COMPARABLE * sizes.min())


@cache
def _countries() -> frozenset[str]:
    return frozenset(str(code) for code in Locale("en").territories if str(code).isalpha())
