"""How long a newcomer waits: for the service to be ready, and from a file to the first forecast.

A service that has just started gets `examples/population.csv`, trains at `quick`, and is asked for a
forecast. Then its one model is copied until there are a hundred, and the time is taken from the start of
`gatecast serve` on that database to the first answer that it is ready.

    python -m benchmarks.first_answer
"""

import tempfile
import time
from pathlib import Path
from statistics import median

from sqlalchemy import select

from app import blobs
from app.client import Client
from app.db.engine import Database
from app.db.tables import Blob, Model, new_id
from benchmarks.report import finish, print_table
from benchmarks.service import end_on_sigterm, running_service

DATA = Path(__file__).parents[1] / "examples" / "population.csv"
HORIZON = 5
ROUNDS = 3
MODELS = 100
STARTS = 5
ANSWER_BOUND_S, START_BOUND_S = 15.0, 10.0  # ready is who has torch loaded


def first_forecast(folder: Path) -> dict[str, float]:
    """The seconds of each step, on a service and a database of their own."""
    with running_service(folder) as service, Client(service.url) as client:
        service.wait_until_quiet()
        moments = [time.perf_counter()]
        dataset = client.upload_file(DATA)
        moments.append(time.perf_counter())
        client.wait(client.train(dataset.id, HORIZON, "quick").id)
        moments.append(time.perf_counter())
        client.forecast(dataset.id)
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


def main() -> None:
    end_on_sigterm()
    rounds: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="gatecast-first-answer-") as name:
        folders = [Path(name) / str(number) for number in range(ROUNDS)]
        for folder in folders:
            folder.mkdir()
            rounds.append(first_forecast(folder))
        multiply_models(f"sqlite:///{folders[0] / 'gatecast.db'}", MODELS)
        starts = [seconds_to_ready(folders[0]) for _ in range(STARTS)]
    result = {step: round(median(one[step] for one in rounds), 3) for step in rounds[0]}
    result |= {
        "answer_worst_s": round(max(one["answer_s"] for one in rounds), 3),
        "start_s": round(median(starts), 3),
        "start_worst_s": round(max(starts), 3),
    }
    print(f"Bounds: an answer in {ANSWER_BOUND_S:g} s, a start with {MODELS} models in {START_BOUND_S:g} s.")
    print_table(("step", "seconds"), [(name, f"{seconds:.2f}") for name, seconds in result.items()])
    finish("first_answer", {"models": MODELS, **result})


if __name__ == "__main__":
    main()
