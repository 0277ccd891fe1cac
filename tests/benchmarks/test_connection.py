import pytest

from benchmarks.connection import read_head


def test_status_and_length_are_read_whatever_the_case() -> None:
    assert read_head(b"HTTP/1.1 503 Service Unavailable\r\nCONTENT-length:  12\r\nx: y\r\n\r\n") == (503, 12)


def test_answer_without_its_length_is_refused() -> None:
    with pytest.raises(ValueError, match="does not tell its length"):
        read_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
