"""The server of the API."""

import subprocess
import sys

import pytest
import uvloop

from app import server
from app.api.middleware.connection_limits import Connection
from app.errors import Unavailable
from app.server import _Server, running_service
from app.settings import Settings


def test_every_process_runs_on_the_fast_loop_and_the_bounded_parser() -> None:
    """One process or several: each is one of these."""
    config = _Server(Settings(database_url="sqlite:///unused.db"), None).config
    config.load()
    assert config.get_loop_factory() is uvloop.new_event_loop
    assert config.http_protocol_class is Connection
    assert config.ws_protocol_class is None


@pytest.mark.parametrize(
    ("limit_s", "wish", "reason"),
    [
        (60.0, "exit(1)", "its messages above say why"),
        (0.0, "import time; time.sleep(60)", "is the machine busy"),
    ],
)
def test_service_that_does_not_come_up_says_whether_it_ended_or_is_slow(
    monkeypatch: pytest.MonkeyPatch, limit_s: float, wish: str, reason: str
) -> None:
    popen = subprocess.Popen
    monkeypatch.setattr(server, "START_LIMIT_S", limit_s)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: popen([sys.executable, "-c", wish]))
    with pytest.raises(Unavailable, match=reason), running_service():
        pass
