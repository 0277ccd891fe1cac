"""Forecasts that a training stored are read, and those of changed series are computed: with the same bits."""

import csv
import io
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database, DatasetRef
from app.db.tables import ForecastChunk, Model, StoredForecasts
from app.main import create_app
from app.observability import metrics
from app.schemas import examples
from app.services.forecasting import storing
from app.settings import Settings
from tests.factories import dataset, only, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")
Names = str | list[str]
SERIES = 40  # more than a chunk holds


@pytest.fixture
def dataset_id(database: Database) -> str:
    dataset_id = dataset(database, trends(SERIES)).id
    trained(database, dataset_id)
    return dataset_id


def ask(client: TestClient, unique_id: Names = "series 1", status: int = 200, **params: Any) -> Any:
    answer = client.get("/forecast", params={"unique_id": unique_id, **params})
    assert answer.status_code == status, answer.text
    return only(answer) if status == 200 and isinstance(unique_id, str) else answer.json()


def append(client: TestClient, dataset_id: str, *rows: tuple[str, int, float]) -> None:
    sent = [{"unique_id": name, "ds": ds, "y": y} for name, ds, y in rows]
    answer = client.post(f"/datasets/{dataset_id}/observations", json={"observations": sent})
    assert answer.status_code == 200, answer.text


def forget(database: Database) -> None:
    """Let nothing be stored, so that every forecast is computed."""
    with database.write() as session:
        session.query(StoredForecasts).delete()


def store(database: Database, dataset_id: str) -> bool:
    return storing.store_changed(database, DatasetRef("default", dataset_id), "worker")


def chunks(database: Database) -> int:
    with database.read() as session:
        return session.query(ForecastChunk).count()


def service_on(database: Database) -> TestClient:
    """One that has been asked nothing before."""
    return TestClient(create_app(Settings(database_url=database.url, device="cpu")))


def anew(database: Database, **params: Any) -> Any:
    with service_on(database) as client:
        return ask(client, **params)


def table(client: TestClient, media_type: str, **params: Any) -> bytes:
    answer = client.get("/forecast", params=params, headers={"accept": media_type})
    assert answer.status_code == 200, answer.text
    return answer.content


def page(client: TestClient, dataset_id: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        params: dict[str, Any] = {"dataset_id": dataset_id, "limit": limit, **cursor}
        answer = client.get("/forecast", params=params).json()
        found += answer["forecasts"]
        if answer["next"] is None:
            return found
        cursor = {"cursor": answer["next"]}


def test_first_answers_after_a_training_take_no_pass(
    client: TestClient, dataset_id: str, passes: list[int]
) -> None:
    passes.clear()
    ask(client, dataset_id=dataset_id)
    ask(client, ["series 2", "series 39"], dataset_id=dataset_id, level=[66], horizon=2)
    page(client, dataset_id, 15)
    table(client, "text/csv", dataset_id=dataset_id)
    assert passes == []


def test_answers_alone_together_by_page_and_by_table_have_the_same_bits_after_a_restart_too(
    client: TestClient, database: Database, dataset_id: str
) -> None:
    paged = page(client, dataset_id, 7)
    with service_on(database) as other:
        names = [one["unique_id"] for one in paged]
        assert [ask(other, name, dataset_id=dataset_id) for name in names] == paged
        assert ask(other, names, dataset_id=dataset_id)["forecasts"] == paged
        rows = list(csv.DictReader(io.StringIO(table(other, "text/csv", dataset_id=dataset_id).decode())))
    steps = [
        (
            one["unique_id"],
            value,
            mean,
            one["intervals"]["80"]["lo"][step],
            one["intervals"]["95"]["hi"][step],
        )
        for one in paged
        for step, (value, mean) in enumerate(zip(one["forecast"], one["mean"], strict=True))
    ]
    columns = ("forecast", "mean", "lo-80", "hi-95")
    assert [(row["unique_id"], *(float(row[name]) for name in columns)) for row in rows] == steps


@pytest.mark.parametrize(
    "other", [{}, {"level": [66]}, {"horizon": 2}, {"horizon": 1, "level": [99, 50]}], ids=str
)
def test_stored_answer_has_the_bits_that_the_model_computes(
    client: TestClient, database: Database, dataset_id: str, passes: list[int], other: dict[str, Any]
) -> None:
    stored = ask(client, dataset_id=dataset_id, **other)
    forget(database)
    passes.clear()
    assert anew(database, dataset_id=dataset_id, **other) == stored
    assert passes == [1]


def test_table_has_the_bits_that_the_model_computes(
    client: TestClient, database: Database, dataset_id: str
) -> None:
    stored = table(client, "text/csv", dataset_id=dataset_id)
    forget(database)
    with service_on(database) as other:
        assert table(other, "text/csv", dataset_id=dataset_id) == stored


def test_small_changes_of_large_numbers_survive(client: TestClient, database: Database) -> None:
    series = {name: [4e9 + (value % 25) for value in values] for name, values in trends(3).items()}
    dataset_id = dataset(database, series).id
    trained(database, dataset_id)
    stored = ask(client, dataset_id=dataset_id)
    forget(database)
    assert anew(database, dataset_id=dataset_id) == stored
    assert all(abs(value - 4e9) < 100 for value in stored["forecast"])


def test_changed_series_is_computed_and_the_old_version_is_read(
    client: TestClient, dataset_id: str, passes: list[int]
) -> None:
    before = ask(client, dataset_id=dataset_id)
    passes.clear()
    append(client, dataset_id, ("series 1", 2000, 1.0))
    after = ask(client, dataset_id=dataset_id, level=[70])
    assert (before["ds"][0], after["ds"][0], after["forecast"] == before["forecast"]) == (2000, 2001, False)
    old = ask(client, dataset_id=dataset_id, dataset_version=1)
    assert (old["forecast"], passes) == (before["forecast"], [1])


def test_changed_series_are_computed_in_one_pass_beside_those_that_are_read(
    client: TestClient, dataset_id: str, passes: list[int]
) -> None:
    passes.clear()
    append(client, dataset_id, ("series 1", 2000, 1.0), ("series 30", 2000, 2.0))
    names = [f"series {number}" for number in (30, 1, 7)]
    answer = ask(client, names, dataset_id=dataset_id)["forecasts"]
    assert ([one["unique_id"] for one in answer], passes) == (sorted(names), [2])
    assert page(client, dataset_id, 100)[0:1] == [ask(client, "series 0", dataset_id=dataset_id)]
    assert passes == [2, 2]


def test_changed_series_that_was_stored_again_is_read_with_the_bits_that_were_computed(
    client: TestClient, database: Database, dataset_id: str, passes: list[int]
) -> None:
    append(client, dataset_id, ("series 1", 2000, 1.0), ("brand new", 1998, 1.0), ("brand new", 1999, 2.0))
    computed = {
        name: ask(client, name, dataset_id=dataset_id) for name in ("series 1", "brand new", "series 5")
    }
    assert store(database, dataset_id)
    passes.clear()
    with service_on(database) as other:
        assert {name: ask(other, name, dataset_id=dataset_id) for name in computed} == computed
    assert passes == []


def test_series_is_stored_once_however_often_it_changes(
    client: TestClient, database: Database, dataset_id: str
) -> None:
    before = chunks(database)
    for year in range(2000, 2004):
        append(client, dataset_id, ("series 1", year, 1.0))
        assert store(database, dataset_id)
    assert chunks(database) == before


def test_change_of_limits_needs_no_pass(client: TestClient, dataset_id: str, passes: list[int]) -> None:
    before = ask(client, dataset_id=dataset_id)
    passes.clear()
    client.patch(f"/datasets/{dataset_id}", json={"upper": before["forecast"][0] - 1})
    after = ask(client, dataset_id=dataset_id)
    assert (after["forecast"][0], passes) == (before["forecast"][0] - 1, [])


def test_unknown_name_beside_a_known_one_is_a_404(client: TestClient, dataset_id: str) -> None:
    ask(client, ["series 1", "series 999"], status=404, dataset_id=dataset_id)


def test_promoted_model_serves_its_own_numbers(
    client: TestClient, database: Database, dataset_id: str
) -> None:
    before = ask(client, dataset_id=dataset_id)
    other = trained(database, dataset_id, start="scratch", promote="never")
    client.post(f"/models/{other}/promote")
    after = ask(client, dataset_id=dataset_id, level=[70])
    assert after == anew(database, dataset_id=dataset_id, level=[70])
    assert (after["model_id"], after["forecast"] == before["forecast"]) == (other, False)


def test_fallback_serves_its_own_numbers_before_and_after_they_are_stored(
    client: TestClient, database: Database, passes: list[int]
) -> None:
    dataset_id = dataset(database, trends(count=4)).id
    model_id = trained(database, dataset_id, method="network", on_loss="warn")
    with database.write() as session:
        verdict = {**examples.VERDICT, "outcome": "loses", "baseline": "drift"}
        session.get_one(Model, ("default", model_id)).verdicts = {"lstm": verdict}
    assert ask(client, dataset_id=dataset_id)["method"] == "lstm"
    client.patch(f"/models/{model_id}", json={"on_loss": "fallback"})
    computed = ask(client, dataset_id=dataset_id)
    assert store(database, dataset_id)
    passes.clear()
    assert anew(database, dataset_id=dataset_id) == computed
    assert (computed["method"], passes) == ("drift", [])


@pytest.mark.parametrize("deleted", ["models", "datasets"])
def test_deleted_model_or_dataset_leaves_nothing_stored(
    client: TestClient, database: Database, dataset_id: str, deleted: str
) -> None:
    model_id = ask(client, dataset_id=dataset_id)["model_id"]
    assert chunks(database) > 1
    client.delete(f"/{deleted}/{model_id if deleted == 'models' else dataset_id}")
    assert chunks(database) == 0
    ask(client, status=404, model_id=model_id)


def test_forecasts_are_counted_by_where_they_come_from(client: TestClient, dataset_id: str) -> None:
    before = [each._value.get() for each in (metrics.STORED, metrics.COMPUTED)]
    append(client, dataset_id, ("series 1", 2000, 1.0))
    for name in ("series 1", "series 2", "series 3"):
        ask(client, name, dataset_id=dataset_id)
    after = [each._value.get() for each in (metrics.STORED, metrics.COMPUTED)]
    assert [one - other for one, other in zip(after, before, strict=True)] == [2, 1]
