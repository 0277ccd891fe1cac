"""Which responses are stale, by the times of a change's request and confirmation."""

from benchmarks.staleness import Changes


def changed(*moments: tuple[str, float, float], patience_s: float = 0.0) -> Changes[str]:
    changes = Changes("old", patience_s)
    for value, requested, confirmed in moments:
        changes.begin(value, requested).confirmed = confirmed
    return changes


def test_answer_from_before_a_change_shows_the_old() -> None:
    assert changed(("new", 5.0, 6.0)).allowed(1.0, 2.0) == ["old"]


def test_answer_during_a_change_shows_either() -> None:
    assert changed(("new", 5.0, 6.0)).allowed(5.5, 5.9) == ["old", "new"]


def test_response_to_a_request_after_a_change_shows_the_new() -> None:
    assert changed(("new", 5.0, 6.0)).allowed(6.1, 6.2) == ["new"]


def test_answer_within_the_patience_shows_either() -> None:
    assert changed(("new", 5.0, 6.0), patience_s=1.0).allowed(6.5, 6.6) == ["old", "new"]


def test_slow_answer_may_show_all_changes_that_it_met() -> None:
    assert changed(("b", 2.0, 3.0), ("c", 4.0, 5.0)).allowed(3.5, 9.0) == ["b", "c"]


def test_change_that_is_not_confirmed_yet_may_be_seen() -> None:
    changes = Changes("old")
    changes.begin("new", 1.0)
    assert changes.allowed(2.0, 3.0) == ["old", "new"]
