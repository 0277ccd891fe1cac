"""Which language a text is in, if any: the check that tells apart encodings which all can read its bytes."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from babel import Locale
from charset_normalizer.constant import FREQUENCIES

from app.intake.time.notations.languages import month_numbers

# A run of signs that are no ASCII digits, spaces or punctuation; a mark that stands between letters is one.
TOKEN = re.compile(r"(?:[^\s\d!-/:-@\[-`{-~‘’“”„–—…«»]|(?<=[^\W\d])[“”„«»](?=[^\W\d]))+")
SYMBOLS = "€£¥¢°²³µ§©®™·×±½¼¾№ªº†•‰、。，．：；（）「」【】《》％￥～・ー￡"
SYMBOL = 0.8  # what a token of these alone counts: it suits any language
LONGEST_UNIT = 3  # letters beside a symbol, as in km²
SINGLE = 0.5  # what a token of one sign counts: it shows little
MOST_ACCENTS = 0.75  # of the letters of a Latin word
FREQUENT, EXPECTED = 12, 0.7  # letters of a language, and the share of a text that they are
KNOWN = 0.6  # what a sign counts that names of countries are written with, to 1 for those of headers
SEEN = 300  # tokens


@dataclass(frozen=True)
class Alphabet:
    """A language written in letters: those it has beyond ASCII, and words that head columns."""

    name: str  # as Babel has it
    letters: str
    words: str = ""
    frequent: str = ""  # the name of its letters by frequency
    is_latin: bool = True
    weight: float = 1.0

    def score(self, tokens: Collection[str]) -> float:
        """Return from 0 to 2 how well tokens suit: words of it, as its capitals are put."""
        months = month_numbers(tokens, (self.name,))
        known = set(self.words.split())
        found = [self._token(token) + (token.lower() in known or token in months) for token in tokens]
        return self.weight * sum(found) / len(found) * self._frequency(tokens)

    def _token(self, token: str) -> float:
        bare = token.strip(SYMBOLS)
        if bare.isascii():
            return SYMBOL if len(bare) <= LONGEST_UNIT else 0.0
        capitals = [sign.isupper() for sign in token]
        in_turn = not any(one and other for one, other in pairwise(capitals))
        accents = (pair for pair in pairwise(token) if not pair[1].isascii())
        accent_within = any(one.islower() and other.isupper() for one, other in accents)
        in_turn = in_turn and not accent_within
        is_cased = token.lower() == token or token.isupper() or (in_turn and capitals[0])
        others = [sign for sign in token.lower() if not sign.isascii()]
        fits = all(sign in self.letters for sign in others) and (self.is_latin or len(others) == len(token))
        # A word of a Latin language has plain letters, unless it is very short.
        mixed = not self.is_latin or len(token) <= 2 or len(others) <= MOST_ACCENTS * len(token)  # noqa: PLR2004
        return float(is_cased and fits and mixed) * (SINGLE if len(token) == 1 else 1.0)

    def _frequency(self, tokens: Collection[str]) -> float:
        if not self.frequent:
            return 1.0
        letters = "".join(tokens).lower()
        share = sum(sign in FREQUENCIES[self.frequent][:FREQUENT] for sign in letters) / max(len(letters), 1)
        return 0.5 + 0.5 * min(share / EXPECTED, 1.0)


@dataclass(frozen=True)
class Signs:
    """A language of many signs: how usual each is, and those that head columns."""

    name: str
    usual: Callable[[str], float]
    common: str

    def score(self, tokens: Collection[str]) -> float:
        """Return from 0 to 2 how well tokens suit: usual signs of one script, and common ones."""
        found = [self._token(token) for token in tokens]
        return sum(found) / len(found)

    def _token(self, token: str) -> float:
        signs = [sign for sign in token.strip(SYMBOLS) if not sign.isascii()]
        if not signs:
            return SYMBOL
        usual = sum(map(self.usual, signs)) / len(signs)
        known = _signs_of(self.name)
        common = sum(1.0 if sign in self.common else KNOWN * (sign in known) for sign in signs) / len(signs)
        usual *= SINGLE if len(signs) == 1 else 1.0
        return (usual + common) * (1.0 if len(signs) * 2 >= len(token) else 0.2)


@cache
def _signs_of(name: str) -> frozenset[str]:
    """Return the signs that the names of countries, languages and currencies are written with."""
    locale = Locale.parse(name)
    names = (locale.territories, locale.languages, locale.currencies)
    return frozenset("".join(str(text) for each in names for text in each.values()))


def tokens_of(text: str) -> tuple[str, ...]:
    """Return the first distinct tokens of a text that are not ASCII."""
    return tuple(dict.fromkeys(token for token in TOKEN.findall(text) if not token.isascii()))[:SEEN]


def _rows(encoding: str, first: int, last: int, *, other: float = 0.2) -> Callable[[str], float]:
    """Return what tells whether a sign is among the common ones, which stand in some rows of a standard."""

    def usual(sign: str) -> float:
        try:
            row = sign.encode(encoding)[0]
        except UnicodeEncodeError:
            return 0.0
        return 1.0 if first <= row <= last else other

    return usual


_kanji = _rows("euc_jp", 0xB0, 0xCF)
_hangul = _rows("euc_kr", 0xB0, 0xC8)


def _japanese(sign: str) -> float:
    return 1.0 if "\u3041" <= sign <= "\u30fe" else 0.9 * _kanji(sign)


def _korean(sign: str) -> float:
    return 0.9 * _hangul(sign) if "\uac00" <= sign <= "\ud7a3" else 0.0


WESTERN = "äöüßàâæçéèêëîïôœùûáíñóúãõåøìò"
CENTRAL = "ąćęłńóśźżáčďéěíňřšťúůýžöőüűăâîşţđ"
CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъьюя"
LANGUAGES: Mapping[str, Alphabet | Signs] = {
    each.name: each
    for each in (
        Alphabet("en", WESTERN, weight=0.95),  # which names places in any of them
        Alphabet("en_DE", CENTRAL, weight=0.85),
        Alphabet("de", "äöüß"),
        Alphabet("fr", "àâæçéèêëîïôœùûüÿ"),
        Alphabet("es", "áéíñóúü"),
        Alphabet("pt", "àáâãçéêíóôõúü"),
        Alphabet("it", "àèéìòù"),
        Alphabet("sv", "åäöé"),
        Alphabet("da", "æøåéó"),
        Alphabet("ca", "àçèéíïòóúü·"),
        Alphabet("is", "áðéíóúýþæö", weight=0.9),
        Alphabet("pl", "ąćęłńóśźż", "miesiąc sprzedaż ilość wartość województwo"),
        Alphabet("cs", "áčďéěíňóřšťúůýž", "měsíc tržby počet množství částka prodejů město"),
        Alphabet("sk", "áäčďéíĺľňóôŕšťúýž", "mesiac tržby počet množstvo"),
        Alphabet("hu", "áéíóöőúüű", "idő dátum hónap összeg értékesítés mennyiség érték város"),
        Alphabet("hr", "čćđšž", "količina prodaja"),
        Alphabet("ro", "ăâîşţșț", "lună dată vânzări cantitate județ"),
        Alphabet(
            "tr", "çğıi̇öşüâîû", "satış satışlar yıl ürün müşteri şehir şube değer adet tarih ücret sıcaklık"
        ),
        Alphabet("lt", "ąčęėįšųūž", "mėnuo"),
        Alphabet("lv", "āčēģīķļņšūž", "mēnesis"),
        Alphabet(
            "ru",
            f"{CYRILLIC}ыэё",
            "дата продажи выручка количество сумма месяц год товар город магазин цена регион период квартал"
            " кв итого всего тыс млн млрд руб чел г",
            "Russian",
            is_latin=False,
        ),
        Alphabet("uk", f"{CYRILLIC}іїєґ", "дата продажі місяць рік кількість", "Ukrainian", is_latin=False),
        Alphabet("bg", CYRILLIC, "дата продажби месец година количество", "Bulgarian", is_latin=False),
        Alphabet(
            "el",
            "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ",
            "ημερομηνία πωλήσεις μήνας έτος ποσότητα τιμή",
            "Greek",
            is_latin=False,
        ),
        Alphabet("he", "אבגדהוזחטיךכלםמןנסעףפץצקרשת", "", "Hebrew", is_latin=False),
        Alphabet("ar", "ءآأؤإئابةتثجحخدذرزسشصضطظعغـفقكلمنهوىيًٌٍَُِّْ", "", "Arabic", is_latin=False),
        Alphabet("th", "".join(map(chr, range(0x0E01, 0x0E5C))), "", "Thai", is_latin=False),
        Signs(
            "zh",
            _rows("gb2312", 0xB0, 0xD7),
            "日期时间年月份季度周星天销售额量数价格金单总合计产品商名称类别型号地区域省市县城店铺门客户订收入支出成本利润库存温湿电"
            "力用水气人口指标值编码备注国家北京上海广州深圳东南西中华第万亿元平均最高低进出口业生产消费需求预测实际销量",
        ),
        Signs(
            "zh_Hant",
            _rows("big5", 0xA4, 0xC6),
            "日期時間年月份季度週星天銷售額量數價格金單總合計產品商名稱類別型號地區域省市縣城店鋪門客戶訂收入支出成本利潤庫存溫濕電"
            "力用水氣人口指標值編碼備註國家臺台北高雄中南東西第萬億元平均最低進出口業生產消費需求預測實際營業",
        ),
        Signs(
            "ja",
            _japanese,
            "日付年月度週時間売上高数量金額合計商品名称分類番号地域店舗部門顧客注文収入支出原価利益在庫気温湿電力使用人口指標値単"
            "位東京大阪名古屋都道府県市区第万億円平均最低予測実績件個",
        ),
        Signs(
            "ko",
            _korean,
            "날짜일자시간년월분기주요매출액판매수량금합계상품제명종류번호지역점포부문고객주문입지출원가이익재온습도전력사용인구지표값"
            "단위서울산대광천도별국총평균최저예측실적건개가격",
        ),
    )
}
