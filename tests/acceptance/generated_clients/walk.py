"""Upload, train, forecast, CSV, 304 and errors, by the generated client."""

import sys
import time

from generated import Client
from generated.api.datasets import create_dataset, get_dataset
from generated.api.forecast import get_forecast
from generated.api.training import get_job, train
from generated.models import (
    DatasetOut,
    ForecastPage,
    JobOut,
    JobOutState,
    Problem,
    TrainRequest,
    TrainRequestPreset,
    TrainRequestStart,
    UploadFields,
)
from generated.types import File

client = Client(base_url=sys.argv[1])
months = [f"{2020 + i // 12}-{i % 12 + 1:02}" for i in range(48)]
rows = [f"{month},{100 + i + 10 * (i % 12)}" for i, month in enumerate(months)]
table = "\n".join(["month,visits", *rows]).encode()


def upload() -> str:
    form = UploadFields(file=File(payload=table, file_name="visits.csv"), name="python")
    created = create_dataset.sync(client=client, body=form)
    assert isinstance(created, DatasetOut), created
    assert (created.name, created.profile.series) == ("python", 1)
    return str(created.id)


def ended(job: JobOut) -> JobOut:
    while job.state in (JobOutState.QUEUED, JobOutState.RUNNING):
        time.sleep(0.3)
        found = get_job.sync(job.id, client=client)
        assert isinstance(found, JobOut), found
        job = found
    return job


def trained(dataset_id: str) -> str:
    wish = TrainRequest(dataset_id, 3, preset=TrainRequestPreset.QUICK, start=TrainRequestStart.PRETRAINED)
    job = train.sync(client=client, body=wish)
    assert isinstance(job, JobOut), job
    done = ended(job)
    assert done.state == JobOutState.SUCCEEDED, done.error
    return str(done.model_id)


def forecast(dataset_id: str, model_id: str) -> None:
    answer = get_forecast.sync_detailed(client=client, dataset_id=dataset_id, level=[80])
    assert isinstance(answer.parsed, ForecastPage), answer
    (found,) = answer.parsed.forecasts
    assert (found.model_id, len(found.forecast), len(found.intervals["80"].hi)) == (model_id, 3, 3)
    etag = answer.headers["etag"]
    again = get_forecast.sync_detailed(client=client, dataset_id=dataset_id, level=[80], if_none_match=etag)
    assert again.status_code == 304
    parameters = {"dataset_id": dataset_id, "format": "csv"}  # the generated function reads JSON alone
    csv = client.get_httpx_client().get("/forecast", params=parameters)
    assert csv.text.startswith("unique_id,ds,forecast")


def refusals(dataset_id: str) -> None:
    missing = get_dataset.sync("ds_0", client=client)
    assert isinstance(missing, Problem)
    assert missing.type_ == "urn:gatecast:problem:not-found"
    refused = train.sync(client=client, body=TrainRequest(dataset_id, 0))
    assert isinstance(refused, Problem)
    assert refused.errors[0].pointer == "#/horizon"


dataset = upload()
forecast(dataset, trained(dataset))
refusals(dataset)
