"""Data are current until something changes, in this process or in another."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from app.auth import OWNER
from app.db.engine import Database, DatasetRef, Session
from app.db.queries import changes
from app.db.tables import ChangeSequence
from app.errors import Unavailable
from app.services.datasets import catalog
from app.services.shared import change_feed, database_admin
from app.services.shared.change_feed import ChangeFeed
from tests.factories import dataset

REF, OTHER = DatasetRef("default", "ds_1"), DatasetRef("default", "ds_2")
Check = Callable[[], bool]


@pytest.fixture(autouse=True)
def frequent_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_feed, "POLL_S", 0.01)


@pytest.fixture
def elsewhere(database: Database) -> Iterator[Database]:
    """The same database, as another process has it."""
    other = Database(database.url)
    yield other
    other.dispose()


def change(database: Database, ref: DatasetRef = REF) -> None:
    with database.write() as session:
        changes.record(session, *ref)


async def until(check: Check) -> None:
    async with asyncio.timeout(30):
        while not check():  # noqa: ASYNC110  # the feed has no event to wait for, on purpose
            await asyncio.sleep(0.005)


def run(feed: ChangeFeed, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def opened() -> None:
        feed.open()
        await until(lambda: feed.is_fresh)
        try:
            await main()
        finally:
            feed.close()

    asyncio.run(opened())


def test_data_are_current_while_nothing_changes(database: Database) -> None:
    feed = ChangeFeed(database)

    async def main() -> None:
        moment = feed.moment
        await asyncio.to_thread(change, database, OTHER)
        await until(lambda: feed.moment > moment)
        assert feed.is_current(REF, moment)

    run(feed, main)


def test_change_of_this_process_is_known_with_its_commit(database: Database) -> None:
    feed = ChangeFeed(database)

    async def main() -> None:
        moment = feed.moment
        await asyncio.to_thread(change, database)
        assert not feed.is_current(REF, moment)
        assert feed.is_current(REF, feed.moment)

    run(feed, main)


def test_change_of_another_process_is_found_by_a_poll(database: Database, elsewhere: Database) -> None:
    feed = ChangeFeed(database)

    async def main() -> None:
        moment = feed.moment
        await asyncio.to_thread(change, elsewhere)
        await until(lambda: not feed.is_current(REF, moment))
        assert feed.is_current(OTHER, moment)

    run(feed, main)


def test_rolled_back_change_does_not_count(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            changes.record(session, *REF)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as session:
        assert (changes.newest(session), changes.since(session, 0)) == (0, set())


def test_nothing_is_current_once_the_last_poll_is_old(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = ChangeFeed(database)

    async def main() -> None:
        monkeypatch.setattr(change_feed, "FRESH_S", 0.0)
        assert not feed.is_current(REF, feed.moment)

    run(feed, main)


def test_database_is_silent_once_polls_have_failed_for_long_and_not_at_the_start(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = ChangeFeed(database)
    monkeypatch.setattr(changes, "newest", lambda _: 1 / 0)

    async def main() -> None:
        feed.open()
        assert not feed.is_silent
        monkeypatch.setattr(change_feed, "SILENT_S", 0.1)
        await until(lambda: feed.is_silent)
        monkeypatch.undo()
        await until(lambda: feed.is_fresh)
        assert not feed.is_silent
        feed.close()

    asyncio.run(main())


def test_overloaded_process_does_not_take_the_database_for_silent(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = ChangeFeed(database)

    async def main() -> None:
        feed.close()
        monkeypatch.setattr(change_feed, "SILENT_S", -1.0)
        assert not feed.is_silent

    run(feed, main)


def test_nothing_is_current_after_the_database_was_restored(database: Database, elsewhere: Database) -> None:
    feed = ChangeFeed(database)

    def set_back() -> None:
        with elsewhere.write() as session:
            session.get_one(ChangeSequence, 1).value -= 1

    async def main() -> None:
        moment = feed.moment
        await asyncio.to_thread(set_back)
        await until(lambda: feed.moment > moment)
        assert not feed.is_current(REF, moment)

    change(elsewhere)
    run(feed, main)


def test_too_many_changes_to_remember_count_as_all(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_feed, "MOST_REMEMBERED", 1)
    feed = ChangeFeed(database)

    async def main() -> None:
        moment = feed.moment
        for number in range(4):
            await asyncio.to_thread(change, database, DatasetRef("default", f"many_{number}"))
        assert not feed.is_current(REF, moment)
        assert feed.is_current(REF, feed.moment)

    run(feed, main)


def test_deleted_dataset_counts_as_changed(database: Database, elsewhere: Database) -> None:
    dataset_id = dataset(database).id
    with elsewhere.write() as session:
        catalog.delete(session, OWNER, dataset_id)
    with database.read() as session:
        assert changes.since(session, 0) == {DatasetRef("default", dataset_id)}


def broken_once(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> threading.Event:
    """Make the next call of a query of the changes fail; the event is set when it has."""
    query, failed = getattr(changes, name), threading.Event()

    def fail_once(session: Session, *more: int) -> object:
        if failed.is_set():
            return query(session, *more)
        failed.set()
        raise error

    monkeypatch.setattr(changes, name, fail_once)
    return failed


def test_change_is_found_after_a_broken_connection(
    database: Database, elsewhere: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = ChangeFeed(database)

    async def main() -> None:
        moment = feed.moment
        failed = broken_once(monkeypatch, "since", Unavailable("The connection broke."))
        await asyncio.to_thread(change, elsewhere)
        assert await asyncio.to_thread(failed.wait, 30)
        await until(lambda: not feed.is_current(REF, moment) and feed.is_fresh)

    run(feed, main)


def test_everything_counts_as_changed_after_the_database_was_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been restored and reached the same number again."""
    feed = ChangeFeed(database)

    async def main() -> None:
        moment = feed.moment
        broken_once(monkeypatch, "newest", Unavailable("The database is away."))
        await until(lambda: feed.moment > moment)
        assert not feed.is_current(REF, moment)

    run(feed, main)


def test_polls_continue_after_an_unexpected_error(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = ChangeFeed(database)

    async def main() -> None:
        moment = feed.moment
        assert await asyncio.to_thread(broken_once(monkeypatch, "newest", MemoryError()).wait, 30)
        await until(lambda: feed.moment > moment)

    run(feed, main)


def test_polls_succeed_once_the_database_is_migrated(empty_url: str) -> None:
    database = Database(empty_url)
    feed = ChangeFeed(database)

    async def main() -> None:
        feed.open()
        await asyncio.to_thread(database_admin.migrate, database)
        await until(lambda: feed.is_fresh)
        feed.close()

    asyncio.run(main())
    database.dispose()


def test_numbers_are_in_the_order_of_the_commits(database: Database, elsewhere: Database) -> None:
    """Otherwise a reader of one number would miss a lower one that is committed later."""
    second = threading.Thread(target=change, args=(elsewhere, OTHER))
    with database.write() as session:
        changes.record(session, *REF)
        second.start()
        second.join(0.2)  # as long as it likes: it gets no number before this is committed
        with elsewhere.read() as reader:
            assert changes.newest(reader) == 0
    second.join()
    with database.read() as session:
        assert (changes.since(session, 0), changes.since(session, 1)) == ({REF, OTHER}, {OTHER})
