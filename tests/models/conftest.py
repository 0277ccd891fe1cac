"""What the tests of the core share."""

from collections.abc import Iterator

import pytest

from tests.models.samples import using_threads


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks this small run faster on one thread, much faster on a busy machine."""
    with using_threads(1):
        yield
