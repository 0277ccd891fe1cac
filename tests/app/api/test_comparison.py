"""Models side by side over HTTP: on the windows that all were tested on, and on no others."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from tests.factories import dataset, filled_app, judged_model, publish, trained, trends

COUNT = 8


def train_several(database: Database) -> str:
    """Train three models of one dataset; the ids in one text."""
    dataset_id = dataset(database, trends(count=COUNT)).id
    first = trained(database, dataset_id, horizon=3, cuts=4, start="scratch", method="network")
    longer = trained(database, dataset_id, horizon=6, cuts=2, start="scratch", method="network", seed=1)
    closer = trained(database, dataset_id, horizon=3, cuts=4, step_size=1, start="scratch", method="network")
    return f"{first} {longer} {closer}"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, list[str]]]:
    """An app with three models of one dataset: of 3, 6 and 3 steps, the last one cut at every step."""
    with filled_app(tmp_path_factory.mktemp("compared"), train_several) as (client, names):
        yield client, names.split()


Ready = tuple[TestClient, list[str]]


def compared(ready: Ready, *which: int) -> dict[str, Any]:
    client, names = ready
    answer = client.get("/models/compare", params={"model_id": [names[at] for at in which]})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rows_of(ready: Ready, at: int) -> pd.DataFrame:
    client, names = ready
    text = client.get(f"/models/{names[at]}/backtest", params={"format": "csv"}).text
    return pd.read_csv(io.StringIO(text)).set_index(["unique_id", "cutoff", "step"])


def test_windows_in_common_are_compared_and_no_others(ready: Ready) -> None:
    """Cuts of 3, 6, 9 and 12 years before the end, and of 6 and 12: two in common, for three steps."""
    found = compared(ready, 0, 1)
    assert [found[name] for name in ("series", "cuts", "windows", "horizon")] == [COUNT, 2, 2 * COUNT, 3]
    assert [each["windows"] for each in found["models"]] == [4 * COUNT, 2 * COUNT]


def test_errors_are_those_of_the_rows_in_common(ready: Ready) -> None:
    found = compared(ready, 0, 1)
    rows = rows_of(ready, 0).join(rows_of(ready, 1)[["lstm"]], rsuffix="-longer", how="inner")
    assert len(rows) == 2 * COUNT * 3
    for name, column in ((0, "lstm"), (1, "lstm-longer")):
        scaled = (rows["y"] - rows[column]).abs() / rows["scale"]
        measures = found["models"][name]["measures"]["lstm"]
        assert measures["mase"] == pytest.approx(scaled.groupby("unique_id").mean().mean())
        by_step = [scaled.xs(step, level="step").groupby("unique_id").mean().mean() for step in (1, 2, 3)]
        assert found["models"][name]["by_step"]["lstm"]["mase"] == pytest.approx(by_step)
    inside = rows["y"].between(rows["lstm-lo-80"], rows["lstm-hi-80"])
    share = inside.groupby("unique_id").mean().mean()
    assert found["models"][0]["measures"]["lstm"]["coverage"]["80"] == pytest.approx(share)


def test_simple_methods_are_measured_on_the_same_windows(ready: Ready) -> None:
    found = compared(ready, 0, 1)
    rows = rows_of(ready, 0).join(rows_of(ready, 1)[[]], how="inner")
    scaled = (rows["y"] - rows["naive"]).abs() / rows["scale"]
    assert found["baselines"]["naive"]["mase"] == pytest.approx(scaled.groupby("unique_id").mean().mean())


def test_verdict_is_against_the_first_that_is_named(ready: Ready) -> None:
    _, names = ready
    one, other = compared(ready, 0, 1), compared(ready, 1, 0)
    assert one["models"][0]["verdict"] is None
    verdicts = [each["models"][1]["verdict"] for each in (one, other)]
    assert [each["baseline"] for each in verdicts] == [names[0], names[1]]
    ratios = [1 + each["effect"] for each in verdicts]
    assert np.prod(ratios) == pytest.approx(1, rel=0.2)  # the scales are those of the first
    assert f"the error of {names[1]} (MASE) was" in verdicts[0]["sentence"]
    assert f"that of {names[0]}" in verdicts[0]["sentence"]


def test_models_with_the_same_numbers_tie(ready: Ready) -> None:
    client, _ = ready
    dataset_id = compared(ready, 0, 1)["dataset_id"]
    resources = client.app.state.resources  # type: ignore[attr-defined]  # of FastAPI
    again = trained(
        resources.database, dataset_id, horizon=3, cuts=4, start="scratch", method="network", promote="never"
    )
    answer = client.get("/models/compare", params={"model_id": [ready[1][0], again]}).json()
    verdict = answer["models"][1]["verdict"]
    assert (verdict["effect"], verdict["outcome"], answer["notes"]) == (0, "ties", [])


def test_notes_say_how_the_tests_differ(ready: Ready) -> None:
    _, names = ready
    notes = compared(ready, 0, 1)["notes"]
    assert f"Of the 32 windows of {names[0]}, 16 are compared." in notes
    assert any(note.startswith("Their horizons differ") for note in notes)


def test_verdict_is_by_cuts_that_share_no_steps(ready: Ready) -> None:
    found = compared(ready, 2, 0)
    assert found["windows"] == 2 * COUNT  # 3 and 6 years before the end
    closer = compared(ready, 2, 2, 0)
    assert closer == found
    assert found["models"][1]["verdict"]["periods"] == 2


def test_one_that_learned_longer_is_noted(ready: Ready) -> None:
    notes = compared(ready, 2, 0)["notes"]
    assert any("who learned longer knew more of what is compared" in note for note in notes)


@pytest.mark.parametrize(("count", "status"), [(0, 422), (1, 422), (11, 422)])
def test_comparison_takes_two_to_ten_models(ready: Ready, count: int, status: int) -> None:
    client, names = ready
    refused = client.get("/models/compare", params={"model_id": [names[0]] * count})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (status, "?model_id")


def test_model_is_not_compared_with_itself(ready: Ready) -> None:
    client, names = ready
    refused = client.get("/models/compare", params={"model_id": [names[0], names[0]]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "?model_id")


def test_unknown_model_is_not_found(ready: Ready) -> None:
    client, names = ready
    assert client.get("/models/compare", params={"model_id": [names[0], "model_0"]}).status_code == 404


def test_models_of_two_datasets_are_refused(client: TestClient, database: Database) -> None:
    datasets = [dataset(database).id for _ in range(2)]
    with database.write() as session:
        names = [publish(session, judged_model(dataset_id)) for dataset_id in datasets]
    refused = client.get("/models/compare", params={"model_id": names})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "?model_id")


@pytest.mark.usefixtures("brief_trainings")
def test_models_without_a_common_window_say_how_to_have_some(client: TestClient, database: Database) -> None:
    dataset_id = dataset(database).id
    names = [trained(database, dataset_id, horizon=horizon, cuts=1) for horizon in (3, 4)]
    refused = client.get("/models/compare", params={"model_id": names})
    assert refused.status_code == 409
    assert "`cuts` and `step_size` of POST /train" in refused.json()["detail"]
