"""Bind the sockets of the API, and raise the limit of open files, before anything else starts."""

import ipaddress
import resource
import socket
from collections.abc import Iterator

from app.errors import CannotStart
from app.settings import Settings

Address = tuple[socket.AddressFamily, tuple[str, int]]


def raise_file_limit() -> None:
    """Raise the limit of open files, which count connections, to the hard limit; children inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def bind(settings: Settings) -> list[socket.socket]:
    """Return a bound socket for each address of the host; none of them listens yet.

    Raises CannotStart if an address cannot be bound, or if other machines could reach it without
    `GATECAST_OPEN`.
    """
    addresses = list(dict.fromkeys(_addresses(settings)))
    if not settings.open and not all(ipaddress.ip_address(ip).is_loopback for _, (ip, _) in addresses):
        raise CannotStart(
            f"Other machines can reach {settings.host}, and whoever does can read and change everything: "
            "there are no keys yet. Listen on this machine alone (GATECAST_HOST=127.0.0.1), or set "
            "GATECAST_OPEN=1 if you see to it by other means who gets here."
        )
    return [_bound(settings, address) for address in addresses]


def _addresses(settings: Settings) -> Iterator[Address]:
    try:
        found = socket.getaddrinfo(
            settings.host,
            settings.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE | socket.AI_ADDRCONFIG,
        )
    except OSError as error:
        raise CannotStart(
            f"GATECAST_HOST: {settings.host} is no address of this machine: {error}."
        ) from error
    for family, _, _, _, address in found:
        yield family, (str(address[0]), settings.port)


def _bound(settings: Settings, address: Address) -> socket.socket:
    family, place = address
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        listener.bind(place)
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"Port {settings.port} of {settings.host} cannot be used: {error.strerror}. Stop the program "
            "that has it, or choose another by --port or GATECAST_PORT."
        ) from error
    return listener
