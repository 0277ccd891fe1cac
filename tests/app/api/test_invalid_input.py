"""Invalid input is refused as the caller's mistake on both databases, never by a 500."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.api import jobs
from tests.factories import SQLITE_ALONE, csv_bytes, upload

pytestmark = SQLITE_ALONE

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
def test_invalid_path_is_refused(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert is_refused(response.status_code) or response.json()["next"] is None


def test_invalid_parameter_of_a_real_dataset_is_refused(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    inside = [client.get(f"/datasets/{dataset_id}{path}") for path in IN_A_DATASET]
    ahead = [client.get(f"/forecast?dataset_id={dataset_id}&{query}") for query in FOR_A_FORECAST]
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
def test_invalid_training_is_refused(client: TestClient, body: bytes) -> None:
    response = client.post("/train", content=body, headers={"content-type": "application/json"})
    assert is_refused(response.status_code), response.text
    assert response.json()["detail"]


@pytest.mark.parametrize(("name", "expected"), [("n\0n", "U+0000"), ("n" * 501, "500 characters")])
def test_series_name_too_long_for_an_index_is_refused(client: TestClient, name: str, expected: str) -> None:
    rows = [{"unique_id": name, "ds": year, "y": 1.0} for year in (2001, 2002, 2003)]
    response = client.post("/datasets", json={"observations": rows})
    assert response.status_code == 422
    assert expected in response.text


def test_dataset_name_with_nul_is_refused(client: TestClient) -> None:
    response = client.post("/datasets", files={"file": ("a.csv", csv_bytes())}, data={"name": "n\0n"})
    assert response.status_code in (201, 422)


ROW = '{"unique_id": "a", "ds": 2001, "y": 1.0}'
DIGITS = "9" * 5000
NUMBER = "9" * 4000  # longer ones are no JSON that this service reads
LONG = "x" * 5000


def send(client: TestClient, path: str, body: str, **headers: str) -> httpx2.Response:
    return client.post(path, content=body, headers={"content-type": "application/json", **headers})


@pytest.mark.parametrize("depth", [900, 100_000])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/train", '{"dataset_id": "x", "horizon": %s}'),
        ("/datasets", '{"name": %s, "observations": [' + ROW + "]}"),
        ("/datasets", '{"observations": [{"ds": 2001, "y": %s}]}'),
        ("/datasets/none/observations", '{"observations": %s}'),
        ("/forecast", '{"observations": [' + ROW + '], "level": %s}'),
        ("/schedules", '{"dataset_id": "x", "cron": "* * * * *", "train": %s}'),
    ],
)
def test_deeply_nested_json_is_refused_with_and_without_a_key(
    client: TestClient, path: str, body: str, depth: int
) -> None:
    nested = body % ("[" * depth + "]" * depth)
    answers = [send(client, path, nested), send(client, path, nested, **{"Idempotency-Key": "one"})]
    assert all(is_refused(answer.status_code) for answer in answers), answers[1].text


@pytest.mark.parametrize("frequency", [DIGITS, "\u0663", "1" * 30, "x" * 5000, f"{DIGITS}D"])
def test_frequency_of_any_writing_is_refused_in_body_and_form(client: TestClient, frequency: str) -> None:
    rows = [{"ds": year, "y": 1.0} for year in (2001, 2002, 2003)]
    files, fields = {"file": ("a.csv", csv_bytes())}, {"frequency": frequency}
    answers = [
        client.post("/datasets", json={"observations": rows, **fields}),
        client.post("/datasets", files=files, data=fields),
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert {part["pointer"] for answer in answers for part in answer.json()["errors"]} == {"#/frequency"}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/datasets", f'{{"frequency": {NUMBER}, "observations": [{ROW}]}}', "#/frequency"),
        ("/datasets", f'{{"observations": [{{"ds": {NUMBER}, "y": 1}}]}}', "#/observations/0/ds"),
        ("/datasets", f'{{"observations": [{{"ds": "{LONG}", "y": 1}}]}}', "#/observations/0/ds"),
        (
            "/datasets",
            f'{{"observations": [{{"unique_id": {NUMBER}, "ds": 1, "y": 1}}]}}',
            "#/observations/0/unique_id",
        ),
        ("/forecast", f'{{"dataset_id": "{LONG}", "observations": [{ROW}]}}', "#/dataset_id"),
        ("/forecast", f'{{"model_id": "{LONG}", "observations": [{ROW}]}}', "#/model_id"),
        ("/train", f'{{"dataset_id": "x", "horizon": 3, "seed": {2**70}}}', "#/seed"),
        ("/datasets", f'{{"observations": [{{"ds": 1, "y": {DIGITS}}}]}}', "#/"),
    ],
)
def test_value_of_any_length_in_a_body_is_refused_where_it_stands(
    client: TestClient, path: str, body: str, pointer: str
) -> None:
    refused = send(client, path, body)
    assert (refused.status_code, {part["pointer"] for part in refused.json()["errors"]}) == (422, {pointer})
    assert len(refused.text) < 2000


@pytest.mark.parametrize("field", ["id_column", "time_column", "target_column", "name", "frequency"])
def test_long_field_of_a_form_is_refused(client: TestClient, field: str) -> None:
    refused = client.post("/datasets", files={"file": ("a.csv", csv_bytes())}, data={field: LONG})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"#/{field}")


@pytest.mark.parametrize(
    "query",
    [
        "/forecast?dataset_id=",
        "/forecast?model_id=",
        "/forecast?unique_id=",
        "/forecast?dataset_id=x&cursor=",
        "/models?dataset_id=",
        "/schedules?dataset_id=",
        "/datasets/x/observations?unique_id=",
        "/datasets?cursor=",
    ],
)
def test_long_parameter_is_refused(client: TestClient, query: str) -> None:
    refused = client.get(f"{query}{LONG}")
    name = query.rpartition("?")[2].rpartition("&")[2].rstrip("=")
    assert refused.status_code == 422
    assert [part["pointer"].partition("/")[0] for part in refused.json()["errors"]] == [f"?{name}"]


@pytest.mark.parametrize("number", [DIGITS, "\u0663", "1_0", "-1"])
def test_last_event_id_that_is_no_number_is_ignored(client: TestClient, number: str) -> None:
    headers = [(b"last-event-id", number.encode())]
    assert client.get("/jobs/none/events", headers=headers).status_code == 404
    assert jobs._parse_event_id(number) is None


def test_multipart_without_boundary_says_what_is_wrong(client: TestClient) -> None:
    response = client.post("/datasets", content=b"x", headers={"content-type": "multipart/form-data"})
    assert response.status_code == 422
    assert "boundary" in response.json()["detail"]


def test_sixty_concurrent_writers_are_all_served(client: TestClient) -> None:
    dataset_id = upload(client)["id"]

    def train(_: int) -> int:
        return client.post("/train", json={"dataset_id": dataset_id, "horizon": 3}).status_code

    with ThreadPoolExecutor(60) as pool:
        assert list(pool.map(train, range(60))) == [202] * 60


def test_identifier_with_nul_is_refused_as_documented(client: TestClient) -> None:
    answer = client.get("/schedules", params={"dataset_id": "a\x00b"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?dataset_id")
