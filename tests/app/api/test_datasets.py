"""Datasets over HTTP."""

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from tests.factories import csv_bytes, queued_job, trained, upload


def test_upload_returns_location_and_profile(client: TestClient) -> None:
    response = client.post("/datasets", files={"file": ("people.csv", csv_bytes({"a": [1, 2, 3]}))})
    answer = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/datasets/{answer['id']}"
    assert answer["name"] == "people"
    assert (answer["profile"]["series"], answer["profile"]["observations"]) == (1, 3)
    assert (answer["profile"]["start"], answer["profile"]["end"]) == (1960, 1962)


def test_json_rows_make_a_dataset(client: TestClient) -> None:
    rows = [{"unique_id": "a", "ds": f"2026-01-0{day}", "y": day} for day in range(1, 6)]
    answer = client.post("/datasets", json={"name": "days", "observations": rows}).json()
    assert answer["name"] == "days"
    assert (answer["profile"]["frequency"], answer["profile"]["end"]) == ("D", "2026-01-05")


def test_upload_without_file_says_how_to_send_one(client: TestClient) -> None:
    response = client.post("/datasets", files={"name": (None, "no file")})
    assert response.status_code == 422
    assert "-F file=@" in response.json()["detail"]


def test_upload_in_other_media_type_is_refused(client: TestClient) -> None:
    response = client.post("/datasets", content=b"a,b", headers={"content-type": "text/plain"})
    assert response.status_code == 415
    assert "multipart/form-data" in response.json()["detail"]


def test_unknown_form_field_is_refused_by_name(client: TestClient) -> None:
    response = client.post("/datasets", files={"file": ("a.csv", csv_bytes())}, data={"freq": "D"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#/freq"


def test_unusable_file_leaves_no_dataset(client: TestClient) -> None:
    response = client.post("/datasets", files={"file": ("a.csv", b"unique_id,ds,y\na,1990,ten\na,1991,12\n")})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#row=2"
    assert client.get("/datasets").json() == {"datasets": [], "next": None}


def test_repeated_file_part_is_refused(client: TestClient) -> None:
    parts = [("file", ("a.csv", csv_bytes())), ("file", ("b.csv", csv_bytes()))]
    response = client.post("/datasets", files=parts)
    assert response.status_code == 422


def test_empty_field_of_a_form_counts_as_absent(client: TestClient) -> None:
    fields = dict.fromkeys(("name", "id_column", "time_column", "target_column", "frequency"), "")
    response = client.post("/datasets", files={"file": ("visits.csv", csv_bytes())}, data=fields)
    assert (response.status_code, response.json()["name"]) == (201, "visits")


def test_datasets_are_paged_newest_first(client: TestClient) -> None:
    made = [upload(client, {"a": [1, 2]}, name=f"n{i}")["name"] for i in range(3)]
    first = client.get("/datasets", params={"limit": 2}).json()
    second = client.get("/datasets", params={"limit": 2, "cursor": first["next"]}).json()
    seen = [item["name"] for item in first["datasets"] + second["datasets"]]
    assert seen == made[::-1]
    assert second["next"] is None


def test_foreign_cursor_is_refused(client: TestClient) -> None:
    response = client.get("/datasets", params={"cursor": "%%%"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "?cursor"


@pytest.mark.parametrize("cursor", ["AA", "__8", "0000", "ZZ"], ids=["NUL", "no UTF-8", "text", "one letter"])
def test_cursor_of_the_right_form_is_a_place_in_the_list(client: TestClient, cursor: str) -> None:
    dataset_id = upload(client)["id"]
    paths = ["/datasets", f"/datasets/{dataset_id}/series", "/jobs"]
    assert [client.get(path, params={"cursor": cursor}).status_code for path in paths] == [200] * 3


@pytest.mark.parametrize("cursor", ["x", "-1", "\u0663", "9" * 19])
def test_cursor_that_counts_is_digits_alone(client: TestClient, cursor: str) -> None:
    path = f"/datasets/{upload(client, {'a': [1, 2]})['id']}/observations?unique_id=a"
    refused = client.get(f"{path}&cursor={cursor}")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "?cursor")
    assert client.get(f"{path}&cursor={'9' * 18}").json()["y"] == []


def test_series_are_paged_by_name(client: TestClient) -> None:
    dataset_id = upload(client, {name: [1, 2] for name in "cab"})["id"]
    first = client.get(f"/datasets/{dataset_id}/series", params={"limit": 2}).json()
    second = client.get(f"/datasets/{dataset_id}/series", params={"cursor": first["next"]}).json()
    assert [item["unique_id"] for item in first["series"] + second["series"]] == ["a", "b", "c"]


def test_observations_come_back_to_the_last_bit_with_gaps(client: TestClient) -> None:
    values = [0.1, None, 331002651.0, 1e-300]
    dataset_id = upload(client, {"a/b.c": values})["id"]
    answer = client.get(f"/datasets/{dataset_id}/observations", params={"unique_id": "a/b.c"}).json()
    assert answer["ds"] == [1960, 1961, 1962, 1963]
    assert answer["y"] == values


def test_observations_are_paged_oldest_first(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2, 3]})["id"]
    path = f"/datasets/{dataset_id}/observations?unique_id=a&limit=2"
    first = client.get(path).json()
    second = client.get(f"{path}&cursor={first['next']}").json()
    assert (first["y"], second["y"], second["next"]) == ([1, 2], [3], None)


def test_unknown_series_is_named_in_the_404(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    response = client.get(f"/datasets/{dataset_id}/observations", params={"unique_id": "nobody"})
    assert response.status_code == 404
    assert "'nobody'" in response.json()["detail"]


def test_deleted_dataset_is_removed_with_its_model(client: TestClient, database: Database) -> None:
    dataset_id = upload(client)["id"]
    model_id = trained(database, dataset_id)
    assert client.delete(f"/datasets/{dataset_id}").status_code == 204
    assert client.get(f"/datasets/{dataset_id}").status_code == 404
    assert client.get(f"/models/{model_id}").status_code == 404


def test_deletion_cancels_the_queued_training(client: TestClient, database: Database) -> None:
    dataset_id = upload(client)["id"]
    ref = queued_job(database, dataset_id)
    client.delete(f"/datasets/{dataset_id}")
    job = client.get(f"/jobs/{ref.job_id}").json()
    assert (job["state"], job["error"]) == ("cancelled", "Its dataset was deleted.")
