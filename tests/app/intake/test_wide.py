"""Tables with very many columns: their limit, and headers of any length."""

import pytest

from app.errors import BadInput
from app.intake.files.conversion import FileLimits
from app.intake.reader import ReadOptions, read_csv
from tests.app.intake.uploads import upload

DAYS = ("2024-01-01", "2024-01-02", "2024-01-03")


def test_more_columns_than_the_bound_are_refused_with_a_remedy() -> None:
    data = b"ds,y,a,b\n2024-01-01,1,2,3\n"
    with pytest.raises(BadInput, match=r"4 columns, and 3 is the most.*GATECAST_MAX_COLUMNS"):
        read_csv(data, ReadOptions(), FileLimits(columns=3))


def test_as_many_columns_as_the_bound_are_read() -> None:
    rows = b"".join(f"{day},1,2\n".encode() for day in DAYS)
    assert read_csv(b"ds,y,a\n" + rows, ReadOptions(), FileLimits(columns=3)).frame.y.tolist() == [1, 1, 1]


def test_twenty_thousand_columns_are_the_most() -> None:
    with pytest.raises(BadInput, match=r"20,001 columns, and 20,000 is the most"):
        upload(",".join(f"c{i}" for i in range(20_001)), "1,2,3")


def test_header_longer_than_what_is_judged_first_is_read_whole() -> None:
    names = [f"a column with a long name {i}" for i in range(8_000)]
    rows = (",".join([day, *(str(i) for i in range(8_000))]) for day in DAYS)
    intake = upload(",".join(["date", *names]), *rows, target_column=names[7_000])
    assert intake.frame.unique_ids == (names[7_000],)
    assert intake.frame.y.tolist() == [7_000] * 3


@pytest.mark.parametrize("text", ["a" * 5_000_000, "a," * 2_500_000, "," * 5_000_000 + "a"])
def test_line_longer_than_any_header_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="first line is longer than 4,194,304 bytes"):
        upload(text)


def test_column_that_is_absent_is_refused_in_few_words() -> None:
    with pytest.raises(BadInput, match="no column 'x") as caught:
        upload(f"date,{'y' * 10_000}", "2024-01-01,1", target_column="x" * 10_000)
    assert len(caught.value.detail) < 1_000


def test_one_column_settles_all_others_however_many() -> None:
    header = ",".join(["date", "y", *(f"text {i}" for i in range(40))])
    rows = (
        f"{day},1.5," + ",".join([f"n{k}"] * 20 + [f"half{k // 2}"] * 20) for k in range(4) for day in DAYS
    )
    intake = upload(header, *rows)
    assert intake.profile.detected.id_column == "text 0"
    assert intake.profile.series == 4


def test_columns_of_names_of_which_none_settles_the_others_are_listed() -> None:
    header = "date,y,left,right,both"
    rows = (f"{day},1.5,l{k % 2},r{k // 2},same" for k in range(4) for day in DAYS)
    with pytest.raises(BadInput, match=r"'left', 'right'\. .*id_column"):
        upload(header, *rows)
