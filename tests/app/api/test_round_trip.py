"""What is exported is uploaded again as the same dataset, to the last digit, in every format."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import filled_app

FORMATS = ("csv", "csv_excel", "ndjson", "arrow", "parquet", "xlsx")
NAMES = (
    "NA",
    "007",
    "=1+1",
    "-",
    "1e5",
    "a;b",
    'the "old", one',
    "2024-01-01",
    "日本",
    "True",
    "null",
    "#5",
    "x'y",
)
NUMBERS = st.floats(-1e100, 1e100)
AHEAD = 2
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Times:
    """The times of a dataset: how they are written, and what is said of them."""

    texts: Callable[[int], list[Any]]
    said: dict[str, str]


def dates(start: str, freq: str, zone: str | None = None) -> Callable[[int], list[Any]]:
    def texts(count: int) -> list[Any]:
        return [time.isoformat() for time in pd.date_range(start, periods=count, freq=freq, tz=zone)]

    return texts


TIMES = {
    "days": Times(dates("2024-02-25", "D"), {}),
    "month ends": Times(dates("2023-01-31", "ME"), {}),
    "before spreadsheets count": Times(dates("1896-01-01", "YS"), {}),
    "hours": Times(dates("2024-03-30T22:00", "h"), {}),
    "seconds with fractions": Times(dates("2024-03-30T22:00:00.25", "500ms"), {}),
    "years": Times(lambda count: list(range(1990, 1990 + count)), {}),
    "integers": Times(lambda count: list(range(-3, count - 3)), {"frequency": "1"}),
    "UTC": Times(dates("2024-03-30T22:00", "h", "UTC"), {}),
    "an hour twice": Times(dates("2026-10-24T20:00", "h", "Europe/Berlin"), {"time_zone": "Europe/Berlin"}),
    "local days": Times(dates("2026-10-22", "D", "Europe/Berlin"), {"time_zone": "Europe/Berlin"}),
}


@st.composite
def datasets(draw: st.DrawFn, texts: Callable[[int], list[Any]]) -> Rows:
    """Series with gaps, a price that is known for two steps more, weather and the shop they are of."""
    rows: Rows = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=3, unique=True)):
        values = draw(st.lists(st.none() | NUMBERS, min_size=10, max_size=14))
        values = [draw(NUMBERS), *values, draw(NUMBERS)]
        for number, (ds, y) in enumerate(zip(texts(len(values) + AHEAD), [*values, None, None], strict=True)):
            beside = {"price": draw(NUMBERS), "shop": f"shop of {name}"}
            weather = {"weather": ("sun", "fog", "rain; hail")[number % 3]} if number < len(values) else {}
            rows.append({"unique_id": name, "ds": ds, "y": y, **beside, **weather})
    return rows


def kept(client: TestClient, dataset: dict[str, Any]) -> dict[str, Any]:
    """All that is stored of a dataset, but not how it was read."""
    found: dict[str, Any] = {}
    dataset_id, profile = dataset["id"], dataset["profile"]
    for each in client.get(f"/datasets/{dataset_id}/series").json()["series"]:
        query = {"unique_id": each["unique_id"], "limit": "1000"}
        page = client.get(f"/datasets/{dataset_id}/observations", params=query).json()
        found[each["unique_id"]] = {**page, **each, "dataset_id": None, "dataset_version": None}
    shown = ("frequency", "season_length", "start", "end", "gaps", "observations", "covariates")
    return {**found, **{name: profile[name] for name in shown}}


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A caller of a service on SQLite: what differs between databases has tests of its own."""
    with filled_app(tmp_path_factory.mktemp("round"), lambda _: "") as (client, _):
        yield client


def check(client: TestClient, rows: Rows, said: dict[str, str]) -> None:
    """Upload rows, and each export of them."""
    typed = {name: int(text) if name == "frequency" else text for name, text in said.items()}
    first = client.post("/datasets", json={"observations": rows, **typed})
    assert first.status_code == 201, first.text
    before = kept(client, first.json())
    for name in FORMATS:
        query = {"format": name}
        data = client.get(f"/datasets/{first.json()['id']}/observations", params=query).content
        fields = {**said, **({"decimal": ","} if name == "csv_excel" else {})}
        again = client.post("/datasets", files={"file": ("export", gzip.compress(data))}, data=fields)
        assert again.status_code == 201, (name, again.text, data[:1000])
        assert kept(client, again.json()) == before, (name, data[:1000])


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_an_export_is_the_same_dataset_again(caller: TestClient, times: Times) -> None:
    @settings(max_examples=1, derandomize=True, deadline=None, database=None)
    @given(datasets(times.texts))
    def once(rows: Rows) -> None:
        check(caller, rows, times.said)

    once()


@pytest.mark.long
@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_any_export_is_the_same_dataset_again(caller: TestClient, times: Times) -> None:
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(datasets(times.texts))
    def often(rows: Rows) -> None:
        check(caller, rows, times.said)

    often()
