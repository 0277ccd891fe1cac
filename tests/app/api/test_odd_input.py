"""Input that no one sends on purpose: answered as the caller's mistake on both databases, never by a 500."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from tests.factories import csv_bytes, upload

ODD_PATHS = [
    "/datasets/a%00b",
    "/jobs/%00",
    "/models/%00",
    "/models?dataset_id=%00",
    "/forecast?dataset_id=%00",
    "/forecast?model_id=%00",
    "/datasets?cursor=AA",
    "/datasets?cursor=",
    f"/datasets/{'x' * 10_000}",
]
IN_A_DATASET = [
    "/series?cursor=AA",
    "/observations?unique_id=%00",
    f"/observations?unique_id=series+0&cursor={'OTk5' * 2000}",
]
FOR_A_FORECAST = [
    "unique_id=%00",
    f"dataset_version={2**31}",
    f"dataset_version={10**30}",
    f"horizon={2**63}",
]


def is_refused(status: int) -> bool:
    return 400 <= status < 500


@pytest.mark.parametrize("path", ODD_PATHS, ids=lambda path: path[:30])
def test_odd_path_is_refused(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert is_refused(response.status_code) or response.json()["next"] is None


def test_odd_parameter_of_a_real_dataset_is_refused(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    inside = [client.get(f"/datasets/{dataset_id}{path}") for path in IN_A_DATASET]
    ahead = [client.get(f"/forecast?dataset_id={dataset_id}&{asked}") for asked in FOR_A_FORECAST]
    statuses = [response.status_code for response in inside[1:] + ahead]
    assert all(is_refused(status) for status in statuses), statuses
    assert inside[0].status_code < 500


@pytest.mark.parametrize(
    "body",
    [
        b'{"dataset_id": "\\u0000", "horizon": 3}',
        b'{"dataset_id": "\\ud800", "horizon": 3}',
        b'{"dataset_id": "x", "horizon": 1e400}',
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"horizon": ' + b"9" * 5000 + b"}",
    ],
    ids=["NUL", "surrogate", "infinity", "list", "null", "deep", "long number"],
)
def test_odd_training_is_refused(client: TestClient, body: bytes) -> None:
    response = client.post("/train", content=body, headers={"content-type": "application/json"})
    assert is_refused(response.status_code), response.text
    assert response.json()["detail"]


@pytest.mark.parametrize(("name", "told"), [("n\0n", "U+0000"), ("n" * 501, "500 characters")])
def test_name_of_a_series_that_no_index_holds_is_refused(client: TestClient, name: str, told: str) -> None:
    rows = [{"unique_id": name, "ds": year, "y": 1.0} for year in (2001, 2002, 2003)]
    response = client.post("/datasets", json={"observations": rows})
    assert response.status_code == 422
    assert told in response.text


def test_name_of_a_dataset_with_nul_is_no_fault_of_ours(client: TestClient) -> None:
    response = client.post("/datasets", files={"file": ("a.csv", csv_bytes())}, data={"name": "n\0n"})
    assert response.status_code in (201, 422)


def test_multipart_without_boundary_says_what_is_wrong(client: TestClient) -> None:
    response = client.post("/datasets", content=b"x", headers={"content-type": "multipart/form-data"})
    assert response.status_code == 422
    assert "boundary" in response.json()["detail"]


def test_sixty_writers_at_once_are_all_served(client: TestClient) -> None:
    dataset_id = upload(client)["id"]

    def train(_: int) -> int:
        return client.post("/train", json={"dataset_id": dataset_id, "horizon": 3}).status_code

    with ThreadPoolExecutor(60) as pool:
        assert list(pool.map(train, range(60))) == [202] * 60
