"""Names from callers: the same ones are refused everywhere, with the character at fault."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.factories import csv_bytes

BAD = "north\u202esouth"
Send = Callable[[TestClient, str], Response]


def in_json(client: TestClient, name: str) -> Response:
    rows = [{"unique_id": "a", "ds": year, "y": 1.0} for year in (2001, 2002, 2003)]
    return client.post("/datasets", json={"name": name, "observations": rows})


def in_a_field(client: TestClient, name: str) -> Response:
    return client.post("/datasets", files={"file": ("a.csv", csv_bytes())}, data={"name": name})


def of_a_file(client: TestClient, name: str) -> Response:
    return client.post("/datasets", files={"file": (f"{name}.csv", csv_bytes())})


def of_a_model(client: TestClient, name: str) -> Response:
    return client.patch("/models/model_1", json={"name": name})


@pytest.mark.parametrize("send", [in_json, in_a_field, of_a_file, of_a_model])
def test_name_that_controls_how_text_is_shown_is_refused(client: TestClient, send: Send) -> None:
    response = send(client, BAD)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#/name"
    assert "U+202E" in response.json()["detail"]


@pytest.mark.parametrize("send", [in_json, in_a_field, of_a_file])
def test_persian_name_with_joiners_is_accepted(client: TestClient, send: Send) -> None:
    name = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    response = send(client, name)
    assert response.status_code == 201
    assert response.json()["name"] == name


@pytest.mark.parametrize("send", [in_json, in_a_field, of_a_file])
def test_name_is_trimmed_of_blanks_and_byte_order_mark(client: TestClient, send: Send) -> None:
    assert send(client, "\ufeff  north south\u00a0").json()["name"] == "north south"


@pytest.mark.parametrize("name", [" ", "\ufeff", "\ufeff \u3000"])
@pytest.mark.parametrize(("send", "given"), [(in_json, "dataset"), (in_a_field, "a"), (of_a_file, "dataset")])
def test_name_of_blanks_alone_counts_as_none(client: TestClient, send: Send, given: str, name: str) -> None:
    assert send(client, name).json()["name"] == given


@pytest.mark.parametrize("path", ["/datasets", "/forecast"])
def test_name_of_a_series_is_refused_by_its_observation(client: TestClient, path: str) -> None:
    rows = [{"unique_id": name, "ds": year, "y": 1.0} for name in ("a", BAD) for year in range(2001, 2009)]
    response = client.post(path, json={"observations": rows})
    assert response.status_code == 422
    first = response.json()["errors"][0]
    assert first["pointer"] == "#/observations/8/unique_id"
    assert "U+202E" in first["detail"]
