"""Encodings of the files that spreadsheets of many countries write, told apart by their words."""

from io import BytesIO

import pytest

from app.errors import BadInput
from app.intake.options import ReadOptions
from app.intake.preview import preview_csv
from app.intake.problems import Unsettled
from app.intake.reader import read_csv
from app.intake.tables.encodings import find_encoding
from app.intake.tables.text import END, Text
from tests.app.intake.uploads import made

TEXTS = {
    "gb18030": ["日期,销售额", "年份;地区;产值", "门店,商品名称,数量", "时间,客流", "日期,气温℃"],
    "gbk": ["日期,销售额", "日期,北京,上海,广州"],
    "big5": ["日期,銷售額", "年度,營業額", "月份,門市"],
    "cp932": ["日付,売上", "年月,来客数", "店舗,カテゴリ,個数"],
    "euc_jp": ["日付,売上", "店舗,カテゴリ,個数"],
    "euc_kr": ["날짜,매출액", "지점,품목,수량"],
    "cp949": ["년월,방문자수", "시간,기온"],
    "cp1251": ["Дата;Продажи", "дата;показатель", "Месяц;ВЫРУЧКА", "Місяць;Кількість"],
    "koi8_r": ["Дата;Продажи", "дата;показатель"],
    "cp866": ["Дата;Продажи"],
    "cp1253": ["Ημερομηνία;Πωλήσεις", "έτος;ποσότητα"],
    "cp1254": ["Tarih;Satış", "Yıl;Ürün;Tutarı", "Ağustos 2020;5", "İl;İlçe"],
    "iso8859_9": ["Tarih;Satış"],
    "cp1252": [
        "Date;Quantité",
        "Größe;Menge",
        "Año;Población",
        "Mês;Preço",
        "Città;Età",
        "date;€",
        "date;Tromsø",
    ],
    "iso8859_15": ["Prix en €;Année"],
    "cp1250": ["Měsíc;Tržby", "Miesiąc;Sprzedaż", "Dátum;Idő", "godina;količina"],
    "iso8859_2": ["Miesiąc;Sprzedaż"],
    "cp1257": ["Mėnuo;Kiekis"],
    "mac_roman": ["Datum;Größe", "date;Quantité", "Ort;Größe in Köln"],
    "cp850": ["Datum;Größe", "Datum;Käufe in Köln", "date;Quantité", "fecha;Año"],
    "cp1256": ["التاريخ;المبيعات"],
}


def read_whole(text: Text) -> str:
    return b"".join(text.utf8()).decode().removesuffix(f"{END}\n")


CASES = [(encoding, text) for encoding, texts in TEXTS.items() for text in texts]


@pytest.mark.parametrize(("encoding", "text"), CASES)
def test_an_encoding_is_found_by_the_words_of_a_header(encoding: str, text: str) -> None:
    data = f"{text}\n2020-01-01;5\n".encode(encoding)
    found = find_encoding(BytesIO(data))
    assert read_whole(found.text) == f"{text}\n2020-01-01;5\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_unicode_is_read_by_its_mark(encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    found = find_encoding(BytesIO(f"{mark}日期,销售额\n".encode(encoding)))
    assert read_whole(found.text) == "日期,销售额\n"


def months(header: str, form: str = "%Y-%m") -> str:
    lines = (f"{month},{i}" for i, month in enumerate(made("2020-01-01", 12, "MS", form)))
    return "\n".join([header, *lines])


@pytest.mark.parametrize(
    ("encoding", "header", "form", "name"),
    [
        ("gb18030", "日期,销售额", "%Y年%-m月", "销售额"),
        ("big5", "日期,銷售額", "%Y年%-m月", "銷售額"),
        ("cp932", "年月,売上", "%Y年%m月", "売上"),
        ("euc_kr", "년월,매출액", "%Y년 %-m월", "매출액"),
        ("cp1251", "Дата,Продажи", "%m.%Y", "Продажи"),
        ("koi8_r", "Дата,Продажи", "01.%m.%Y", "Продажи"),
        ("cp1254", "Tarih,Satış", "01.%m.%Y", "Satış"),
        ("cp1253", "Μήνας,Πωλήσεις", "%Y-%m", "Πωλήσεις"),
        ("cp1256", "التاريخ,المبيعات", "%Y-%m", "المبيعات"),
        ("cp949", "날짜,매출액", "%Y. %-m. 1.", "매출액"),
    ],
)
def test_an_export_of_a_country_becomes_its_series(encoding: str, header: str, form: str, name: str) -> None:
    found = read_csv(months(header, form).encode(encoding), ReadOptions())
    assert (found.frame.unique_ids, found.frame.axis.frequency) == ((name,), "MS")


def test_of_two_latin_encodings_the_likelier_is_taken_and_noted() -> None:
    notes = read_csv(months("month,Tromsø").encode("cp1252"), ReadOptions()).profile.detected.notes
    assert notes[0] == "The text is read as cp1252 (Tromsø); if it is cp1250 (Tromsř), say so by encoding."


UNSURE = months("month,מכירות").encode("cp1255")


def test_of_two_scripts_that_suit_both_readings_are_shown() -> None:
    with pytest.raises(Unsettled, match=r"cp1255 \(מכירות\)") as refused:
        read_csv(UNSURE, ReadOptions())
    assert [part.pointer for part in refused.value.errors] == ["#/encoding"]


def test_a_preview_reads_the_likelier_and_asks() -> None:
    preview = preview_csv(UNSURE, ReadOptions())
    assert [(each.parameter, each.candidates[0]) for each in preview.questions] == [("encoding", "cp1255")]
    assert preview.rows[0].unique_id == "מכירות"


def test_the_encoding_that_is_said_is_used() -> None:
    found = read_csv(UNSURE, ReadOptions(encoding="iso8859_8"))
    assert found.frame.unique_ids == ("מכירות",)
    assert found.profile.detected.options["encoding"] == "iso8859_8"


@pytest.mark.parametrize("encoding", ["hex", "nothing", "", "idna\0", "undefined"])
def test_an_encoding_that_is_none_of_text_is_refused(encoding: str) -> None:
    with pytest.raises(BadInput, match="is not known") as refused:
        read_csv(UNSURE, ReadOptions(encoding=encoding))
    assert [part.pointer for part in refused.value.errors] == ["#/encoding"]


def test_a_text_that_is_not_in_the_encoding_said_is_refused() -> None:
    with pytest.raises(BadInput, match="is said to be 'utf-8' text but is not"):
        read_csv(UNSURE, ReadOptions(encoding="utf-8"))


GERMAN = "Datum;Größe\n2023-01-01;1\n2023-01-02;2\n".encode()
CHINESE = "日期,销售额\n2023-01-01,1\n2023-01-02,北".encode()
TOWNS = "Stadt;Wert\n" + "".join(f"Köln;{i}\n" for i in range(2_000))


@pytest.mark.parametrize("data", [GERMAN + b"\xc3", CHINESE[:-1], CHINESE[:-2]])
def test_utf8_that_ends_inside_a_character_is_refused_as_cut(data: bytes) -> None:
    with pytest.raises(BadInput, match=r"ends inside a character, in line [34], byte .*: it was cut"):
        find_encoding(BytesIO(data))


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (TOWNS.encode().replace(b"K\xc3\xb6ln;999\n", b"K\xf6ln;999\n"), 1_001),
        (GERMAN.replace(b";2\n", b";2\xa0\n"), 3),
        (("日期,销售额\n北京,1\n".encode() + "上海".encode("gbk")), 3),
    ],
    ids=["a row of another file", "a space of another file", "a town of another file"],
)
def test_utf8_with_a_few_other_bytes_is_refused_naming_line_and_byte(data: bytes, line: int) -> None:
    with pytest.raises(BadInput, match=f"not, the first in line {line:,}, byte") as refused:
        find_encoding(BytesIO(data))
    assert [part.pointer for part in refused.value.errors] == [f"#row={line}", "#/encoding"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"Datum;Ums\xc3tze\n2023-01-01;1\n2023-01-02;2\n", 1),
        (b"Datum;Ort;Wert\n2023-01-01;K\xc3ln;1\n2023-01-02;Bonn;2\n", 2),
        ("Datum;Umsätze\n2023-01-01;1\n2023-01-0".encode() + b"\xc3;2\n", 3),
        ("Datum;Umsätze\n2023-01-01;1".encode() + b"\xff\n2023-01-02;2\n", 2),
    ],
    ids=["a cut letter in the header", "a cut letter in a name", "a byte in a date", "a byte in a number"],
)
def test_utf8_whose_only_letters_are_damaged_is_refused_and_no_other_encoding(data: bytes, line: int) -> None:
    with pytest.raises(
        BadInput, match=f"The file is UTF-8 but for a few bytes: 1 byte is not, .* line {line},"
    ):
        find_encoding(BytesIO(data))


def test_a_text_that_suits_no_language_is_a_question_with_two_readings() -> None:
    with pytest.raises(Unsettled, match=r"may be .* \(.*\) or .* \(.*\)\. Say by encoding") as refused:
        find_encoding(BytesIO(b"a;\xd8\xa6q\xe9x;\xf5\xa1x\xd7\n2023-01-01;1;2\n"))
    assert [part.pointer for part in refused.value.errors] == ["#/encoding"]


def test_utf8_with_another_byte_is_read_where_its_encoding_is_said() -> None:
    assert find_encoding(BytesIO(GERMAN + b"\xf6"), "cp1252").text.encoding == "cp1252"


@pytest.mark.parametrize("header", ["Datum;Umsatz", "Datum;Größe"])
def test_an_apostrophe_between_thousands_is_a_mark_of_western_text(header: str) -> None:
    lines = (f"{day};41’{321 + i}.35" for i, day in enumerate(made("2023-01-01", 12, "D")))
    found = read_csv("\n".join([header, *lines]).encode("cp1252"), ReadOptions())
    assert found.profile.detected.encoding == "cp1252"
    assert found.frame.y[0] == 41321.35


def test_a_backslash_before_an_amount_is_the_sign_of_the_yen() -> None:
    lines = (f'{day},"\\1,{200 + i}"' for i, day in enumerate(made("2023-01-01", 12, "D", "%Y年%-m月%-d日")))
    found = read_csv("\n".join(["日付,金額", *lines]).encode("cp932"), ReadOptions())
    assert found.frame.y[:2].tolist() == [1200, 1201]
