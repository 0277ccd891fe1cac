"""The series that a large upload is made of, and how its time is judged."""

from pathlib import Path

from benchmarks.scale import POINTS, linearity, write_series


def test_series_are_whole_positive_and_the_same_again(tmp_path: Path) -> None:
    write_series(tmp_path / "a.csv", 3)
    write_series(tmp_path / "b.csv", 3)
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == "unique_id,ds,y"
    assert len(lines) == 1 + 3 * POINTS
    assert all(float(line.rpartition(",")[2]) > 0 for line in lines[1:])
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_series_of_a_smaller_size_are_among_those_of_a_larger(tmp_path: Path) -> None:
    write_series(tmp_path / "small.csv", 1000)
    write_series(tmp_path / "large.csv", 1001)
    assert (tmp_path / "large.csv").read_text().startswith((tmp_path / "small.csv").read_text())


def test_time_that_grows_as_the_series_do_is_linear() -> None:
    totals = {1000: 20.0, 10_000: 100.0, 100_000: 1500.0}
    judged = linearity({series: {"total_s": seconds} for series, seconds in totals.items()})
    assert judged == {"over_linear_from_1000": 0.75, "over_linear_from_10000": 1.5}
