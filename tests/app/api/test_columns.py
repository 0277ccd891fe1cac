"""Columns beside the target over HTTP: appended in portions, shown, uploaded again, and sent along."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.services.datasets import merging, staging
from tests.factories import SQLITE_ALONE, trained, trends

pytestmark = SQLITE_ALONE

COUNTS = ("appended", "corrected", "unchanged", "new_series")
ROLES = {"future_columns": ["price"], "past_columns": ["weather"], "static_columns": ["shop"]}
Row = dict[str, Any]


def shop_rows(years: Iterable[int] = range(1960, 1990)) -> list[Row]:
    """Two series with a price that is known for two years more, weather, and the shop they are of."""
    found = []
    for name, shop in (("bread", "north"), ("milk", "south")):
        for year in years:
            row = {"unique_id": name, "ds": year, "y": float(year % 7 + len(name)), "price": year / 4}
            found.append({**row, "weather": "sun" if year % 3 else "fog", "shop": shop})
        last = max(years)
        found += [{"unique_id": name, "ds": last + i, "y": None, "price": 9.0 + i} for i in (1, 2)]
    return found


def stored(client: TestClient, rows: list[Row], **said: Any) -> Row:
    response = client.post("/datasets", json={"observations": rows, **said})
    assert response.status_code == 201, response.text
    answer: Row = response.json()
    return answer


def send(client: TestClient, dataset_id: str, *rows: Row) -> Row:
    response = client.post(f"/datasets/{dataset_id}/observations", json={"observations": list(rows)})
    assert response.status_code == 200, response.text
    answer: Row = response.json()
    return answer


def counts(answer: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(answer[name] for name in COUNTS)


def kept(client: TestClient, dataset_id: str) -> dict[str, Row]:
    """Return all that is shown of each series but the dataset's id and version."""
    found = {}
    for each in client.get(f"/datasets/{dataset_id}/series").json()["series"]:
        query = {"unique_id": each["unique_id"], "limit": "1000"}
        page = client.get(f"/datasets/{dataset_id}/observations", params=query).json()
        found[each["unique_id"]] = {**page, **each, "dataset_id": None, "dataset_version": None}
    return found


def profile(answer: Mapping[str, Any]) -> Row:
    """Return what a profile says of the data, and nothing of how they were read."""
    return {**answer["profile"], **dict.fromkeys(("detected", "repairs", "repairs_total"))}


def exported(client: TestClient, dataset_id: str) -> list[Row]:
    """Return the rows that make the dataset, from what is shown of it."""
    rows = []
    for name, page in kept(client, dataset_id).items():
        for i, (ds, y) in enumerate(zip(page["ds"], page["y"], strict=True)):
            cells = {column: each[i] for column, each in page["columns"].items()}
            rows.append({"unique_id": name, "ds": ds, "y": y, **cells, **page["static"]})
    return rows


def test_rows_ahead_are_shown_after_the_last_value(client: TestClient) -> None:
    answer = stored(client, shop_rows())
    roles = {each["name"]: (each["role"], each["ahead"]) for each in answer["profile"]["covariates"]}
    assert roles == {"price": ("future", 2), "weather": ("past", 0), "shop": ("static", 0)}
    page = kept(client, answer["id"])["milk"]
    assert (page["ds"][-3:], page["y"][-3:]) == ([1989, 1990, 1991], [5.0, None, None])
    assert page["columns"]["price"][-3:] == [1989 / 4, 10, 11]
    assert page["columns"]["weather"][-3:] == ["fog", None, None]
    assert (page["static"], page["ahead"], page["end"]) == ({"shop": "south"}, 2, 1989)


def test_value_joins_the_price_that_was_known_before_it(client: TestClient) -> None:
    dataset_id = stored(client, shop_rows())["id"]
    answer = send(client, dataset_id, {"unique_id": "milk", "ds": 1990, "y": 7.0})
    page = kept(client, dataset_id)["milk"]
    assert (counts(answer), answer["version"]) == ((1, 0, 0, 0), 2)
    assert (page["y"][-2:], page["columns"]["price"][-2:], page["ahead"]) == ([7, None], [10, 11], 1)


def test_price_of_a_later_year_is_a_new_version_with_the_same_forecast(client: TestClient) -> None:
    dataset_id = stored(client, shop_rows())["id"]
    query = {"dataset_id": dataset_id, "horizon": "3"}
    before = client.get("/forecast", params=query).json()["forecasts"]
    answer = send(client, dataset_id, {"unique_id": "milk", "ds": 1994, "y": None, "price": 5})
    after = client.get("/forecast", params=query).json()["forecasts"]
    assert (counts(answer), answer["version"]) == ((1, 0, 0, 0), 2)
    assert {each["name"]: each["ahead"] for each in answer["profile"]["covariates"]}["price"] == 5
    assert [{**each, "dataset_version": 1} for each in after] == before


def test_cells_are_corrected_removed_and_left_by_column(client: TestClient) -> None:
    dataset_id = stored(client, shop_rows())["id"]
    row = {"unique_id": "bread", "ds": 1989, "y": 6.0}
    assert counts(send(client, dataset_id, row)) == (0, 0, 1, 0)
    assert counts(send(client, dataset_id, {**row, "price": 1989 / 4})) == (0, 0, 1, 0)
    assert counts(send(client, dataset_id, {**row, "price": None, "weather": "rain"})) == (0, 1, 0, 0)
    page = kept(client, dataset_id)["bread"]
    assert (page["columns"]["price"][-3], page["columns"]["weather"][-3]) == (None, "rain")
    assert page["static"] == {"shop": "north"}


def test_row_that_does_not_mention_a_column_leaves_it_whatever_other_rows_send(client: TestClient) -> None:
    dataset_id = stored(client, shop_rows())["id"]
    today = {"unique_id": "milk", "ds": 1990, "y": 7.0}
    later = {"unique_id": "milk", "ds": 1993, "y": None, "price": 5.0}
    other = {"unique_id": "bread", "ds": 1990, "y": 2.0, "price": None, "shop": "west"}
    assert counts(send(client, dataset_id, today, later, other)) == (3, 0, 0, 0)
    milk, bread = (kept(client, dataset_id)[name] for name in ("milk", "bread"))
    assert (milk["columns"]["price"][-4:], milk["static"]) == ([10, 11, None, 5], {"shop": "south"})
    assert (bread["columns"]["price"][-2:], bread["static"]) == ([None, 11], {"shop": "west"})


def test_row_without_a_value_before_the_start_is_noted_to_have_no_place(client: TestClient) -> None:
    dataset_id = stored(client, shop_rows())["id"]
    early = {"unique_id": "milk", "ds": 1958, "y": None, "price": 5.0}
    fresh = [{"unique_id": "oats", "ds": 1960 + i, "y": y, "price": 5.0} for i, y in enumerate((None, 3.0))]
    answer = send(client, dataset_id, early, *fresh)
    assert counts(answer) == (1, 0, 2, 1)
    (note,) = answer["detected"]["notes"]
    assert note.startswith("2 rows before the first value of the target left out")


def test_column_that_the_dataset_lacks_is_named_and_left_out(client: TestClient) -> None:
    dataset_id = stored(client, shop_rows())["id"]
    answer = send(client, dataset_id, {"unique_id": "bread", "ds": 1990, "y": 6.0, "humidity": 4})
    assert any("'humidity'" in note for note in answer["detected"]["notes"])
    assert "humidity" not in kept(client, dataset_id)["bread"]["columns"]


@pytest.mark.parametrize("large", [merging.LARGE, 0], ids=["at once", "by a draft"])
def test_portions_give_the_profile_and_the_values_of_one_upload(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(merging, "LARGE", large)
    monkeypatch.setattr(staging, "PORTION_SERIES", 1 if large == 0 else staging.PORTION_SERIES)
    whole = shop_rows(range(1960, 1990))
    whole += [
        {"unique_id": "salt", "ds": 1970 + i, "y": float(i), "price": 2.0, "shop": "west"} for i in range(9)
    ]
    begun = [row for row in whole if row["unique_id"] != "salt" and row["ds"] < 1985]
    dataset_id = stored(client, begun, **ROLES)["id"]
    later = [row for row in whole if row not in begun]
    bare = [{name: row[name] for name in ("unique_id", "ds", "y")} for row in later]
    send(client, dataset_id, *later[2:7], *later[9:])
    answer = send(client, dataset_id, *later[:2], *later[7:9])
    again = send(client, dataset_id, *bare)
    expected = stored(client, whole, **ROLES)
    assert profile(answer) == profile(again) == profile(expected)
    assert kept(client, dataset_id) == kept(client, expected["id"])


def test_export_can_be_uploaded_again(client: TestClient) -> None:
    rows = [row for row in shop_rows() if row["ds"] % 10 != 5]
    first = stored(client, rows)
    second = stored(client, exported(client, first["id"]))
    assert profile(second) == profile(first)
    assert kept(client, second["id"]) == kept(client, first["id"])


def test_file_with_columns_is_appended_to_in_its_own_columns(client: TestClient) -> None:
    lines = [
        f"{row['unique_id']};{row['ds']};{row['y'] or ''};{row['price']:.2f};{row.get('shop', '')}"
        for row in shop_rows()
    ]
    table = "\n".join(["item;year;sales;price;shop", *lines]).replace(".", ",").encode()
    files = {"file": ("shops.csv", table)}
    fields = {"id_column": "item", "target_column": "sales"}
    response = client.post("/datasets", files=files, data=fields)
    assert response.status_code == 201, response.text
    dataset_id = response.json()["id"]
    more = b"shop;item;year;price;sales\nnorth;bread;1990;12,5;7\nnorth;bread;1992;13,5;\n"
    path = f"/datasets/{dataset_id}/observations"
    answer = client.post(path, files={"file": ("more.csv", more)}).json()
    page = kept(client, dataset_id)["bread"]
    assert counts(answer) == (2, 0, 0, 0)
    assert (page["y"][-3:], page["columns"]["price"][-3:]) == ([7, None, None], [12.5, 11, 13.5])


def ad_hoc(client: TestClient, rows: list[Row], accept: str = "application/json", **wishes: Any) -> Any:
    headers = {"accept": accept}
    response = client.post("/forecast", json={"observations": rows, "horizon": 3, **wishes}, headers=headers)
    assert response.status_code == 200, response.text
    return response


def without_columns(rows: list[Row]) -> list[Row]:
    fields = ("unique_id", "ds", "y")
    return [{name: row[name] for name in fields} for row in rows if row["y"] is not None]


@pytest.mark.usefixtures("brief_trainings")
def test_columns_sent_along_change_no_number_and_the_warning_says_so(
    client: TestClient, database: Database
) -> None:
    rows = shop_rows()
    dataset_id = stored(client, rows)["id"]
    trained(database, dataset_id, promote="always")
    for named in ({}, {"dataset_id": dataset_id}):
        bare = ad_hoc(client, without_columns(rows), **named).json()["forecasts"]
        beside = ad_hoc(client, rows, **named).json()["forecasts"]
        assert [{**each, "warning": None} for each in beside] == [{**each, "warning": None} for each in bare]
        for each, one in zip(beside, bare, strict=True):
            assert each["warning"].startswith(one["warning"] or "Columns beside the target")
            assert "('price', 'weather', 'shop') were read, 2 steps beyond the last value" in each["warning"]


def test_warning_of_columns_sent_along_stands_in_the_headers_of_a_table(client: TestClient) -> None:
    response = ad_hoc(client, shop_rows(), "text/csv")
    assert "no method uses them yet" in response.headers["gatecast-warning"]
    bare = ad_hoc(client, without_columns(shop_rows()), "text/csv")
    assert "Columns beside" not in bare.headers.get("gatecast-warning", "")


@pytest.mark.usefixtures("brief_trainings")
def test_champion_of_a_dataset_with_columns_answers_as_one_without(
    client: TestClient, database: Database
) -> None:
    series = trends()
    rows = [
        {"unique_id": name, "ds": 1960 + i, "y": y, "price": i % 9, "shop": name[-1]}
        for name, values in series.items()
        for i, y in enumerate(values)
    ]
    ids = [stored(client, rows)["id"], stored(client, without_columns(rows))["id"]]
    answers = []
    for dataset_id in ids:
        trained(database, dataset_id, promote="always")
        found = client.get("/forecast", params={"dataset_id": dataset_id}).json()["forecasts"]
        answers.append([{**each, "dataset_id": None, "model_id": None} for each in found])
    assert answers[0] == answers[1]
