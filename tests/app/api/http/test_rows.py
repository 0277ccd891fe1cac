"""JSON with many rows: parsed in pieces, with the same result as in one go."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api.http import rows
from app.api.http.body_parsing import parse_json
from app.errors import BadInput, TooLarge
from app.schemas.datasets import DatasetCreate
from app.schemas.forecast import AdHocRequest

MANY = [{"unique_id": 'a, [b] {c} \\ " é', "ds": year, "y": year / 7} for year in range(5000)]
BEGIN = '{"observations": ['


def body_of(observations: list[Any], **fields: Any) -> bytes:
    return json.dumps({**fields, "observations": observations}).encode()


def refusal_of(body: bytes) -> dict[str, str]:
    with pytest.raises(BadInput) as refused:
        parse_json(body, DatasetCreate)
    return {part.pointer: part.detail for part in refused.value.errors}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("body", [{"observations": MANY, "name": "x"}, {"name": "x", "observations": MANY}])
def test_pieces_make_the_same_body_as_one_go(body: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(body, indent=indent, ensure_ascii=False).encode()
    assert parse_json(text, DatasetCreate) == DatasetCreate.model_validate_json(text)


def test_no_piece_is_long_however_long_the_body() -> None:
    parts = rows.split(body_of(MANY))
    assert len(parts.pieces) > 5
    assert max(map(len, (parts.before, *parts.pieces, parts.behind))) <= rows.PIECE
    assert sum(len(rows.ROW.findall(piece)) for piece in parts.pieces) == len(MANY)


def test_rows_are_the_same_wherever_a_piece_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PIECE", 200)
    for width in range(100):
        text = body_of(MANY[:20], name="x" * width)
        assert parse_json(text, DatasetCreate) == DatasetCreate.model_validate_json(text)


def test_more_rows_than_memory_should_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_ROWS", 4000)
    with pytest.raises(TooLarge, match="Send a file"):
        parse_json(body_of(MANY), DatasetCreate)


def test_nested_list_of_the_same_name_is_not_read_as_rows() -> None:
    request = body_of(MANY, level=[80], horizon=3, model_id='"observations": [')
    assert len(parse_json(request, AdHocRequest).observations) == len(MANY)
    inner = b'{"x": {"observations": [1]}, ' + body_of(MANY)[1:]
    assert refusal_of(inner).keys() == {"#/x"}


@pytest.mark.parametrize(
    ("wrong", "pointer", "expected"),
    [
        ('{"ds": 1, "y": "x"}', "/y", "valid number"),
        ('{"ds": 1, "y": true}', "/y", "valid number"),
        ('{"ds": 1.5, "y": 1}', "/ds", "valid"),
        ('{"ds": 1}', "/y", "required"),
        ('{"ds": 1, "y": 1, "yy": 1}', "/yy", "Did you mean y?"),
        ('{"ds": 1 "y": 1}', "", "Invalid JSON"),
        ('{"ds": 1, "y": 01}', "", "Invalid JSON"),
        ('{"ds": "\\ud800", "y": 1}', "", "Invalid JSON"),
        ('{"ds": %s, "y": 1}' % ("9" * 5000), "", "Invalid JSON"),
        ('{"ds": 1, "y": [1]}', "", "no observation here"),
        ("[" * 100_000, "", "no observation here"),
        ("7", "", "no observation here"),
        ('{"ds": "' + "x" * rows.PIECE + '", "y": 1}', "", "no observation here"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_error_far_into_the_body_is_pointed_at(wrong: str, pointer: str, expected: str) -> None:
    text = json.dumps(MANY)[1:-1]
    found = refusal_of(f"{BEGIN}{text}, {wrong}, {text}]}}".encode())
    assert found.keys() == {f"#/observations/5000{pointer}"}
    assert all(expected in detail and len(detail) < 200 for detail in found.values())


@pytest.mark.parametrize("end", ["", ",]}", "]", "]} x", "}]", '], "observations": [{"ds": 1, "y": 1}]}'])
def test_body_that_ends_wrong_is_refused(end: str) -> None:
    assert refusal_of((BEGIN + json.dumps(MANY)[1:-1] + end).encode())


@pytest.mark.parametrize("filler", [b"[],", b"{},", b'{"ds":[]},', b'"",', b"1,", b'{"a":{}},'])
def test_dense_nonsense_is_refused_without_being_read(filler: bytes) -> None:
    many = filler * 100_000
    assert len(refusal_of(BEGIN.encode() + many + b"1]}")) == 1
    assert refusal_of(b'{"name": [' + many + b'1], "observations": []}').keys() == {"#/observations"}


def test_many_unknown_fields_are_reported_in_a_short_list() -> None:
    row = dict.fromkeys(("x" * 300 + str(i) for i in range(150)), 1)
    found = refusal_of(body_of([*MANY, row]))
    assert len(found) <= 20
    assert max(map(len, [*found.keys(), *found.values()])) < 200


def test_values_that_only_json_has_stay_what_they_were() -> None:
    odd = '{"ds": -0, "y": 1e400}, {"ds": 1, "ds": 2, "y": NaN}, {"ds": 3, "y": null}, '
    text = (BEGIN + json.dumps(MANY)[1:-1] + ", " + odd + json.dumps(MANY)[1:-1] + "]}").encode()
    assert repr(parse_json(text, DatasetCreate)) == repr(DatasetCreate.model_validate_json(text))


def test_upload_of_many_pieces_becomes_a_dataset(client: TestClient) -> None:
    sent = [{"unique_id": "a", "ds": day, "y": 1.0} for day in range(5000, 9000)]
    made = client.post("/datasets", content=body_of(sent), headers={"content-type": "application/json"})
    assert made.status_code == 201
    assert made.json()["profile"]["observations"] == len(sent)
