"""Start what the serving benchmarks need: a service with series and a model, and a bare app."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from app.server import free_port
from benchmarks.monthly import HORIZON, Monthly
from benchmarks.service import Service, running_process, running_service, wait_for
from gatecast_client import Client

AD_HOC_SERIES = 100
OK = 200


@dataclass(frozen=True)
class ServingSetup:
    """`etag` is that of the response at `cached_path`; it and `ad_hoc` are None where there is none.

    `service` is an API process, and a worker of its own trains and stores; `options` are those of the API.
    """

    service: Service
    bare_url: str
    folder: Path
    options: Sequence[str]
    dataset_id: str
    model_id: str
    method: str
    names: Sequence[str]
    cached_path: str
    etag: str | None
    ad_hoc: Path | None

    @contextmanager
    def cold_service(self) -> Iterator[Service]:
        """Start one more API process, which has been asked nothing."""
        with running_service(self.folder, self.options, "api") as cold:
            cold.wait_until_quiet()
            yield cold


@contextmanager
def serving_setup(monthly: Monthly, workers: int | None) -> Iterator[ServingSetup]:
    """Start a service on an empty database, and train; the API and the bare app with so many workers."""
    options = [] if workers is None else ["--workers", str(workers)]
    with tempfile.TemporaryDirectory(prefix="gatecast-serving-") as name:
        folder = Path(name)
        with running_service(folder, options, "api") as service, Client(service.url) as client:
            with running_worker(folder):
                dataset_id = client.upload(monthly.csv(), "monthly").id
                model_id = client.wait(client.train(dataset_id, HORIZON, "quick").id).model_id
            path = f"/forecast?dataset_id={dataset_id}&unique_id={monthly.names[0]}"
            answer = httpx2.get(service.url + path).raise_for_status()
            with running_bare_app(folder, len(answer.content), workers) as bare_url:
                yield ServingSetup(
                    service=service,
                    bare_url=bare_url,
                    folder=folder,
                    options=options,
                    dataset_id=dataset_id,
                    model_id=str(model_id),
                    method=answer.json()["forecasts"][0]["method"],
                    names=monthly.names,
                    cached_path=path,
                    etag=_etag(answer),
                    ad_hoc=_ad_hoc(service.url, folder, monthly.ad_hoc_body(dataset_id, AD_HOC_SERIES)),
                )


@contextmanager
def running_worker(folder: Path) -> Iterator[None]:
    """Run a worker on the database in a folder."""
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'gatecast.db'}",
        "DEVICE": "cpu",
        "LOG_LEVEL": "warning",
    }
    environment = {f"GATECAST_{name}": value for name, value in settings.items()}
    with running_process([sys.executable, "-m", "app", "worker"], environment, folder / "worker.log"):
        yield


@contextmanager
def running_bare_app(folder: Path, body_bytes: int, workers: int | None) -> Iterator[str]:
    """Run the empty endpoint, under the flags that the service gives uvicorn."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    words = [
        sys.executable,
        "-m",
        "uvicorn",
        "benchmarks.bare_app:app",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    words += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    words += ["--workers", str(workers or 1)]
    log = folder / "bare.log"
    with running_process(words, {"BARE_BODY_BYTES": str(body_bytes)}, log) as process:
        wait_for(lambda: answers(url), process, log)
        yield url


def answers(url: str) -> bool:
    try:
        return httpx2.get(url).is_success
    except httpx2.TransportError:
        return False


def _etag(answer: httpx2.Response) -> str | None:
    if "etag" not in answer.headers:
        print("Forecasts carry no ETag: `not_modified` is left out.")
        return None
    return str(answer.headers["etag"])


def _ad_hoc(url: str, folder: Path, body: bytes) -> Path | None:
    sent = httpx2.post(
        f"{url}/forecast", content=body, headers={"Content-Type": "application/json"}, timeout=60
    )
    if sent.status_code != OK:
        print(f"POST /forecast answered {sent.status_code}: `ad_hoc` is left out.")
        return None
    file = folder / "ad-hoc.json"
    file.write_bytes(body)
    return file
