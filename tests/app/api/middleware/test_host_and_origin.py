"""Foreign hosts and origins are refused, and every response has security headers."""

import logging
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.middleware.host_and_origin import HostAndOriginCheck
from app.db.engine import Database
from app.main import create_app
from app.services.shared import database_admin
from app.settings import Settings
from tests.factories import dataset

OURS = "http://127.0.0.1:8000"
FRIEND = "https://app.example"
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture(scope="module")
def app(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    copy = shutil.copy(sqlite_template, tmp_path_factory.mktemp("host_and_origin") / "test.db")
    url = f"sqlite:///{copy}"
    return create_app(
        Settings(database_url=url, device="cpu", allowed_hosts=("forecasts.example",), cors_origins=(FRIEND,))
    )


@pytest.fixture(scope="module")
def caller(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=OURS, raise_server_exceptions=False) as caller:
        yield caller


def host(*names: str) -> list[tuple[str, str]]:
    return [("host", each) for each in names]


@pytest.mark.parametrize(
    "name", ["127.0.0.1:8000", "localhost", "LocalHost:1", "127.9.9.9", "[::1]:8000", "forecasts.example:443"]
)
def test_own_host_is_admitted(caller: TestClient, name: str) -> None:
    assert [caller.get("/healthz", headers=host(name)).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    "name",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8000",
        "10.0.0.1",
        "",
        "localhost@evil",
    ],
)
def test_foreign_host_is_refused_before_the_route(caller: TestClient, name: str) -> None:
    refused = caller.get("/healthz", headers=host(name))
    assert (refused.status_code, refused.json()["type"]) == (421, "urn:gatecast:problem:misdirected")
    assert "GATECAST_ALLOWED_HOSTS" in refused.json()["detail"]


def test_foreign_host_beside_an_own_one_is_refused(caller: TestClient) -> None:
    assert caller.get("/healthz", headers=host("localhost", "evil.example")).status_code == 421


def test_foreign_host_gets_no_cached_forecast(caller: TestClient, app: FastAPI) -> None:
    query = {"dataset_id": dataset(app.state.resources.database).id, "unique_id": "series 1"}
    assert [caller.get("/forecast", params=query).status_code for _ in range(2)] == [200, 200]
    assert caller.get("/forecast", params=query, headers=host("evil.example")).status_code == 421


@pytest.mark.parametrize(
    ("bound", "name", "status"),
    [
        ("192.0.2.7", "192.0.2.7:8000", 200),
        ("192.0.2.7", socket.gethostname(), 421),
        ("0.0.0.0", socket.gethostname(), 200),  # noqa: S104  # every address is what is tested
        ("0.0.0.0", "evil.example", 421),  # noqa: S104
    ],
)
def test_bound_address_is_an_own_host(bound: str, name: str, status: int) -> None:
    api = create_app(Settings(database_url="sqlite:///unused.db", host=bound))
    assert TestClient(api, base_url=OURS).get("/healthz", headers=host(name)).status_code == status


def test_address_a_request_arrives_at_is_an_own_host() -> None:
    api = create_app(Settings(database_url="sqlite:///unused.db", host="0.0.0.0"))  # noqa: S104
    assert TestClient(api, base_url="http://192.0.2.8:8000").get("/healthz").status_code == 200


def test_remembered_hosts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.middleware.host_and_origin.MAX_REMEMBERED_HOSTS", 2)
    check = HostAndOriginCheck(FastAPI(), frozenset({"localhost"}), ())
    for port in range(5):
        assert check._is_own_host(b"localhost:%d" % port, {"type": "http"})
    assert len(check._remembered_hosts) == 2


def send_unsafe(caller: TestClient, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return caller.delete("/datasets/none", headers=sent).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8001"},
        {"origin": "http://localhost:8000", "sec_fetch_site": "cross-site"},
        {"origin": f"{FRIEND}.evil.example", "sec_fetch_site": "cross-site"},
        {"origin": "https://evil.example", "sec_fetch_site": "same-origin"},
    ],
    ids=str,
)
def test_unsafe_request_of_a_foreign_origin_is_refused(caller: TestClient, headers: dict[str, str]) -> None:
    assert send_unsafe(caller, **headers) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "none"},
        {"origin": OURS, "sec_fetch_site": "same-origin"},
        {"origin": OURS},
        {"origin": FRIEND, "sec_fetch_site": "cross-site"},
    ],
    ids=str,
)
def test_unsafe_request_of_a_program_or_an_own_page_is_admitted(
    caller: TestClient, headers: dict[str, str]
) -> None:
    assert send_unsafe(caller, **headers) == 404


def test_upload_by_a_foreign_page_stores_nothing(caller: TestClient) -> None:
    sent, before = {"file": ("x.csv", b"unique_id,ds,y\na,1,2\na,2,3\n")}, caller.get("/datasets").json()
    refused = caller.post("/datasets", files=sent, headers={"origin": "https://evil.example"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:gatecast:problem:foreign-origin")
    assert "GATECAST_CORS_ORIGINS" in refused.json()["detail"]
    assert caller.get("/datasets").json() == before


def preflight(caller: TestClient, origin: str) -> Any:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,idempotency-key",
    }
    return caller.options("/datasets", headers=headers)


def test_allowed_origin_gets_cors_headers(caller: TestClient) -> None:
    response = preflight(caller, FRIEND)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == FRIEND
    assert "idempotency-key" in response.headers["access-control-allow-headers"]
    assert (
        caller.get("/datasets", headers={"origin": FRIEND}).headers["access-control-allow-origin"] == FRIEND
    )


def test_other_origin_gets_no_cors_headers(caller: TestClient) -> None:
    evil = "https://evil.example"
    for response in (preflight(caller, evil), caller.get("/datasets", headers={"origin": evil})):
        assert "access-control-allow-origin" not in response.headers
    assert preflight(caller, evil).status_code == 403


def test_cached_forecast_can_be_read_by_an_allowed_origin(caller: TestClient, app: FastAPI) -> None:
    query = {"dataset_id": dataset(app.state.resources.database).id, "unique_id": "series 1"}
    answers = [caller.get("/forecast", params=query, headers={"origin": FRIEND}) for _ in range(2)]
    assert [each.headers["access-control-allow-origin"] for each in answers] == [FRIEND, FRIEND]


@pytest.mark.parametrize("path", ["/healthz", "/forecast", "/docs", "/openapi.json", "/nowhere", "/metrics"])
def test_every_response_has_security_headers(caller: TestClient, path: str) -> None:
    headers = caller.get(path).headers
    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_refusals_and_preflights_have_security_headers_as_well(caller: TestClient) -> None:
    for answer in (preflight(caller, FRIEND), caller.get("/", headers=host("evil.example"))):
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_cached_responses_have_security_headers_once(caller: TestClient, app: FastAPI) -> None:
    query = {"dataset_id": dataset(app.state.resources.database).id, "unique_id": "series 1"}
    for kind in ("application/json", "image/svg+xml"):
        first, again = (caller.get("/forecast", params=query, headers={"accept": kind}) for _ in range(2))
        etag = {"accept": kind, "if-none-match": first.headers["etag"]}
        unchanged = caller.get("/forecast", params=query, headers=etag)
        assert (again.status_code, unchanged.status_code) == (200, 304)
        for answer in (again, unchanged):
            assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
            assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_internal_error_has_security_headers(caller: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_database: Database) -> None:
        raise RuntimeError

    monkeypatch.setattr(database_admin, "check_ready", broken)
    answer = caller.get("/readyz")
    assert (answer.status_code, answer.headers["x-content-type-options"]) == (500, "nosniff")


def test_refusal_is_logged_and_counted(caller: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "app.api.middleware.concurrency_limit"):
        caller.get("/jobs", headers=host("evil.example"))
    assert [line.rpartition(" 421 ")[0] for line in caplog.messages] == ["GET /jobs"]
    assert 'method="GET",route="none",status="421"' in caller.get("/metrics").text
