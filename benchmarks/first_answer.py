"""How long a newcomer waits: for the service to be ready, and from a file to the first forecast.

A service that has just started gets `examples/population.csv`, trains at `quick`, and is asked for a
forecast. Then its one model is copied until there are a hundred, and the time is taken from the start of
`gatecast serve` on that database to the first answer that it is ready.

A service with a dataset of 20 series of 100,000 hours, on which nothing was trained, is asked for forecasts
of several horizons, each for the first time; and again until the backtest behind the answer has ended.

    python -m benchmarks.first_answer
"""

import io
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import httpx2
import numpy as np
import pyarrow as pa
from pyarrow import csv
from sqlalchemy import select

from app import blobs
from app.db.engine import Database
from app.db.tables import Blob, Model, new_id
from app.schemas.forecast import ForecastPage
from benchmarks.process_tree import eventually
from benchmarks.report import finish, print_table
from benchmarks.service import end_on_sigterm, running_service
from gatecast_client import Client

DATA = Path(__file__).parents[1] / "examples" / "population.csv"
HORIZON = 5
ROUNDS = 3
MODELS = 100
STARTS = 5
ANSWER_BOUND_S, START_BOUND_S = 15.0, 10.0  # ready is who has torch loaded
SERIES, LENGTH, SEASON = 20, 100_000, 24
LONG_HORIZONS = (24, 12, 48, 6, 36)
LONG_BOUND_S = 0.5
FINAL_LIMIT_S = 120.0


def first_forecast(folder: Path) -> dict[str, float]:
    """The seconds of each step, on a service and a database of their own."""
    with running_service(folder) as service, Client(service.url) as client:
        service.wait_until_quiet()
        moments = [time.perf_counter()]
        dataset = client.upload(DATA)
        moments.append(time.perf_counter())
        client.wait(client.train(dataset.id, HORIZON, "quick").id)
        moments.append(time.perf_counter())
        list(client.forecasts(dataset))
        moments.append(time.perf_counter())
    steps = zip(("upload_s", "train_s", "forecast_s"), moments, moments[1:], strict=False)
    return {**{name: end - begin for name, begin, end in steps}, "answer_s": moments[-1] - moments[0]}


def multiply_models(database_url: str, count: int) -> None:
    """Copy the only model in a database, which shares what is stored for it, until there are `count`."""
    database = Database(database_url)
    with database.write() as session:
        model = session.scalars(select(Model)).one()
        kept = {key: session.get_one(Blob, (model.workspace_id, key)).data for key in model.blob_keys}
        for _ in range(count - 1):
            keys = [blobs.put(session, model.workspace_id, data) for data in kept.values()]
            assert keys == list(kept)  # noqa: S101  # the same bytes are the same blob
            session.add(Model(**{**_columns(model), "id": new_id("model")}))
    database.dispose()


def _columns(row: Model) -> dict[str, object]:
    return {attribute.key: getattr(row, attribute.key) for attribute in row.__mapper__.column_attrs}


def seconds_to_ready(folder: Path) -> float:
    with running_service(folder) as service:
        return service.seconds_to_ready


def long_series() -> bytes:
    """20 series of 100,000 hours with a day in them, as CSV."""
    rng, step = np.random.default_rng(0), np.arange(LENGTH)
    times = np.datetime64("2010-01-01T00", "s") + step * np.timedelta64(3600, "s")
    days = [100 + 20 * np.sin(2 * np.pi * step / SEASON + number) for number in range(SERIES)]
    names = np.repeat([f"series {number}" for number in range(SERIES)], LENGTH)
    values = np.concatenate(days) + rng.normal(0, 3, SERIES * LENGTH)
    table = pa.table({"unique_id": names, "ds": np.tile(times, SERIES), "y": values.round(3)})
    buffer = io.BytesIO()
    csv.write_csv(table, buffer)
    return buffer.getvalue()


def first_forecasts_of_long_series(folder: Path) -> list[dict[str, float]]:
    """The seconds to the first answer for each horizon, and to the answer of a backtest that has ended."""
    found = []
    with running_service(folder) as service, Client(service.url) as client:
        dataset_id = client.upload(long_series(), "long").id
        for horizon in LONG_HORIZONS:
            service.wait_until_quiet()
            began = time.perf_counter()
            url = f"{service.url}/forecast?dataset_id={dataset_id}&horizon={horizon}"
            is_final(url)
            answered = time.perf_counter()
            eventually(partial(is_final, url), FINAL_LIMIT_S)
            found.append({"long_s": answered - began, "long_final_s": time.perf_counter() - began})
    return found


def is_final(url: str) -> bool:
    """Ask for forecasts, and return whether they have a verdict."""
    page = ForecastPage.model_validate(httpx2.get(url, timeout=FINAL_LIMIT_S).raise_for_status().json())
    return page.forecasts[0].verdict is not None


def main() -> None:
    end_on_sigterm()
    rounds: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="gatecast-first-answer-") as name:
        folders = [Path(name) / str(number) for number in range(ROUNDS)]
        for folder in folders:
            folder.mkdir()
            rounds.append(first_forecast(folder))
        multiply_models(f"sqlite:///{folders[0] / 'gatecast.db'}", MODELS)
        (folder := Path(name) / "long").mkdir()
        longs = first_forecasts_of_long_series(folder)
        starts = [seconds_to_ready(folders[0]) for _ in range(STARTS)]
    result = {step: round(median(one[step] for one in rounds), 3) for step in rounds[0]}
    result |= {
        "answer_worst_s": round(max(one["answer_s"] for one in rounds), 3),
        "start_s": round(median(starts), 3),
        "start_worst_s": round(max(starts), 3),
        "long_s": round(median(one["long_s"] for one in longs), 3),
        "long_worst_s": round(max(one["long_s"] for one in longs), 3),
        "long_final_s": round(median(one["long_final_s"] for one in longs), 3),
        "long_bound_s": LONG_BOUND_S,
    }
    print(
        f"Bounds: an answer in {ANSWER_BOUND_S:g} s, a start with {MODELS} models in {START_BOUND_S:g} s, a "
        f"first forecast of {SERIES} series of {LENGTH:,} values without a training in {LONG_BOUND_S:g} s."
    )
    print_table(("step", "seconds"), [(name, f"{seconds:.2f}") for name, seconds in result.items()])
    finish("first_answer", {"models": MODELS, **result})


if __name__ == "__main__":
    main()
