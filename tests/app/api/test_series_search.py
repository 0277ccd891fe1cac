"""The list of series can be searched by a part of their names."""

from fastapi.testclient import TestClient

from app.db.engine import Database
from tests.factories import appended, dataset, trends, upload

LINE = trends()["series 0"]
NAMES = ("Norway", "North Macedonia", "Österreich", "100 %", "100 pieces")


def found(client: TestClient, dataset_id: str, **query: str | int) -> list[str]:
    answer = client.get(f"/datasets/{dataset_id}/series", params=query).json()
    return [each["unique_id"] for each in answer["series"]]


def test_search_finds_names_in_either_case(client: TestClient) -> None:
    dataset_id = upload(client, dict.fromkeys(NAMES, LINE))["id"]
    assert found(client, dataset_id, search="NOR") == ["North Macedonia", "Norway"]
    assert found(client, dataset_id, search="reich") == ["Österreich"]
    assert found(client, dataset_id, search="nowhere") == []


def test_search_takes_signs_of_patterns_as_they_are(client: TestClient) -> None:
    dataset_id = upload(client, dict.fromkeys(NAMES, LINE))["id"]
    assert found(client, dataset_id, search="0 %") == ["100 %"]
    assert found(client, dataset_id, search="_") == []


def test_found_series_come_in_pages(client: TestClient) -> None:
    dataset_id = upload(client, dict.fromkeys(NAMES, LINE))["id"]
    first = client.get(f"/datasets/{dataset_id}/series?search=100&limit=1").json()
    assert [each["unique_id"] for each in first["series"]] == ["100 %"]
    assert found(client, dataset_id, search="100", cursor=first["next"]) == ["100 pieces"]


def test_series_that_was_appended_to_is_found_once(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database, {"Norway": LINE}).id
    appended(database, dataset_id, ("Norway", 2000, 1.0))
    answer = client.get(f"/datasets/{dataset_id}/series?search=nor").json()
    assert [each["length"] for each in answer["series"]] == [len(LINE) + 1]
