"""Observations over HTTP: appended, corrected, and refused with the reason."""

import re
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.db.tables import Blob, Series
from tests.factories import csv_bytes, only, trained, trends, upload

DAYS = [{"unique_id": "a", "ds": f"2026-01-0{day}", "y": day} for day in range(1, 6)]
COUNTS = ("appended", "corrected", "unchanged", "new_series")


def send(client: TestClient, dataset_id: str, *rows: tuple[str, Any, float | None], **headers: str) -> Any:
    """Send rows as JSON; return the parsed response unless it is an error."""
    observations = [{"unique_id": name, "ds": ds, "y": y} for name, ds, y in rows]
    response = client.post(
        f"/datasets/{dataset_id}/observations", json={"observations": observations}, headers=headers
    )
    return response.json() if response.status_code == 200 else response


def send_file(client: TestClient, dataset_id: str, *lines: str, **fields: str) -> httpx2.Response:
    files = {"file": ("more.csv", "\n".join(lines).encode())}
    return client.post(f"/datasets/{dataset_id}/observations", files=files, data=fields)


def counts(answer: dict[str, Any]) -> tuple[int, ...]:
    return tuple(answer[name] for name in COUNTS)


def values(client: TestClient, dataset_id: str, unique_id: str = "a") -> dict[Any, float | None]:
    page = client.get(f"/datasets/{dataset_id}/observations", params={"unique_id": unique_id}).json()
    return dict(zip(page["ds"], page["y"], strict=True))


def test_times_at_any_offset_append_at_that_of_the_dataset(client: TestClient) -> None:
    rows = [{"unique_id": "a", "ds": f"2026-01-05T0{hour}:00:00+05:30", "y": hour} for hour in range(3)]
    dataset_id = client.post("/datasets", json={"observations": rows}).json()["id"]
    send(client, dataset_id, ("a", "2026-01-04T21:30:00Z", 3))
    assert list(values(client, dataset_id))[-2:] == ["2026-01-05T02:00:00+05:30", "2026-01-05T03:00:00+05:30"]


def test_rows_after_the_end_append_with_gaps_between(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2]})["id"]
    answer = send(client, dataset_id, ("a", 1964, 5))
    assert (answer["version"], counts(answer)) == (2, (1, 0, 0, 0))
    assert values(client, dataset_id) == {1960: 1, 1961: 2, 1962: None, 1963: None, 1964: 5}
    assert [repair["detail"] for repair in answer["repairs"]] == [
        "2 steps from 1962 are missing; kept as a gap"
    ]


def test_rows_before_the_start_and_inside_find_their_places(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, None, 3]})["id"]
    answer = send(client, dataset_id, ("a", 1959, 0), ("a", 1961, 2), ("a", 1962, 3), ("a", 1960, 9))
    assert counts(answer) == (1, 2, 1, 0)
    assert values(client, dataset_id) == {1959: 0, 1960: 9, 1961: 2, 1962: 3}


def test_new_name_makes_a_new_series(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2], "c": [1, 2]})["id"]
    answer = send(client, dataset_id, ("b", 1970, 1), ("b", 1971, 2))
    assert counts(answer) == (2, 0, 0, 1)
    names = [row["unique_id"] for row in client.get(f"/datasets/{dataset_id}/series").json()["series"]]
    assert names == ["a", "b", "c"]


def test_new_series_without_a_value_is_refused(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2]})["id"]
    response = send(client, dataset_id, ("a", 1962, 3), ("b", 1970, None))
    assert response.status_code == 422
    assert "1 series has none: 'b'" in response.json()["detail"]
    assert list(values(client, dataset_id)) == [1960, 1961]


def test_null_removes_a_value_and_shortens_at_the_end(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2, 3, 4]})["id"]
    answer = send(client, dataset_id, ("a", 1961, None), ("a", 1963, None), ("a", 1970, None))
    assert counts(answer) == (0, 2, 1, 0)
    assert values(client, dataset_id) == {1960: 1, 1961: None, 1962: 3}
    assert (answer["profile"]["end"], answer["profile"]["longest"], answer["profile"]["gaps"]) == (1962, 3, 1)


def test_correction_that_leaves_too_little_is_refused(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2]})["id"]
    response = send(client, dataset_id, ("a", 1960, None), ("a", 1961, None))
    assert response.status_code == 422
    assert "'a' would have none" in response.json()["detail"]


def test_same_rows_again_change_nothing(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, None, 3]})["id"]
    rows = [("a", 1961, None), ("a", 1963, 4), ("b", 1960, 1), ("b", 1961, 2)]
    first, second = send(client, dataset_id, *rows), send(client, dataset_id, *rows)
    assert (first["version"], second["version"]) == (2, 2)
    assert counts(second) == (0, 0, 4, 0)
    assert second["profile"] == first["profile"]


def test_same_key_replays_the_first_response(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2]})["id"]
    first, second = (send(client, dataset_id, ("a", 1962, 3), **{"Idempotency-Key": "one"}) for _ in range(2))
    assert counts(first) == (1, 0, 0, 0)
    assert first == second
    other = send(client, dataset_id, ("a", 1963, 3), **{"Idempotency-Key": "one"})
    assert other.status_code == 422


@pytest.mark.parametrize(
    "rows",
    [
        [("a", 1962, 3)],
        [("a", 1963, 4), ("a", 1964, 5)],
        [("a", 1960, None), ("b", 1960, None)],
        [("b", 1950, 3), ("a", 1960, None)],
        [("c", 1959, 1), ("c", 1980, 1)],
        [("a", 1961, 7), ("a", 1964, 7), ("b", 1963, None)],
    ],
)
def test_profile_is_that_of_all_uploaded_at_once(
    client: TestClient, rows: list[tuple[str, int, float | None]]
) -> None:
    state: dict[tuple[str, Any], float | None] = {("a", 1960 + i): y for i, y in enumerate([1, 2, 3])}
    state |= {("b", 1960 + i): y for i, y in enumerate([1, None, 3, 4])}
    begun = [{"unique_id": name, "ds": ds, "y": y} for (name, ds), y in state.items()]
    dataset_id = client.post("/datasets", json={"observations": begun}).json()["id"]
    profile = send(client, dataset_id, *rows)["profile"]
    state |= {(name, ds): y for name, ds, y in rows}
    whole = [{"unique_id": name, "ds": ds, "y": y} for (name, ds), y in state.items()]
    expected = client.post("/datasets", json={"observations": whole}).json()["profile"]
    reported = ("detected", "repairs", "repairs_total")
    assert {**profile, **dict.fromkeys(reported)} == {**expected, **dict.fromkeys(reported)}


def test_file_is_read_in_the_columns_of_the_first_upload(client: TestClient) -> None:
    """A column in which each name occurs once would not be detected in the file alone."""
    table = b"Country;Year;Persons\nNorway;1990;4,2\nNorway;1991;4,3\nSweden;1990;8,5\nSweden;1991;8,6\n"
    dataset_id = client.post("/datasets", files={"file": ("a.csv", table)}).json()["id"]
    answer = send_file(client, dataset_id, "Country;Persons;Year", "Norway;1.004,5;1992", "Sweden;8.700;1992")
    assert counts(answer.json()) == (2, 0, 0, 0)
    assert values(client, dataset_id, "Norway")[1992] == 1004.5
    assert values(client, dataset_id, "Sweden")[1992] == 8700


def test_columns_can_be_named(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2], "b": [1, 2]})["id"]
    lines = ("what,when,low,high", "a,1962,3,4")
    fields = {"id_column": "what", "time_column": "when", "target_column": "high"}
    assert counts(send_file(client, dataset_id, *lines, **fields).json()) == (1, 0, 0, 0)
    assert values(client, dataset_id)[1962] == 4


def test_day_first_dates_stay_day_first(client: TestClient) -> None:
    table = b"date,y\n13/01/2026,1\n14/01/2026,2\n"
    dataset_id = client.post("/datasets", files={"file": ("a.csv", table)}).json()["id"]
    answer = send_file(client, dataset_id, "date,y", "03/02/2026,3").json()
    assert answer["profile"]["end"] == "2026-02-03"


def test_unnamed_rows_belong_to_the_only_series(client: TestClient) -> None:
    dataset_id = client.post("/datasets", json={"observations": DAYS}).json()["id"]
    path = f"/datasets/{dataset_id}/observations"
    client.post(path, json={"observations": [{"ds": "2026-01-06", "y": 6}]})
    assert send_file(client, dataset_id, "ds,y", "2026-01-07,7").status_code == 200
    assert list(values(client, dataset_id).values()) == [1, 2, 3, 4, 5, 6, 7]


def test_unnamed_rows_for_several_series_are_refused(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    response = send_file(client, dataset_id, "ds,y", "2000,7")
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "#/id_column")
    row = {"observations": [{"ds": 2000, "y": 6}]}
    response = client.post(f"/datasets/{dataset_id}/observations", json=row)
    assert response.json()["errors"][0]["pointer"] == "#/observations/0/unique_id"


@pytest.mark.parametrize(
    ("ds", "message"),
    [
        ("2026-01-06T12:00:00", "do not fit the dataset's frequency 'D'"),
        ("2026-01-06T00:00:00Z", "those sent are dates with an offset"),
        (7, "times are dates at frequency 'D'.*those sent are integers"),
        (2027, "those sent are integers"),
        ("soon", "cannot be read"),
    ],
)
def test_time_that_does_not_fit_is_refused_with_its_row(client: TestClient, ds: Any, message: str) -> None:
    dataset_id = client.post("/datasets", json={"observations": DAYS}).json()["id"]
    response = send(client, dataset_id, ("a", ds, 6))
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#/observations/0/ds"
    assert re.search(message, response.json()["detail"])


WEEKS = [{"ds": f"2026-{day}", "y": float(i)} for i, day in enumerate(("01-05", "01-12", "01-19", "01-26"))]


def test_row_that_a_holiday_moved_counts_for_its_week(client: TestClient) -> None:
    dataset_id = client.post("/datasets", json={"observations": WEEKS}).json()["id"]
    answer = send(client, dataset_id, ("series", "2026-02-03", 7), ("series", "2026-02-09", 8))
    assert values(client, dataset_id, "series")["2026-02-02"] == 7
    (repair,) = answer["repairs"]
    assert (repair["kind"], repair["row"]) == ("moved", 0)
    assert repair["detail"] == "2026-02-03 is not on a step of 'W-MON' and counts for 2026-02-02"


BILLS = [{"ds": f"2025-{month:02}-{13 + month * month % 5}", "y": float(month)} for month in range(1, 13)]


def test_rows_that_count_for_their_month_append_and_correct_so(client: TestClient) -> None:
    dataset_id = client.post("/datasets", json={"observations": BILLS}).json()["id"]
    answer = send(client, dataset_id, ("series", "2026-01-14", 7), ("series", "2025-12-17", 8))
    assert (answer["appended"], answer["corrected"]) == (1, 1)
    found = values(client, dataset_id, "series")
    assert (found["2025-12-01"], found["2026-01-01"]) == (8, 7)
    again = send(client, dataset_id, ("series", "2026-02-13", 7), ("series", "2026-02-16", 8))
    assert again.status_code == 422


@pytest.mark.parametrize(
    "days",
    [
        ("2026-01-26", "2026-01-27"),
        ("2026-02-02", "2026-02-03"),
        ("2026-02-03", "2026-02-04"),
    ],
)
def test_row_beside_a_step_that_is_taken_is_refused(client: TestClient, days: tuple[str, ...]) -> None:
    dataset_id = client.post("/datasets", json={"observations": WEEKS}).json()["id"]
    answer = send(client, dataset_id, *(("series", day, 7) for day in days))
    assert answer.status_code == 422
    assert "do not fit the dataset's frequency 'W-MON'" in answer.json()["detail"]


def test_row_that_a_holiday_moved_corrects_the_value_of_its_week(client: TestClient) -> None:
    dataset_id = client.post("/datasets", json={"observations": WEEKS}).json()["id"]
    answer = send(client, dataset_id, ("series", "2026-01-27", 7))
    assert counts(answer) == (0, 1, 0, 0)
    assert [repair["kind"] for repair in answer["repairs"]] == ["moved"]
    assert values(client, dataset_id, "series")["2026-01-26"] == 7


def test_file_with_moved_rows_changes_nothing_when_sent_again(client: TestClient) -> None:
    weeks = [str(date(2024, 1, 1) + timedelta(weeks=week)) for week in range(40)]
    weeks[7] = "2024-02-20"  # a Tuesday
    table = "\n".join(["week,visits", *(f"{week},{i % 9}" for i, week in enumerate(weeks))]).encode()
    answer = client.post("/datasets", files={"file": ("weeks.csv", table)}).json()
    assert [repair["kind"] for repair in answer["profile"]["repairs"]] == ["moved"]
    again = send_file(client, answer["id"], *table.decode().splitlines()).json()
    assert (again["version"], counts(again)) == (1, (0, 0, 40, 0))


def test_days_in_utc_are_taken_as_they_are_shown(client: TestClient) -> None:
    days = [{**row, "ds": f"{row['ds']}T00:00:00Z"} for row in DAYS]
    answer = client.post("/datasets", json={"observations": days}).json()
    assert answer["profile"]["end"] == "2026-01-05"
    assert send(client, answer["id"], ("a", "2026-01-06", 6))["profile"]["end"] == "2026-01-06"


def test_time_far_away_is_refused(client: TestClient) -> None:
    dataset_id = client.post("/datasets", json={"observations": DAYS}).json()["id"]
    response = send(client, dataset_id, ("a", "2199-01-01", 6))
    assert response.status_code == 422
    assert "far away" in response.json()["detail"]


def daily(client: TestClient, count: int = 60, **fields: str) -> str:
    """Upload days of 2024 for two series; return the dataset's id."""
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(count)]
    lines = ["shop,date,sales", *(f"{shop},{day},{day.day}" for shop in "ab" for day in days)]
    files = {"file": ("days.csv", "\n".join(lines).encode())}
    answer = client.post("/datasets", files=files, data=fields)
    return str(answer.json()["id"])


@pytest.mark.parametrize("far", ["a,2034-03-01", "a,2014-01-01", "b,2034-03-01", "a,2024-05-03"])
def test_rows_beyond_more_steps_than_the_dataset_has_are_refused_by_row(client: TestClient, far: str) -> None:
    response = send_file(
        client, daily(client), "shop,date,sales", "a,2024-03-01,1", f"{far},5", "b,2024-03-01,2"
    )
    assert response.status_code == 422
    assert "Correct them; or if they are right, say missing=gap" in response.json()["detail"]
    assert [error["pointer"] for error in response.json()["errors"]] == ["#row=3"]


def test_row_of_a_new_series_far_from_its_others_is_refused(client: TestClient) -> None:
    lines = ("shop,date,sales", "new,2024-03-01,1", "new,2034-03-01,5")
    response = send_file(client, daily(client), *lines)
    assert [error["pointer"] for error in response.json()["errors"]] == ["#row=3"]


def test_rows_after_a_shorter_pause_append(client: TestClient) -> None:
    response = send_file(client, daily(client), "shop,date,sales", "a,2024-04-20,5")
    assert counts(response.json()) == (1, 0, 0, 0)


def test_new_series_of_other_years_appends(client: TestClient) -> None:
    response = send_file(client, daily(client), "shop,date,sales", "new,2014-01-01,5", "new,2014-01-02,5")
    assert counts(response.json()) == (2, 0, 0, 1)


@pytest.mark.parametrize("inherited", ["gap", "zero"])
def test_missing_said_of_the_rows_lets_them_follow_a_long_pause(client: TestClient, inherited: str) -> None:
    dataset_id = daily(client, missing=inherited)
    lines = ("shop,date,sales", "a,2024-06-01,5")
    assert send_file(client, dataset_id, *lines).status_code == 422
    answer = send_file(client, dataset_id, *lines, missing="gap").json()
    assert counts(answer) == (1, 0, 0, 0)
    assert values(client, dataset_id)["2024-04-01"] is None


def test_rows_of_json_say_missing_too(client: TestClient) -> None:
    dataset_id = daily(client)
    body = {"observations": [{"unique_id": "a", "ds": "2024-06-01", "y": 5}]}
    assert client.post(f"/datasets/{dataset_id}/observations", json=body).status_code == 422
    answer = client.post(f"/datasets/{dataset_id}/observations", json={**body, "missing": "zero"})
    assert counts(answer.json()) == (1, 0, 0, 0)
    assert values(client, dataset_id)["2024-04-01"] == 0


def test_series_that_ended_early_goes_on_where_the_dataset_is(client: TestClient) -> None:
    dataset_id = daily(client)
    lines = [f"b,{date(2024, 3, 1) + timedelta(days=day)},1" for day in range(200)]
    send_file(client, dataset_id, "shop,date,sales", *lines)
    response = send_file(client, dataset_id, "shop,date,sales", "a,2024-09-20,5")
    assert counts(response.json()) == (1, 0, 0, 0)


def test_rows_of_totals_alone_are_refused(client: TestClient) -> None:
    dataset_id = client.post("/datasets", json={"observations": DAYS}).json()["id"]
    response = send_file(client, dataset_id, "ds,y", "Total,5", "Sum,5")
    assert response.status_code == 422
    assert "No row has a time" in response.json()["detail"]
    assert [error["pointer"] for error in response.json()["errors"]] == ["#row=2", "#row=3"]
    assert send(client, dataset_id, ("a", "Total", 5)).json()["errors"][0]["pointer"] == "#/observations/0/ds"


def test_upload_of_totals_alone_is_refused(client: TestClient) -> None:
    files, said = {"file": ("a.csv", b"date,y\nTotal,5\nSum,6\n")}, {"date_format": "%Y-%m-%d"}
    fields = {**said, "time_column": "date", "target_column": "y"}
    for more in ({}, {"time_zone": "Europe/Berlin"}):
        response = client.post("/datasets", files=files, data={**fields, **more})
        assert (response.status_code, "No row has a time" in response.json()["detail"]) == (422, True)
    preview = client.post("/datasets?preview=true", files=files, data=fields).json()
    assert "No row has a time" in preview["problems"][0]["detail"]


HOURS = [{"unique_id": "a", "ds": f"2026-01-05T{hour:02}:00", "y": hour} for hour in range(24)]


def test_day_among_hours_is_noted_to_count_for_midnight(client: TestClient) -> None:
    dataset_id = client.post("/datasets", json={"observations": HOURS}).json()["id"]
    notes = send(client, dataset_id, ("a", "2026-01-06", 8))["detected"]["notes"]
    assert any("no time of day" in note and "counts for 00:00" in note for note in notes)
    assert send(client, dataset_id, ("a", "2026-01-06T01:00", 8))["detected"]["notes"] == []


def test_field_of_a_new_dataset_is_refused_by_name(client: TestClient) -> None:
    dataset_id = upload(client)["id"]
    response = send_file(client, dataset_id, "unique_id,ds,y", "series 0,2000,1", frequency="D")
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "#/frequency")


def test_unknown_dataset_is_a_404_before_the_rows_are_read(client: TestClient) -> None:
    assert send(client, "ds_none", ("a", 1, 1)).status_code == 404


@pytest.mark.usefixtures("brief_trainings")
def test_next_forecast_starts_from_the_new_end_and_the_old_version_stays(
    client: TestClient, database: Database
) -> None:
    dataset_id = upload(client, trends())["id"]
    trained(database, dataset_id, start="scratch")
    query = {"dataset_id": dataset_id, "unique_id": "series 0"}
    before = only(client.get("/forecast", params=query))
    send(client, dataset_id, ("series 0", 2000, 500))
    after = only(client.get("/forecast", params=query))
    assert (before["ds"], before["dataset_version"]) == ([2000, 2001, 2002], 1)
    assert (after["ds"], after["dataset_version"]) == ([2001, 2002, 2003], 2)
    assert after["forecast"][0] > before["forecast"][0] + 100
    assert only(client.get("/forecast", params={**query, "dataset_version": 1})) == before


@pytest.mark.usefixtures("brief_trainings")
def test_forecast_of_all_has_old_and_new_series_of_one_version(
    client: TestClient, database: Database
) -> None:
    dataset_id = upload(client, trends())["id"]
    trained(database, dataset_id)
    send(client, dataset_id, *(("series 1b", 1990 + i, float(i)) for i in range(20)))
    forecasts = client.get("/forecast", params={"dataset_id": dataset_id}).json()["forecasts"]
    names = ["series 0", "series 1", "series 1b", "series 2"]
    assert [(each["unique_id"], each["dataset_version"]) for each in forecasts] == [(n, 2) for n in names]
    old = client.get("/forecast", params={"dataset_id": dataset_id, "dataset_version": 1}).json()
    assert [each["unique_id"] for each in old["forecasts"]] == [names[0], names[1], names[3]]


def test_only_what_changes_is_written(client: TestClient, database: Database) -> None:
    dataset_id = upload(client, trends(50))["id"]
    send(client, dataset_id, ("series 7", 2000, 1), ("series 8", 1999, 1), ("series 9", 2010, None))
    with database.read() as session:
        rows = session.query(Series).filter_by(version=2).order_by(Series.unique_id).all()
        assert [(row.unique_id, row.blob, row.length) for row in rows] == [
            ("series 7", 1, 41),
            ("series 8", 1, 40),
        ]
        assert session.query(Blob).count() == 2


def test_deletion_removes_every_version(client: TestClient, database: Database) -> None:
    dataset_id = upload(client, {"a": [1, 2]})["id"]
    send(client, dataset_id, ("a", 1962, 3))
    assert client.delete(f"/datasets/{dataset_id}").status_code == 204
    with database.read() as session:
        assert (session.query(Blob).count(), session.query(Series).count()) == (0, 0)


def test_refused_row_and_duplicate_are_listed_for_this_upload(client: TestClient) -> None:
    dataset_id = upload(client, {"a": [1, 2]})["id"]
    table = csv_bytes({"a": [1, 2, 3]}) + b",1970,4\na,1962,5\n"
    path, files = f"/datasets/{dataset_id}/observations", {"file": ("b.csv", table)}
    answer = client.post(path, files=files, data={"duplicates": "last"}).json()
    assert sorted(repair["kind"] for repair in answer["repairs"]) == ["duplicate", "refused"]
    assert counts(answer) == (1, 0, 2, 0)
    assert values(client, dataset_id)[1962] == 5
