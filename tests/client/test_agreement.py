"""The client knows every call, every option and every field that the service has, and no others."""

import inspect
import re
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin, get_type_hints

import httpx2
import pytest

from app.main import create_app
from app.settings import Settings
from gatecast_client import Client, NoAnswer, options, shapes
from gatecast_client.core import call, items

API: dict[str, Any] = create_app(Settings()).openapi()
SCHEMAS: dict[str, Any] = API["components"]["schemas"]
OTHER_NAMES = {
    "Appended": "ObservationsOut",
    "FileProblem": "ProblemOut",
    "Observations": "ObservationPage",
    "Problem": "Problem",
}
SHAPES = sorted(set(shapes.__all__) - {"Cell", "Shape", "Time"})
CALLS = [name for name, member in inspect.getmembers(Client) if isinstance(member, call | items)]
ROWS = [{"ds": 1, "y": 2}]
OTHER_DATA = {"upload": b"", "preview": b"", "append": ROWS}
ABOUT_THE_ANSWER = {"limit", "cursor", "format", "quote_formulas", "if-none-match"}


def component(name: str) -> str:
    """Return what the service calls a shape of the client."""
    return next(each for each in (OTHER_NAMES.get(name, ""), f"{name}Out", name) if each in SCHEMAS)


def plain(schema: dict[str, Any], named: Callable[[str], str] = str) -> Any:
    """Return the type that a schema says, without texts, bounds and lists of words."""
    if "$ref" in schema:
        return named(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return {str(plain(each, named)) for each in schema["anyOf"]}
    inner = schema.get("items") or schema.get("additionalProperties")
    return schema.get("type"), schema.get("format"), plain(inner, named) if isinstance(inner, dict) else None


@pytest.mark.parametrize("name", SHAPES)
def test_shape_has_the_fields_of_the_service(name: str) -> None:
    ours = getattr(shapes, name).model_json_schema(mode="serialization")["properties"]
    theirs = SCHEMAS[component(name)]["properties"]
    if component(name).endswith("Page"):
        del theirs["next"]  # which the client follows
    assert {field: plain(schema, component) for field, schema in ours.items()} == {
        field: plain(schema) for field, schema in theirs.items()
    }


def named_in(part: Any) -> set[str]:
    """Return the components that part of the documentation names, with those in them."""
    found = set(re.findall(r"#/components/schemas/(\w+)", str(part)))
    return found.union(*(named_in(SCHEMAS[name]) for name in found))


def test_every_answer_has_a_shape() -> None:
    answers = [each["responses"] for item in API["paths"].values() for each in item.values()]
    pages = {name for name in SCHEMAS if name.endswith("Page")} - {"ObservationPage"}
    assert {component(name) for name in SHAPES} == named_in(answers) - pages


def first_request(name: str, data: object) -> httpx2.Request:
    """Return what a call sends first."""
    requests: list[httpx2.Request] = []

    def lose(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        raise httpx2.ReadTimeout("timed out")

    method = getattr(Client(http=httpx2.Client(transport=httpx2.MockTransport(lose))), name)
    parameters = inspect.signature(method).parameters.values()
    needed = [
        each.name for each in parameters if each.default is each.empty and each.kind != each.VAR_KEYWORD
    ]
    try:
        found = method(*(data if each == "data" else "1" for each in needed))
        next(found) if hasattr(found, "__next__") else None
    except NoAnswer:
        pass
    return requests[0]


def route(request: httpx2.Request) -> tuple[str, str]:
    """Return the method and the path of a request as the documentation has them."""
    path = request.url.path
    fitting = [each for each in API["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", each), path)]
    return request.method.lower(), min(fitting, key=lambda each: each.count("{"))


def test_every_call_of_the_service_is_made_by_a_method() -> None:
    made = {route(first_request(name, OTHER_DATA.get(name, "1"))) for name in CALLS}
    made |= {route(first_request(name, ROWS)) for name in ("forecast", "forecasts", "plot")}
    assert made == {(method, path) for path, item in API["paths"].items() for method in item}


def parameters(method: str, path: str) -> dict[str, Any]:
    """Return the query of a call, without what says how it is answered."""
    found = API["paths"][path][method]["parameters"]
    return {each["name"]: each["schema"] for each in found if each["name"] not in ABOUT_THE_ANSWER}


def body(path: str, media_type: str) -> dict[str, Any]:
    """Return the fields of a body."""
    schema = API["paths"][path]["post"]["requestBody"]["content"][media_type]["schema"]
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
    fields: dict[str, Any] = schema["properties"]
    return fields


@pytest.mark.parametrize(
    ("options", "others", "fields"),
    [
        (options.Uploading, {"file", "name"}, body("/datasets", "multipart/form-data")),
        (options.Training, {"dataset_id", "horizon", "preset"}, body("/train", "application/json")),
        (
            options.Asking,
            {"observations"},
            {**parameters("get", "/forecast"), **body("/forecast", "application/json")},
        ),
    ],
    ids=["upload", "train", "forecast"],
)
def test_options_are_those_of_the_service(options: type, others: set[str], fields: dict[str, Any]) -> None:
    hints = get_type_hints(options)
    assert set(hints) == set(fields) - others
    assert {name: words(hint) for name, hint in hints.items()} == {name: enum(fields[name]) for name in hints}


def words(hint: Any) -> set[str]:
    """Return the words that a type allows; none where it allows any."""
    return set(get_args(hint)) if get_origin(hint) is Literal else set()


def enum(schema: dict[str, Any]) -> set[str]:
    """Return the words that a schema allows; none where it allows any, or where they stand for a number."""
    members = [each for each in schema.get("anyOf", [schema]) if each.get("type") == "string"]
    allowed = {word for each in members for word in each.get("enum", [])} - {""}
    return set() if allowed <= {"true", "false"} else allowed
