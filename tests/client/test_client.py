"""The client, against the app in memory."""

import io
import zipfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.api.http.upload_fields import UploadFields
from app.commands.reading import OPTIONS
from app.db.engine import Database
from gatecast_client import Client, JobFailed, ServiceError
from gatecast_client.options import Reading
from tests.factories import (
    csv_bytes,
    dataset,
    dataset_with_columns,
    entered,
    judged_model,
    publish,
    queued_job,
    trained,
    trends,
)


@pytest.fixture
def caller(client: TestClient) -> Client:
    return Client("http://testserver", http=client)


@pytest.mark.usefixtures("brief_trainings")
def test_backtest_is_read_across_pages(
    caller: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = trained(database, dataset(database).id)
    whole = list(caller.backtest_rows(model_id))
    monkeypatch.setattr("gatecast_client.core.PAGE", 5)
    assert len(whole) > 5
    assert list(caller.backtest_rows(model_id)) == whole


def test_observations_are_appended(caller: Client, database: Database) -> None:
    dataset_id = dataset(database).id
    appended = caller.append(dataset_id, [{"unique_id": "series 1", "ds": 2000, "y": 3.5}])
    assert (appended.version, appended.appended, appended.profile.end) == (2, 1, 2000)


def test_what_missing_steps_mean_is_said_of_appended_rows(caller: Client, database: Database) -> None:
    dataset_id = dataset(database).id
    far = [{"unique_id": "series 1", "ds": 2100, "y": 3.5}]
    with pytest.raises(ServiceError, match="say missing=gap"):
        caller.append(dataset_id, far)
    assert caller.append(dataset_id, far, missing="gap").profile.end == 2100


def test_columns_are_appended_with_their_rows(caller: Client, database: Database) -> None:
    dataset_id, _ = dataset_with_columns(database, {"a": [1, 2], "b": [4, 5]})
    row = {"unique_id": "a", "ds": 1964, "y": None, "price.net": 9}
    appended = caller.append(dataset_id, [row])
    assert (appended.version, appended.appended) == (2, 1)
    assert caller.observations(dataset_id, "a").columns["price.net"] == [0, None, 2 / 3, 1, 9]
    rows = [{"ds": i, "y": i, "price": i % 3} for i in range(9)]
    (answer,) = caller.forecasts(rows, horizon=2)
    assert "('price')" in str(answer.warning)


def test_series_and_observations_are_read_across_pages(
    caller: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id, _ = dataset_with_columns(database, {"a": [1, None, 3], "b": [4, 5], "c": [6, 7]})
    monkeypatch.setattr("gatecast_client.core.PAGE", 2)
    series = list(caller.series(dataset_id))
    assert [(each.unique_id, each.length, each.ahead) for each in series] == [
        ("a", 3, 2),
        ("b", 2, 2),
        ("c", 2, 2),
    ]
    found = caller.observations(dataset_id, "a")
    assert (found.ds, found.y) == ([1960, 1961, 1962, 1963, 1964], [1, None, 3, None, None])
    assert found.columns == {"price.net": [0, None, 2 / 3, 1, 4 / 3], "y": [None, "ä 1", "ä 2", None, "ä 4"]}
    assert found.static == {"size": 0.1, "shop": None}


def test_limits_are_given_changed_and_removed(caller: Client) -> None:
    stored = caller.upload(csv_bytes(), "shares", lower=1e-7, integer=True)
    assert (stored.lower, stored.upper, stored.integer) == (1e-7, None, True)
    changed = caller.update_dataset(stored, lower=None, upper=120, name="lines")
    assert (changed.name, changed.lower, changed.upper, changed.integer) == ("lines", None, 120.0, True)
    observations = [{"unique_id": "new", "ds": 2000 + i, "y": i} for i in range(9)]
    (answer,) = caller.forecasts(observations, horizon=3, upper=8.5)
    assert max(answer.intervals["95"].hi) == 8.5


def test_file_is_previewed_and_then_read_as_it_is_said(caller: Client) -> None:
    receipts = "date,amount\n" + "".join(f"2024-01-{day:02},2\n" * 2 for day in range(1, 29))
    (question,) = caller.preview(receipts.encode()).questions
    assert question.parameter == "duplicates"
    stored = caller.upload(receipts.encode(), "receipts", duplicates="sum", frequency="D")
    assert stored.profile.observations == 28
    assert [each.id for each in caller.datasets("receipts")] == [stored.id]
    assert [each.version for each in caller.versions(stored.id)] == [1]


@pytest.mark.usefixtures("brief_trainings")
def test_ad_hoc_series_are_forecast(caller: Client, database: Database) -> None:
    model_id = trained(database, dataset(database).id)
    observations = [{"unique_id": "new", "ds": 2000 + i, "y": None if i == 3 else i} for i in range(9)]
    (answer,) = caller.forecasts(observations, model_id=model_id, horizon=2, level=[90])
    assert (answer.unique_id, answer.ds, answer.dataset_id) == ("new", [2009, 2010], None)
    assert list(answer.intervals) == ["90"]
    with pytest.raises(ServiceError, match="no model model_none"):
        list(caller.forecasts(observations, model_id="model_none"))


def test_backtest_of_the_pretrained_network_is_read(caller: Client, database: Database) -> None:
    dataset_id = dataset(database, trends(count=8)).id
    found = caller.pretrained_backtest(dataset_id, horizon=2)
    assert (found.dataset_id, found.horizon) == (dataset_id, 2)
    assert caller.pretrained_backtest(dataset_id).horizon == 6
    with pytest.raises(ServiceError, match="no dataset ds_none"):
        caller.pretrained_backtest("ds_none")


def test_model_is_changed_promoted_and_deleted(caller: Client, database: Database) -> None:
    dataset_id = dataset(database).id
    with database.write() as session:
        first, second = (publish(session, judged_model(dataset_id)) for _ in range(2))
    changed = caller.update_model(second, on_loss="refuse", name="winter")
    assert (changed.on_loss, changed.name, changed.champion) == ("refuse", "winter", False)
    assert caller.promote(second).champion
    caller.delete_model(second)
    assert caller.model(first).champion
    with pytest.raises(ServiceError, match=second):
        caller.model(second)


@pytest.mark.usefixtures("brief_trainings")
def test_models_are_compared(caller: Client, database: Database) -> None:
    dataset_id = dataset(database).id
    names = [trained(database, dataset_id, cuts=2, seed=seed) for seed in (0, 1)]
    found = caller.compare(list(caller.models()))
    assert [each.model_id for each in found.models] == names[::-1]
    assert (found.windows, found.notes) == (6, [])


@pytest.mark.usefixtures("brief_trainings")
def test_model_is_downloaded_as_a_zip(caller: Client, database: Database) -> None:
    model_id = trained(database, dataset(database).id)
    with zipfile.ZipFile(io.BytesIO(caller.artifact(model_id))) as file:
        assert set(file.namelist()) == {"README.md", "model.json", "weights.safetensors"}


def test_training_is_queued_with_every_option(caller: Client, database: Database) -> None:
    job = caller.train(
        dataset(database).id,
        horizon=3,
        preset="quick",
        method="blend",
        measure="wql",
        on_loss="fallback",
        promote="never",
        seed=4,
        priority=5,
    )
    request = job.request
    assert (request.method, request.on_loss, request.promote) == ("blend", "fallback", "never")
    assert (request.measure, request.seed, request.priority) == ("wql", 4, 5)


def test_job_is_cancelled_and_its_events_end_with_that(caller: Client, database: Database) -> None:
    job_id = queued_job(database, dataset(database).id).job_id
    events = caller.events(job_id)
    assert next(events) == caller.job(job_id)
    cancelled = caller.cancel(job_id)
    assert list(events) == [cancelled]
    with pytest.raises(JobFailed, match="It was cancelled"):
        caller.wait(job_id)


def test_workers_are_listed(caller: Client, database: Database) -> None:
    worker_id = entered(database)
    assert [worker.id for worker in caller.workers()] == [worker_id]


def test_events_of_no_job_are_refused_with_the_reason(caller: Client) -> None:
    with pytest.raises(ServiceError, match="There is no job job_none"):
        next(caller.events("job_none"))


def test_columns_beside_the_target_are_read_as_it_is_said(caller: Client) -> None:
    lines = "date,sales,price\n" + "".join(f"2024-01-{day:02},{day % 5},{day % 3}\n" for day in range(1, 29))
    stored = caller.upload(lines.encode(), "shop", target_column="sales", future_columns="price")
    assert [(each.name, each.role) for each in stored.profile.covariates] == [("price", "future")]


def test_client_command_line_and_form_say_the_same_of_a_file() -> None:
    said = set(Reading.__annotations__)
    assert said == set(OPTIONS)
    assert said <= set(UploadFields.model_fields)


def test_lists_are_read_to_their_end(
    caller: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [dataset(database).id for _ in range(5)]
    monkeypatch.setattr("gatecast_client.core.PAGE", 2)
    assert [each.id for each in caller.datasets()] == ids[::-1]
    assert [len(each.forecast) for each in caller.forecasts(ids[0], horizon=3)] == [3] * 3


def test_refusal_says_its_status_its_type_and_its_mistakes(caller: Client) -> None:
    with pytest.raises(ServiceError) as refused:
        caller.train("ds_1", horizon=0, preset="quick")
    assert (refused.value.status, refused.value.type) == (422, "urn:gatecast:problem:bad-input")
    assert [error.pointer for error in refused.value.errors] == ["#/horizon"]


def test_schedule_is_made_paused_listed_and_deleted(caller: Client, database: Database) -> None:
    dataset_id = dataset(database).id
    made = caller.create_schedule(dataset_id, "0 6 * * 1", horizon=3, preset="quick", seed=4)
    assert (made.train.preset, made.train.seed) == ("quick", 4)
    assert caller.pause_schedule(made).paused
    assert [each.id for each in caller.schedules(dataset_id)] == [made.id]
    caller.delete_schedule(made)
    with pytest.raises(ServiceError, match=made.id):
        caller.schedule(made)


def test_chart_of_one_series_is_drawn_for_a_notebook(
    caller: Client, database: Database, tmp_path: Path
) -> None:
    dataset_id = dataset(database).id
    drawn = caller.plot(dataset_id, unique_id="series 1", horizon=3)
    assert drawn._repr_png_() is None
    assert "<svg" in str(drawn._repr_svg_())
    picture = caller.plot([{"ds": 2000 + i, "y": i} for i in range(9)], chart="png", horizon=3)
    picture.save(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_for_a_dataset_is_refused_of_series_of_ones_own(caller: Client) -> None:
    with pytest.raises(TypeError, match="unique_id: only for a dataset"):
        caller.forecasts([{"ds": 1, "y": 2}], unique_id="a")


def test_service_says_how_it_is(caller: Client) -> None:
    assert caller.is_ready()
    assert (caller.health().status, caller.readiness().status) == ("alive", "degraded")
    assert "gatecast_requests_in_work" in caller.metrics()
