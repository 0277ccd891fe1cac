"""What is read out of wrk's own words."""

import pytest

from benchmarks.wrk import Load, parse

OUTPUT = """\
Running 4s test @ http://127.0.0.1:8000
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     5.35ms    1.10ms  30.10ms   92.12%
    Req/Sec     3.01k   201.50     3.31k    80.00%
  Latency Distribution
     50%  950.00us
     75%    5.40ms
     90%    6.00ms
     99%    1.21s
  12012 requests in 4.00s, 73.62MB read
Requests/sec:   3002.77
Transfer/sec:     18.40MB
"""
FAILURES = """\
  Socket errors: connect 0, read 1, write 2, timeout 3
  Non-2xx or 3xx responses: 40
Requests/sec:"""


def test_figures_are_read_in_milliseconds() -> None:
    expected = Load(requests=12012, rps=3002.77, p50_ms=0.95, p99_ms=1210.0, errors=0, taken=0)
    assert parse(OUTPUT) == expected


def test_refusals_and_broken_calls_are_errors() -> None:
    assert parse(OUTPUT.replace("Requests/sec:", FAILURES)).errors == 46


def test_paths_that_the_script_took_are_read() -> None:
    assert parse(OUTPUT + "Paths taken: 12030\n").taken == 12030


def test_output_without_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:1 Connection refused\n")
