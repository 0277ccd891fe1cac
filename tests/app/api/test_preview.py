"""A preview shows how an upload would be read; what is said of an upload holds for rows that follow."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from tests.factories import SQLITE_ALONE

pytestmark = SQLITE_ALONE

PRICES = b"date,open,close\n" + b"".join(b"2024-01-%02d,1.5,2.5\n" % day for day in range(1, 29))
RECEIPTS = b"date,amount\n" + b"".join(
    b"2024-01-%02d,2\n2024-01-%02d,3\n" % (day, day) for day in range(1, 29)
)


def post(client: TestClient, table: bytes, path: str = "/datasets", **fields: str) -> Any:
    return client.post(path, files={"file": ("table.csv", table)}, data=fields)


def test_preview_of_a_file_shows_its_columns_and_stores_nothing(client: TestClient) -> None:
    answer = post(client, PRICES, "/datasets?preview=true", target_column="close")
    assert answer.status_code == 200
    roles = [(column["name"], column["role"]) for column in answer.json()["detected"]["columns"]]
    assert roles == [("date", "time"), ("open", "unused"), ("close", "target")]
    assert answer.json()["profile"]["frequency"] == "D"
    assert client.get("/datasets").json()["datasets"] == []


def test_preview_opens_no_transaction_that_writes(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_database: Database) -> None:
        pytest.fail("a preview writes")

    with monkeypatch.context() as patches:
        patches.setattr(Database, "write", write)
        answer = post(client, RECEIPTS, "/datasets?preview=true", duplicates="sum")
    assert answer.status_code == 200


def test_preview_under_a_key_is_answered_again(client: TestClient) -> None:
    sent = {"files": {"file": ("t.csv", RECEIPTS)}, "headers": {"idempotency-key": "one"}}
    first, second = (client.post("/datasets?preview=true", **sent) for _ in range(2))  # type: ignore[arg-type]
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"


def test_question_of_a_preview_is_what_the_upload_is_refused_for(client: TestClient) -> None:
    (question,) = post(client, PRICES, "/datasets?preview=true").json()["questions"]
    assert (question["parameter"], question["candidates"]) == ("target_column", ["open", "close"])
    refused = post(client, PRICES)
    assert refused.status_code == 422
    assert refused.json()["detail"] == question["question"]
    assert refused.json()["errors"][0]["pointer"] == "#/target_column"


def test_preview_of_rows_is_one_of_a_file(client: TestClient) -> None:
    rows = [{"ds": day, "y": value} for day in (1, 2, 3, 4) for value in (1.0, 2.0)]
    answer = client.post("/datasets?preview=true", json={"observations": rows}).json()
    assert [question["parameter"] for question in answer["questions"]] == ["duplicates"]
    said = {"duplicates": "mean", "observations": rows}
    assert client.post("/datasets?preview=true", json=said).json()["profile"]["observations"] == 4


def test_file_that_is_no_table_is_refused_in_a_preview_too(client: TestClient) -> None:
    assert post(client, b"one column\n1\n", "/datasets?preview=true").status_code == 422


def test_what_is_said_of_an_upload_holds_for_rows_that_follow(client: TestClient) -> None:
    dataset = post(client, RECEIPTS, duplicates="sum", missing="zero", missing_values="-999").json()
    assert dataset["profile"]["detected"]["options"] == {
        "duplicates": "sum",
        "missing": "zero",
        "missing_values": "-999",
    }
    path = f"/datasets/{dataset['id']}/observations"
    more = post(client, b"date,amount\n2024-01-31,4\n2024-01-31,4\n2024-01-30,-999\n", path).json()
    assert (more["appended"], more["profile"]["gaps"]) == (1, 0)
    query = {"unique_id": "amount", "limit": "1000"}
    stored = client.get(path, params=query).json()
    assert dict(zip(stored["ds"], stored["y"], strict=True)) == {
        **{f"2024-01-{day:02}": 5.0 for day in range(1, 29)},
        "2024-01-29": 0.0,
        "2024-01-30": 0.0,
        "2024-01-31": 8.0,
    }


@pytest.mark.parametrize(("said", "status"), [({}, 422), ({"duplicates": "sum"}, 200)])
def test_rows_to_forecast_may_repeat_times_when_it_is_said_why(
    client: TestClient, said: dict[str, str], status: int
) -> None:
    rows = [{"ds": day, "y": 1.0} for day in range(1, 31) for _ in range(2)]
    answer = client.post("/forecast", json={**said, "horizon": 2, "observations": rows})
    assert answer.status_code == status


def test_field_that_is_no_choice_is_refused_with_the_choices(client: TestClient) -> None:
    answer = post(client, RECEIPTS, duplicates="add")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/duplicates"
    assert "'sum'" in answer.json()["detail"]


def test_datasets_are_found_by_their_name(client: TestClient) -> None:
    ids = [post(client, PRICES, target_column="close", name=name).json()["id"] for name in ("a", "b", "a")]
    found = client.get("/datasets", params={"name": "a"}).json()["datasets"]
    assert [each["id"] for each in found] == [ids[2], ids[0]]
    assert client.get("/datasets", params={"name": "c"}).json()["datasets"] == []


def test_versions_are_listed_newest_first_and_paged(client: TestClient) -> None:
    dataset = post(client, PRICES, target_column="close").json()
    for day in (29, 30):
        rows = [{"ds": f"2024-01-{day}", "y": 1.0}]
        client.post(f"/datasets/{dataset['id']}/observations", json={"observations": rows})
    path = f"/datasets/{dataset['id']}/versions"
    page = client.get(path, params={"limit": 2}).json()
    assert [(each["version"], each["observations"]) for each in page["versions"]] == [(3, 30), (2, 29)]
    rest = client.get(path, params={"limit": 2, "cursor": page["next"]}).json()
    assert [each["version"] for each in rest["versions"]] == [1]
    assert rest["next"] is None
    assert client.get("/datasets/ds_1/versions").status_code == 404
    assert client.get(path, params={"cursor": "YQ"}).status_code == 422


def test_roles_of_columns_are_said_in_a_form_and_stay_with_the_dataset(client: TestClient) -> None:
    said = {"target_column": "close", "static_columns": "", "future_columns": "open"}
    table = PRICES.replace(b"01,1.5", b"01,1.4")
    profile = post(client, table, **said).json()["profile"]
    assert [(each["name"], each["role"]) for each in profile["covariates"]] == [("open", "future")]
    assert profile["detected"]["options"] == {"future_columns": "open"}
    assert profile["detected"]["columns"][1]["reason"] == "future_columns names it"


def test_roles_of_columns_are_said_in_json(client: TestClient) -> None:
    rows = [{"ds": day, "y": day % 5, "price": day % 3, "code": day % 2} for day in range(1, 21)]
    said = {"future_columns": ["price"], "category_columns": ["code"], "observations": rows}
    profile = client.post("/datasets?preview=true", json=said).json()["profile"]
    found = [(each["name"], each["role"], each["kind"]) for each in profile["covariates"]]
    assert found == [("price", "future", "number"), ("code", "past", "category")]


@pytest.mark.parametrize(("column", "status"), [("open", 201), ("opne", 422)])
def test_column_of_a_role_must_be_there(client: TestClient, column: str, status: int) -> None:
    answer = post(client, PRICES, target_column="close", unused_columns=column)
    assert answer.status_code == status
    if status != 201:
        assert answer.json()["errors"][0]["pointer"] == "#/unused_columns"
        assert "Did you mean 'open'?" in answer.json()["detail"]


def test_documentation_says_which_keys_rows_may_have(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    body = document["paths"]["/datasets"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    dataset = schemas[body["$ref"].rsplit("/", 1)[-1]]
    row = schemas[dataset["properties"]["observations"]["items"]["$ref"].rsplit("/", 1)[-1]]
    kinds = [each["type"] for each in row["additionalProperties"]["anyOf"]]
    assert kinds == ["number", "boolean", "string", "null"]
    assert {"price", "promo"} <= row["example"].keys()
