"""The server of the API."""

import uvloop

from app.api.middleware.connection_limits import Connection
from app.server import _Server
from app.settings import Settings


def test_every_process_runs_on_the_fast_loop_and_the_bounded_parser() -> None:
    """One process or several: each is one of these."""
    config = _Server(Settings(database_url="sqlite:///unused.db"), None).config
    config.load()
    assert config.get_loop_factory() is uvloop.new_event_loop
    assert config.http_protocol_class is Connection
    assert config.ws_protocol_class is None
