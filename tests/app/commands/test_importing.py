import gc
from collections.abc import Iterator

import pytest

from app.commands.importing import without_collections


@pytest.fixture(autouse=True)
def _unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_no_garbage_is_collected_while_modules_are_imported() -> None:
    with without_collections():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_imported_is_passed_over_by_later_collections() -> None:
    before = gc.get_freeze_count()
    with without_collections():
        made = [[number] for number in range(1000)]
    assert gc.get_freeze_count() >= before + len(made)


def test_garbage_is_collected_again_after_an_import_that_failed() -> None:
    with pytest.raises(ImportError), without_collections():
        raise ImportError
    assert gc.isenabled()
