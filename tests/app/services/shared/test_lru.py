"""The cache that drops what was used longest ago."""

from app.services.shared.lru import Lru


def kept(lru: Lru[str, str], names: str) -> list[str]:
    return [name for name in names if lru.get(name) is not None]


def filled(limit: int, names: str) -> Lru[str, str]:
    lru: Lru[str, str] = Lru(limit, len)
    for name in names:
        lru.put(name, name * 10)
    return lru


def test_oldest_is_dropped_when_the_sizes_exceed_the_limit() -> None:
    lru = filled(25, "abc")
    assert (kept(lru, "abc"), lru.size) == (["b", "c"], 20)


def test_use_makes_a_value_the_newest() -> None:
    lru = filled(25, "ab")
    lru.get("a")
    lru.put("c", "c" * 10)
    assert kept(lru, "abc") == ["a", "c"]


def test_last_one_stays_whatever_its_size() -> None:
    assert kept(filled(5, "ab"), "ab") == ["b"]


def test_size_follows_what_is_replaced_and_dropped() -> None:
    lru = filled(25, "ab")
    lru.put("a", "a")
    assert lru.size == 11
    lru.drop("b")
    lru.drop("never there")
    assert lru.size == 1
