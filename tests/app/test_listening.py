"""The address that the API listens on."""

import resource
import socket
from collections.abc import Iterator

import pytest

from app import listening
from app.api.middleware import connection_limits
from app.errors import CannotStart
from app.server import free_port
from app.settings import Settings


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def settings(host: str, *, port: int | None = None, open: bool = False) -> Settings:  # noqa: A002  # its name
    return Settings(host=host, port=port or free_port(), open=open)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_own_machine_is_listened_to(host: str) -> None:
    (listener,) = listening.bind(settings(host))
    with listener:
        assert listener.getsockname()[0].startswith("127.0.0.")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])  # noqa: S104  # what is refused
def test_other_machines_are_not_listened_to_by_default(host: str) -> None:
    with pytest.raises(CannotStart, match=r"GATECAST_HOST=127.0.0.1.*GATECAST_OPEN=1"):
        listening.bind(settings(host))


def test_other_machines_are_listened_to_where_that_is_wished_for() -> None:
    (listener,) = listening.bind(settings("0.0.0.0", open=True))  # noqa: S104  # what is wished for
    with listener:
        assert listener.getsockname()[0] == "0.0.0.0"  # noqa: S104


def test_port_in_use_is_refused(taken: int) -> None:
    with pytest.raises(CannotStart, match=rf"Port {taken} of 127.0.0.1.*GATECAST_PORT"):
        listening.bind(settings("127.0.0.1", port=taken))


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.7"])
def test_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(CannotStart, match=host):
        listening.bind(settings(host, open=True))


@pytest.mark.parametrize(
    ("files", "connections"), [(256, 128), (1024, 512), (2048, 1536), (10**6, 4096), (-1, 4096)]
)
def test_connections_leave_files_for_all_else(
    monkeypatch: pytest.MonkeyPatch, files: int, connections: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert connection_limits.connection_limit.__wrapped__() == connections
