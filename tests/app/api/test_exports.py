"""Datasets, forecasts and backtests as files, chosen by `format` where no `Accept` can be sent."""

import csv
import io
from typing import Any

import pyarrow.parquet as pq
from fastapi.testclient import TestClient
from python_calamine import CalamineWorkbook

from app.db.engine import Database
from tests.factories import SQLITE_ALONE, trained, trends, upload

pytestmark = SQLITE_ALONE

FORMATS = ("csv", "csv_excel", "ndjson", "arrow", "parquet", "xlsx")


def shop(**said: Any) -> dict[str, Any]:
    """Two series with a gap, a price that is known for a month more, and the town they are in."""
    rows: list[dict[str, Any]] = []
    for name, town in (("=1+1", "Kiel"), ("NA", "Ulm; a. d. Donau")):
        for month in range(1, 13):
            y = None if month == 5 else month * 1.1
            rows.append(
                {"unique_id": name, "ds": f"2024-{month:02}-01", "y": y, "price": 0.1 + month, "town": town}
            )
        rows.append({"unique_id": name, "ds": "2025-01-01", "y": None, "price": 0.25, "town": town})
    columns = {"future_columns": ["price"], "static_columns": ["town"]}
    return {"observations": rows, **columns, **said}


def rows_of(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_all_observations_come_as_a_table_with_gaps_and_steps_ahead(client: TestClient) -> None:
    dataset_id = client.post("/datasets", json=shop()).json()["id"]
    answer = client.get(f"/datasets/{dataset_id}/observations", params={"format": "csv"})
    header, *rows = rows_of(answer.text)
    assert header == ["unique_id", "ds", "y", "price", "town"]
    assert len(rows) == 26
    assert rows[4] == ["=1+1", "2024-05-01", "", "5.1", "Kiel"]
    assert rows[-1] == ["NA", "2025-01-01", "", "0.25", "Ulm; a. d. Donau"]


def test_observations_come_as_workbook_and_parquet_with_a_name_to_save_under(client: TestClient) -> None:
    dataset_id = client.post("/datasets", json=shop()).json()["id"]
    path = f"/datasets/{dataset_id}/observations"
    book = client.get(path, params={"format": "xlsx", "unique_id": "NA"})
    assert book.headers["content-disposition"] == 'attachment; filename="observations.xlsx"'
    sheet = CalamineWorkbook.from_object(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert (len(sheet), sheet[1][0]) == (14, "NA")
    table = pq.read_table(io.BytesIO(client.get(path, params={"format": "parquet"}).content))
    assert (table.num_rows, table.column("y").null_count) == (26, 4)


def test_formulas_in_names_and_cells_are_quoted_on_request(client: TestClient) -> None:
    dataset_id = client.post("/datasets", json=shop()).json()["id"]
    query = {"format": "csv_excel", "quote_formulas": "true"}
    observations = client.get(f"/datasets/{dataset_id}/observations", params=query).text
    forecast = client.get("/forecast", params={"dataset_id": dataset_id, "horizon": "1", **query}).text
    for text in (observations, forecast):
        assert text.startswith("\ufeffunique_id;ds;")
        assert {row[0] for row in rows_of(text, ";")[1:]} == {"'=1+1", "NA"}


def test_as_json_a_series_must_be_named(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2], "b": [1, 2]})["id"]
    answer = client.get(f"/datasets/{dataset_id}/observations")
    assert answer.status_code == 422
    assert [part["pointer"] for part in answer.json()["errors"]] == ["?unique_id"]
    assert "format=csv" in answer.json()["detail"]


def test_columns_named_as_the_own_ones_of_a_table_stay_distinct(client: TestClient) -> None:
    text = "ds,sales,y,price\n" + "".join(f"{2000 + i},{i},{i * 3},{i % 4}\n" for i in range(12))
    files = {"file": ("a.csv", text.encode())}
    said = {"target_column": "sales", "past_columns": "y,price"}
    dataset_id = client.post("/datasets", files=files, data=said).json()["id"]
    answer = client.get(f"/datasets/{dataset_id}/observations", params={"format": "csv"})
    assert answer.text.splitlines()[:2] == ["unique_id,ds,y,y_,price", "sales,2000,0,0,0"]


def test_format_goes_before_accept_and_names_the_file(database: Database, client: TestClient) -> None:
    dataset_id = upload(client, trends())["id"]
    model_id = trained(database, dataset_id)
    paths = {
        f"/datasets/{dataset_id}/observations": "observations",
        f"/models/{model_id}/backtest": "backtest",
        f"/models/{model_id}/backtest/series": "backtest-series",
    }
    for path, stem in paths.items():
        for name in FORMATS:
            answer = client.get(path, params={"format": name}, headers={"accept": "application/json"})
            ending = "csv" if name == "csv_excel" else name
            assert answer.status_code == 200
            assert answer.headers["content-disposition"] == f'attachment; filename="{stem}.{ending}"'


def test_a_format_that_there_is_not_is_refused_with_those_there_are(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2]})["id"]
    for path in (f"/datasets/{dataset_id}/observations", "/forecast"):
        answer = client.get(path, params={"format": "docx"})
        assert answer.status_code == 422
        assert "'csv_excel'" in answer.text


def test_each_format_of_a_forecast_has_an_entity_tag_of_its_own(client: TestClient) -> None:
    dataset_id = upload(client, {"=a": range(30)})["id"]
    query = {"dataset_id": dataset_id, "unique_id": "=a", "horizon": "2"}
    wanted = [
        *({"format": name} for name in ("json", *FORMATS, "png", "svg")),
        {"format": "csv", "quote_formulas": "1"},
    ]
    answers = [client.get("/forecast", params={**query, **each}) for each in wanted]
    again = [client.get("/forecast", params={**query, **each}) for each in wanted]
    assert len({answer.headers["etag"] for answer in answers}) == len(wanted)
    assert [answer.content for answer in again] == [answer.content for answer in answers]


def test_a_forecast_of_rows_that_come_along_takes_a_format(client: TestClient) -> None:
    rows = [{"unique_id": "a", "ds": 2000 + i, "y": i} for i in range(20)]
    answer = client.post(
        "/forecast", params={"format": "csv_excel"}, json={"observations": rows, "horizon": 2}
    )
    assert answer.text.splitlines()[0] == "\ufeffunique_id;ds;forecast;mean;lo-80;hi-80;lo-95;hi-95"
