"""The documentation that the service serves: complete, and without the network."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema_rs import validator_for
from pydantic import BaseModel

from app.main import create_app
from app.schemas.jobs import JobOut
from app.settings import Settings
from tests.processes import running_service

OPENAPI = create_app(Settings()).openapi()
DESCRIBED: dict[str, dict[str, Any]] = {
    f"{method} {path}": operation
    for path, methods in OPENAPI["paths"].items()
    for method, operation in methods.items()
}
OPERATIONS = [pytest.param(operation, id=name) for name, operation in DESCRIBED.items()]
SHAPES = [
    shape
    for shape in BaseModel.__subclasses__()
    if shape.__module__.startswith("app.schemas") and "json_schema_extra" in shape.model_config
]
DECLARED: dict[str, dict[str, Any]] = {
    f"{name}.{field_name}": field
    for name, schema in OPENAPI["components"]["schemas"].items()
    for field_name, field in schema.get("properties", {}).items()
}
FIELDS = [pytest.param(field, id=name) for name, field in DECLARED.items()]
WITH_EXAMPLES = [pytest.param(field, id=name) for name, field in DECLARED.items() if "examples" in field]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_and_each_parameter_are_described(operation: dict[str, Any]) -> None:
    assert operation["description"]
    assert [p["name"] for p in operation.get("parameters", []) if "description" not in p] == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_has_an_example_response(operation: dict[str, Any]) -> None:
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    bodies = [answer.get("content", {}).get("application/json") for answer in answers]
    for reference in re.findall(r"schemas/(\w+)", str(bodies)):
        assert "example" in OPENAPI["components"]["schemas"][reference]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_errors_are_declared_as_the_problem_documents_they_are(operation: dict[str, Any]) -> None:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    errors = {status: answer for status, answer in operation["responses"].items() if status >= "4"}
    assert {"421", "422", "503", "default"} <= errors.keys()
    assert [status for status, answer in errors.items() if answer["content"] != content] == []


@pytest.mark.parametrize(("name", "operation"), DESCRIBED.items())
def test_operation_declares_the_errors_of_what_it_takes(name: str, operation: dict[str, Any]) -> None:
    taken = {parameter["name"] for parameter in operation.get("parameters", [])}
    writes = not name.startswith("get ") and name != "post /forecast"
    expected = {
        "404": "{" in name or name in ("post /train", "post /schedules", "get /forecast", "post /forecast"),
        "409": "idempotency-key" in taken,
        "413": "requestBody" in operation,
        "406": "format" in taken,
        "507": writes,
        "304": "if-none-match" in taken,
    }
    declared = operation["responses"].keys()
    assert [status for status, needed in expected.items() if needed and status not in declared] == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_has_a_summary_that_reads_and_a_described_tag(operation: dict[str, Any]) -> None:
    described = {tag["name"] for tag in OPENAPI["tags"] if tag["description"]}
    assert set(operation["tags"]) <= described
    assert operation["description"].replace("\n", " ").startswith(operation["summary"])
    assert " " in operation["summary"]
    assert len(operation["summary"]) <= 100


@pytest.mark.parametrize("operation", OPERATIONS)
def test_body_refers_to_a_component(operation: dict[str, Any]) -> None:
    contents = operation.get("requestBody", {}).get("content", {}).values()
    named = [content["schema"]["$ref"].rpartition("/")[2] for content in contents]
    assert [name for name in named if name not in OPENAPI["components"]["schemas"]] == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_identifiers_have_patterns(operation: dict[str, Any]) -> None:
    parameters = {p["name"]: p["schema"] for p in operation.get("parameters", [])}
    identifiers = {name: s for name, s in parameters.items() if name.endswith("_id") and name != "unique_id"}
    assert [name for name, schema in identifiers.items() if "pattern" not in str(schema)] == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_media_type_has_a_schema(operation: dict[str, Any]) -> None:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    described = [content for body in bodies for content in body.get("content", {}).values()]
    assert [content for content in described if "schema" not in content] == []


def test_operation_ids_are_the_names_of_their_functions() -> None:
    names = [operation["operationId"] for operation in DESCRIBED.values()]
    assert {"list_datasets", "create_dataset", "get_forecast", "train"} < set(names)
    assert len(set(names)) == len(names)


def test_every_cursor_has_a_pattern() -> None:
    parameters = [p for operation in DESCRIBED.values() for p in operation.get("parameters", [])]
    cursors = [str(p["schema"]) for p in parameters if p["name"] == "cursor"]
    assert cursors
    assert [cursor for cursor in cursors if "pattern" not in cursor] == []


def test_stream_of_events_is_shown_as_it_comes() -> None:
    answer = OPENAPI["paths"]["/jobs/{job_id}/events"]["get"]["responses"]["200"]["content"]
    shown = answer["text/event-stream"]["example"].split("\n")
    states = [JobOut.model_validate_json(line[6:]).state for line in shown if line.startswith("data: ")]
    names = [line[7:] for line in shown if line.startswith("event: ")]
    assert (names, states) == (["progress", "succeeded"], ["running", "succeeded"])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_example_is_a_whole_and_true_one(shape: type[BaseModel]) -> None:
    example = shape.model_json_schema()["example"]
    assert shape.model_validate(example).model_dump(mode="json") == example


@pytest.mark.parametrize(("name", "schema"), OPENAPI["components"]["schemas"].items())
def test_example_is_valid_by_the_schema_itself(name: str, schema: dict[str, Any]) -> None:
    whole = {"$ref": f"#/components/schemas/{name}", "components": OPENAPI["components"]}
    shown = [schema["example"]] if "example" in schema else schema.get("examples", [])
    assert [str(error) for example in shown for error in validator_for(whole).iter_errors(example)] == []


@pytest.mark.parametrize("field", WITH_EXAMPLES)
def test_example_of_a_field_is_valid_by_its_schema(field: dict[str, Any]) -> None:
    validator = validator_for({**field, "components": OPENAPI["components"]})
    assert [str(error) for example in field["examples"] for error in validator.iter_errors(example)] == []


@pytest.mark.parametrize("field", FIELDS)
def test_field_is_explained(field: dict[str, Any]) -> None:
    assert field.get("description") or "$ref" in str(field)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_page_loads_nothing_from_elsewhere(path: str) -> None:
    with TestClient(create_app(Settings(database_url="sqlite:///unused.db"))) as client:
        page = client.get(path).text
        loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
        assert len(loaded) >= 2
        assert all(client.get(address).status_code == 200 for address in loaded)


@pytest.fixture(scope="module")
def address(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("docs")
    copy = shutil.copy(sqlite_template, folder / "docs.db")
    with running_service(f"sqlite:///{copy}", folder) as service:
        yield service.url


@pytest.mark.parametrize("path", ["/datasets", "/datasets/{dataset_id}/observations"])
def test_field_of_a_form_is_empty_until_it_is_filled(path: str) -> None:
    content = DESCRIBED[f"post {path}"]["requestBody"]["content"]["multipart/form-data"]
    form = OPENAPI["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    fields = {name: (field.get("type"), field.get("default")) for name, field in form["properties"].items()}
    assert fields.pop("file") == ("string", None)
    assert set(fields.values()) == {("string", "")}


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "shown"), [("/docs", "Forecast one series"), ("/redoc", "Forecast one series")]
)
def test_page_renders_with_the_network_closed(address: str, path: str, shown: str, tmp_path: Path) -> None:
    assert shown in rendered(f"{address}{path}", tmp_path)


@pytest.mark.long
def test_upload_form_in_the_documentation_sends_no_default(address: str, tmp_path: Path) -> None:
    page = rendered(f"{address}/docs#/datasets/create_dataset", tmp_path)
    fields = re.findall(r'<input type="text"[^>]*placeholder="([a-z_]+)" value="([^"]*)"', page)
    assert {"frequency", "id_column", "name"} < dict(fields).keys()
    assert {value for name, value in fields if name != "idempotency-key"} == {""}


def rendered(url: str, folder: Path) -> str:
    """Return a page as a browser makes it that reaches this machine alone."""
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium here (Debian: apt-get install chromium)")
    closed = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking"]
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}"]
    look = ["--virtual-time-budget=20000", "--dump-dom", url]
    page = subprocess.run([browser, *flags, *closed, *look], capture_output=True, text=True, check=True)
    return page.stdout
