"""Several API processes on one database: none of them serves what is out of date."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.db.engine import Database
from app.db.tables import Model
from app.schemas import examples
from app.services.training.memory_limit import resident_bytes
from benchmarks import postgres
from benchmarks.process_tree import descendants, eventually, is_running
from gatecast_client import Client
from tests.factories import csv_bytes, dataset, only, trained, trends
from tests.processes import Service, kill, running_api

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("brief_trainings")]
SOON_S = 1.0


@dataclass(frozen=True)
class Two:
    """Two processes that have both answered a request, so that both have it in memory."""

    here: httpx2.Client
    there: httpx2.Client
    dataset_id: str
    model_id: str

    def ask(self, process: httpx2.Client, **params: object) -> httpx2.Response:
        query: dict[str, Any] = {"dataset_id": self.dataset_id, "unique_id": "series 1", **params}
        return process.get("/forecast", params=query)

    def seen_there_within_s(self, is_new: Callable[[httpx2.Response], bool]) -> float:
        """Return how long the other process goes on with what was so before."""
        began = time.monotonic()
        eventually(lambda: is_new(self.ask(self.there)), within_s=10)
        return time.monotonic() - began


@pytest.fixture
def two(database_url: str, database: Database, tmp_path: Path) -> Iterator[Two]:
    dataset_id = dataset(database).id
    model_id = trained(database, dataset_id)
    with (
        running_api(database_url, tmp_path) as first,
        running_api(database_url, tmp_path) as second,
        httpx2.Client(base_url=first.url, timeout=30) as here,
        httpx2.Client(base_url=second.url, timeout=30) as there,
    ):
        two = Two(here, there, dataset_id, model_id)
        assert [two.ask(each).status_code for each in (here, there, here, there)] == [200] * 4
        yield two


def test_appended_value_is_forecast_from_at_once_here_and_soon_there(two: Two) -> None:
    rows = {"observations": [{"unique_id": "series 1", "ds": 2000, "y": 1234.5}]}
    assert two.here.post(f"/datasets/{two.dataset_id}/observations", json=rows).status_code == 200
    here = only(two.ask(two.here))
    assert (here["dataset_version"], here["ds"][0]) == (2, 2001)
    assert two.seen_there_within_s(lambda answer: only(answer) == here) < SOON_S


def test_promoted_model_is_served_at_once_here_and_soon_elsewhere(two: Two, database: Database) -> None:
    other = trained(database, two.dataset_id, seed=1, promote="never")
    two.here.post(f"/models/{other}/promote")
    assert only(two.ask(two.here))["model_id"] == other
    assert two.seen_there_within_s(lambda answer: only(answer)["model_id"] == other) < SOON_S


def test_change_of_on_loss_reaches_other_processes_soon(two: Two, database: Database) -> None:
    with database.write() as session:
        model = session.get_one(Model, ("default", two.model_id))
        model.verdicts = {model.served: {**examples.VERDICT, "outcome": "loses"}}
    two.here.patch(f"/models/{two.model_id}", json={"on_loss": "refuse"})
    assert two.ask(two.here).status_code == 409
    assert two.seen_there_within_s(lambda answer: answer.status_code == 409) < SOON_S


def test_deleted_model_and_dataset_end_soon_in_other_processes(two: Two) -> None:
    # Asked for beforehand, so that neither waits for what the first backtest in a process imports.
    here, _ = (two.ask(process, model_id="pretrained").json() for process in (two.here, two.there))
    two.here.delete(f"/models/{two.model_id}")
    assert two.ask(two.here).json() == here
    assert two.seen_there_within_s(lambda answer: answer.json() == here) < SOON_S
    two.here.delete(f"/datasets/{two.dataset_id}")
    assert two.ask(two.here).status_code == 404
    assert two.seen_there_within_s(lambda answer: answer.status_code == 404) < SOON_S


def test_nothing_is_served_from_the_cache_while_the_database_is_away(
    postgres_programs: Path, tmp_path: Path
) -> None:
    with postgres.running_server(postgres_programs) as server:
        url = f"{server.url}/postgres"
        with running_api(url, tmp_path) as api, httpx2.Client(base_url=api.url, timeout=60) as caller:
            database = Database(url)
            dataset_id = dataset(database).id
            trained(database, dataset_id)
            database.dispose()
            query = {"dataset_id": dataset_id, "unique_id": "series 1"}
            answer = caller.get("/forecast", params=query)
            server.control("stop")
            eventually(lambda: caller.get("/forecast", params=query).status_code == 503, within_s=10)
            assert caller.get("/healthz").status_code == 200
            server.control("start")
            eventually(lambda: caller.get("/forecast", params=query).status_code == 200)
            assert caller.get("/forecast", params=query).content == answer.content


@pytest.fixture
def several(database_url: str, database: Database, tmp_path: Path) -> Iterator[tuple[Service, str]]:
    """A service of two API processes behind one port, and a dataset that can be forecast."""
    dataset_id = dataset(database).id
    trained(database, dataset_id)
    with running_api(database_url, tmp_path, api_workers=2) as api:
        yield api, dataset_id


def figures(api: Service) -> dict[str, float]:
    with httpx2.Client(base_url=api.url) as caller:
        lines = caller.get("/metrics").text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_processes_behind_one_port_add_up_their_figures(several: tuple[Service, str]) -> None:
    api, dataset_id = several
    for _ in range(20):
        with httpx2.Client(base_url=api.url, timeout=30) as caller:
            caller.get("/forecast", params={"dataset_id": dataset_id}).raise_for_status()
    counts = [value for name, value in figures(api).items() if name.startswith("gatecast_forecasts_total")]
    assert sum(counts) == 20


def test_killed_api_process_is_replaced_while_the_other_answers(several: tuple[Service, str]) -> None:
    api, dataset_id = several
    children = [pid for pid in descendants(api.process.pid) if resident_bytes(pid) > 100 * 2**20]
    kill(children[0])
    with Client(api.url) as caller:
        eventually(caller.is_ready)
        assert next(caller.forecasts(dataset_id)).forecast
    eventually(lambda: "another one starts" in api.log.read_text())


def test_service_of_several_processes_stops_in_good_order(several: tuple[Service, str]) -> None:
    api, _ = several
    everyone = descendants(api.process.pid)
    api.process.terminate()
    assert api.process.wait(timeout=10) == 0
    # What multiprocessing starts by itself, to track what is shared, ends a moment after the last of them.
    eventually(lambda: not [pid for pid in everyone if is_running(pid)])


@contextmanager
def stalled(api: Service, dataset_id: str, count: int) -> Iterator[None]:
    """Readers that ask for every series, and take none of the answer."""
    with ExitStack() as readers:
        before = figures(api)["gatecast_requests_in_work"]
        for _ in range(count):
            readers.enter_context(reading_nothing(api.url, dataset_id))
        eventually(lambda: figures(api)["gatecast_requests_in_work"] == before + count)
        yield


def test_stalled_readers_cost_a_page_each_until_they_disconnect(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    """The table has 6 MB as text, several times that as numbers, and a page a twentieth of it."""
    dataset_id = dataset(database, trends(count=5000)).id
    trained(database, dataset_id, start="scratch")
    with running_api(database_url, tmp_path) as api, Client(api.url) as caller:
        next(caller.forecasts(dataset_id))
        with stalled(api, dataset_id, 20):
            before = resident_bytes(api.process.pid)
            with stalled(api, dataset_id, 20):
                assert next(caller.forecasts(dataset_id, unique_id="series 1")).forecast
                assert resident_bytes(api.process.pid) - before < 20 * 8 * 2**20
        eventually(lambda: figures(api)["gatecast_requests_in_work"] == 0)


def reading_nothing(url: str, dataset_id: str) -> socket.socket:
    """Ask for every series, and take none of the answer."""
    host, port = url.removeprefix("http://").split(":")
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect((host, int(port)))
    levels = "&".join(f"level={level}" for level in range(50, 60))
    head = (
        f"GET /forecast?dataset_id={dataset_id}&{levels} HTTP/1.1\r\nHost: {host}\r\nAccept: text/csv\r\n\r\n"
    )
    reader.sendall(head.encode())
    return reader


def test_requests_over_the_limit_are_refused_and_health_answers(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    dataset_id = dataset(database, trends(count=5000)).id
    trained(database, dataset_id)
    with running_api(database_url, tmp_path, max_requests=2) as api, Client(api.url) as caller:
        with stalled(api, dataset_id, 2), httpx2.Client(base_url=api.url) as http:
            refused = http.get("/datasets")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert refused.json()["type"].endswith("unavailable")
            assert http.get("/healthz").status_code == 200
        eventually(lambda: not figures(api)["gatecast_requests_in_work"])
        assert caller.upload(csv_bytes(), "more").id
