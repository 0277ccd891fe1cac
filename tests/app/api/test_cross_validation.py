"""Cross-validation over HTTP: a training whose backtest has the cuts and levels that are requested."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.schemas.models import Lineage
from app.services.training.spec import origin_of
from models.evaluation.rolling_origin import RollingOrigin
from tests.factories import dataset, filled_app, trained

HORIZON, CUTS, SERIES = 3, 4, 3
REQUESTED: dict[str, Any] = {"horizon": HORIZON, "cuts": CUTS, "step_size": 1, "level": [90, 50]}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """An app with a model trained on three series of 40 years, 1960 to 1999, and the model's id."""
    folder = tmp_path_factory.mktemp("cuts")
    with filled_app(folder, lambda database: trained(database, dataset(database).id, **REQUESTED)) as ready:
        yield ready


Ready = tuple[TestClient, str]


def rows(ready: Ready) -> list[dict[str, Any]]:
    client, model_id = ready
    found: list[dict[str, Any]] = client.get(f"/models/{model_id}/backtest").json()["rows"]
    return found


def test_backtest_has_a_row_for_each_series_cut_and_step(ready: Ready) -> None:
    found = [(row["cutoff"], row["ds"]) for row in rows(ready) if row["unique_id"] == "series 1"]
    cutoffs = [1993, 1994, 1995, 1996]
    assert found == [(cutoff, cutoff + step) for cutoff in cutoffs for step in range(1, HORIZON + 1)]
    assert len(rows(ready)) == SERIES * CUTS * HORIZON


def test_bounds_are_at_the_levels_requested_and_those_of_every_backtest(ready: Ready) -> None:
    levels = {tuple(step["intervals"]) for row in rows(ready) for step in row["methods"].values()}
    assert levels == {("50", "80", "90", "95")}


def test_summary_says_how_it_was_tested(ready: Ready) -> None:
    client, model_id = ready
    model = client.get(f"/models/{model_id}").json()
    tested = model["backtest"]
    assert [tested[name] for name in ("cuts", "step_size", "windows", "steps")] == [4, 1, 12, 6]
    assert list(tested["measures"]["theta"]["coverage"]) == ["50", "80", "90", "95"]
    assert list(tested["by_step"]["theta"]["coverage"]) == ["50", "80", "90", "95"]
    assert model["lineage"]["cutoffs"] == [1993, 1994, 1995, 1996]
    assert model["lineage"]["held_out_steps"] == 6


def test_verdict_counts_cuts_that_share_no_steps(ready: Ready) -> None:
    client, model_id = ready
    verdict = client.get(f"/models/{model_id}").json()["verdict"]
    assert (verdict["unit"], verdict["n"], verdict["periods"]) == ("cut", 2, 2)


def test_errors_of_each_series_have_the_levels_too(ready: Ready) -> None:
    client, model_id = ready
    (first, *_) = client.get(f"/models/{model_id}/backtest/series").json()["series"]
    assert list(first["measures"]["lstm"]["coverage"]) == ["50", "80", "90", "95"]


def test_lineage_trains_it_again_with_the_same_cuts(ready: Ready) -> None:
    client, model_id = ready
    lineage = Lineage.model_validate(client.get(f"/models/{model_id}").json()["lineage"])
    assert origin_of(lineage) == RollingOrigin(CUTS, 1, (50, 90))


@pytest.mark.parametrize(
    ("cuts", "pointer", "remedy"),
    [
        ({"cuts": 12}, "#/cuts", "Ask for at most 11."),
        ({"cuts": 34, "step_size": 1}, "#/cuts", "Ask for at most 33."),
        ({"cuts": 0}, "#/cuts", "greater than or equal to 1"),
        ({"step_size": 0}, "#/step_size", "greater than or equal to 1"),
        ({"level": [30]}, "#/level/0", "greater than or equal to 50"),
    ],
)
def test_cuts_that_cannot_be_had_are_refused_where_they_stand(
    client: TestClient, database: Database, cuts: dict[str, Any], pointer: str, remedy: str
) -> None:
    body = {"dataset_id": dataset(database).id, "horizon": 3, **cuts}
    refused = client.post("/train", json=body)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == pointer
    assert remedy in error["detail"]


def test_as_many_cuts_as_there_is_room_for_are_trained(client: TestClient, database: Database) -> None:
    body = {"dataset_id": dataset(database).id, "horizon": 3, "cuts": 11}
    assert client.post("/train", json=body).status_code == 202


def test_schedule_with_too_many_cuts_is_refused_where_they_stand(
    client: TestClient, database: Database
) -> None:
    train = {"horizon": 3, "cuts": 12}
    body = {"dataset_id": dataset(database).id, "cron": "0 6 * * 1", "train": train}
    assert client.post("/schedules", json=body).json()["errors"][0]["pointer"] == "#/train/cuts"


@pytest.mark.usefixtures("brief_trainings")
def test_cuts_that_share_steps_are_too_few_to_choose_a_champion(
    client: TestClient, database: Database
) -> None:
    """Seven cuts a step apart fill nine years, of which three horizons are made."""
    dataset_id = dataset(database).id
    wanted: dict[str, Any] = {"horizon": 3, "cuts": 7, "step_size": 1}
    _, second = (trained(database, dataset_id, seed=seed, **wanted) for seed in (0, 1))
    because = client.get(f"/models/{second}").json()["promotion"]["because"]
    assert because.startswith("Both were tested on 3 common cuts, and it takes 6.")
