"""The drawing has the layers of the contracts; what the walk names is entered, and within its bounds."""

import re
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from app.db.engine import Database
from app.services.jobs import states
from app.services.shared import change_feed
from app.services.training import run
from tests.factories import csv_bytes, dataset, filled_app, queued_job, trends

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
CHANGED = "A GET of a series that has changed"
BOUNDS = {
    "A cached GET": 6,
    "A GET that is not in memory": 22,
    CHANGED: 22,
    "An upload": 20,
    "A training": 32,
}
IN_OTHER_PROCESSES = ("app/api/", "app/worker/", "app/queue.py")  # of a training; here it runs in this one
BACKGROUND = ("heartbeat", "The change feed")
UNCOUNTED = tuple(
    re.findall(r"`((?:app|models)/[\w./]+)`", TEXT.split("**Before a route**")[1].split("\n## ")[0])
)

LOADING, LOADING_THE_MODEL = "The first GET", "The first of them"
UNDRAWN = {"weights"}  # in no layer

Entered = dict[str, list[str]]


def walked(path: str) -> list[str]:
    """Return the files that a section walks, in order."""
    section = TEXT.split(f"## {path}\n")[1].split("\n## ")[0]
    return re.findall(r"^\d+\. `([\w/]+\.py)`", section, flags=re.MULTILINE)


def counted(files: list[str]) -> list[str]:
    """Return the files that are in neither of the two lists."""
    return [file for file in files if not file.startswith(UNCOUNTED)]


def drawn_layers(package: str) -> list[set[str]]:
    """Return the layers that the drawing has of a package."""
    drawing = TEXT.split("```")[1].split(f"\n{package}/\n")[1].split("\n\n")[0]
    lines = re.findall(r"^  (\S+(?: \| \S+)*(?: \|)?)(?:  |$)", drawing, flags=re.MULTILINE)
    layers = re.sub(r"/|\.py", "", "\n".join(lines)).replace("|\n", "| ").split("\n")
    return [set(layer.split(" | ")) for layer in layers if layer not in UNDRAWN]


def layers(package: str) -> list[set[str]]:
    """Return the layers that the contracts have of a package."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    contract = next(each for each in contracts if each.get("containers") == [package])
    return [set(layer.split(" | ")) for layer in contract["layers"]]


@contextmanager
def recorded(files: dict[str, None]) -> Iterator[None]:
    """Add every file of ours in which a function begins meanwhile, in this thread and in those it starts."""

    def begun(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or threading.current_thread().name in BACKGROUND:
            return
        file = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
        if file.startswith(("app/", "models/")) and frame.f_code.co_name != "<module>":
            files.setdefault(file)

    before = sys.getprofile()
    threading.setprofile(begun)
    sys.setprofile(begun)
    yield
    sys.setprofile(before)
    threading.setprofile(before)


@pytest.fixture(scope="module")
def entered(tmp_path_factory: pytest.TempPathFactory) -> Entered:
    """The files that each path enters, in the order of their first entry."""
    files: dict[str, None] = {}
    paths: Entered = {}

    def fill(database: Database) -> str:
        dataset_id = dataset(database, trends(count=2, length=20)).id
        files.clear()
        ref = queued_job(database, dataset_id, start="scratch")
        with database.write() as session:
            attempt = states.begin(session, ref, "worker", max_attempts=1) or 1
        run.run_attempt(database, ref, attempt, "cpu", memory_bytes=2**40)
        paths["A training"] = list(files)
        return dataset_id

    with (
        pytest.MonkeyPatch.context() as patches,
        recorded(files),
        filled_app(tmp_path_factory.mktemp("walk"), fill) as (client, dataset_id),
    ):
        patches.setattr(change_feed, "FRESH_S", 60.0)  # plans hold, however busy the machine is

        def enters(path: str, method: str, url: str, **call: object) -> None:
            files.clear()
            assert client.request(method, url, **call).is_success  # type: ignore[arg-type]
            paths[path] = list(files)

        client.get("/healthz")  # the first call of all names every route
        series = f"/forecast?dataset_id={dataset_id}&unique_id=series "
        enters("An upload", "POST", "/datasets", files={"file": ("trends.csv", csv_bytes())})
        client.headers["accept"] = "*/*;q=0.9"  # which no other test has left in the cache of headers
        enters(LOADING, "GET", f"{series}1")
        enters("A GET that is not in memory", "GET", f"{series}0")
        enters("A cached GET", "GET", f"{series}0")
        for name in (0, 1):
            rows = [{"unique_id": f"series {name}", "ds": 1980, "y": 1.0}]
            client.post(f"/datasets/{dataset_id}/observations", json={"observations": rows})
        enters(LOADING_THE_MODEL, "GET", f"{series}0")
        enters(CHANGED, "GET", f"{series}1")
    return paths


def test_drawing_has_every_room_and_no_other() -> None:
    drawn = set(re.findall(r"[\w.]+(?:/|\.py)(?= |$)", TEXT.split("```")[1], flags=re.MULTILINE))
    paths = [path for package in ("app", "models") for path in (ROOT / package).rglob("*[a-z]*")]
    rooms = {f"{path.name}/" for path in paths if path.is_dir()} | {"app/", "models/"}
    files = {path.name for path in paths if path.suffix == ".py"}
    assert drawn <= rooms | files
    assert {f"{path.name}/" for path in paths if path.is_dir() and path.parent.parent == ROOT} <= drawn


@pytest.mark.parametrize("package", ["app", "models"])
def test_drawing_has_the_layers_of_the_contracts(package: str) -> None:
    assert drawn_layers(package) == layers(package)


@pytest.mark.parametrize(("path", "bound"), BOUNDS.items())
def test_path_stays_within_its_bound(path: str, bound: int) -> None:
    files = walked(path)
    assert 0 < len(files) == len(set(files)) <= bound


@pytest.mark.parametrize("path", BOUNDS)
def test_walk_is_what_is_entered(path: str, entered: Entered) -> None:
    files = set(walked(path))
    earlier = {file for section in list(BOUNDS)[: list(BOUNDS).index(path)] for file in walked(section)}
    elsewhere = {file for file in files if path == "A training" and file.startswith(IN_OTHER_PROCESSES)}
    assert set(counted(entered[path])) - earlier == files - elsewhere
    assert files.isdisjoint(earlier)


@pytest.mark.parametrize("path", [path for path in BOUNDS if path != "A training"])  # its threads overlap
def test_walk_is_in_the_order_of_first_entry(path: str, entered: Entered) -> None:
    files = walked(path)
    assert [file for file in entered[path] if file in files] == files


def test_cached_get_stays_within_its_bound_counted_whole(entered: Entered) -> None:
    server = {"app/api/middleware/connection_limits.py"}  # which the test's client does without
    files = {*entered["A cached GET"], *server}
    assert len(files) == BOUNDS["A cached GET"]


@pytest.mark.parametrize("first", [LOADING, LOADING_THE_MODEL])
def test_first_get_enters_what_is_said_beyond_the_walks(first: str, entered: Entered) -> None:
    paragraph = TEXT.split(f"\n{first}")[1].split("\n\n")[0].split("A model with")[0]
    further = set(re.findall(r"`([\w/]+\.py)`", paragraph))
    known = {file for path in BOUNDS for file in walked(path) if "GET" in path}
    if first == LOADING_THE_MODEL:
        known |= set(entered[LOADING])
    assert set(counted(entered[first])) - known == further
