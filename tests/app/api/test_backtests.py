"""What a model tells of how good it is, and that all of it follows from the rows of its backtest."""

import io
from collections.abc import Iterator

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.main import create_app
from app.schemas.models import ModelOut
from app.services import storage
from app.settings import Settings
from models.baselines import BASELINES
from tests.factories import dataset, judged_model, publish, trained, trends

pytestmark = pytest.mark.usefixtures("brief_trainings")
METHODS = {"lstm", "blend", *BASELINES}
COLUMNS = ["unique_id", "cutoff", "ds", "step", "y", "scale"]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """An app with a trained model, and the model's id; one series has a gap among the steps held out."""
    url = f"sqlite:///{tmp_path_factory.mktemp('backtest') / 'test.db'}"
    database = Database(url)
    storage.migrate(database)
    series = trends(count=8)
    series["series 3"][-2] = float("nan")
    model_id = trained(database, dataset(database, series).id, horizon=2, method="blend")
    database.dispose()
    with TestClient(create_app(Settings(database_url=url, device="cpu"))) as client:
        yield client, model_id


Ready = tuple[TestClient, str]


def csv_of(ready: Ready, path: str = "backtest") -> pd.DataFrame:
    client, model_id = ready
    answer = client.get(f"/models/{model_id}/{path}", headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    return pd.read_csv(io.StringIO(answer.text), float_precision="round_trip")


def told(ready: Ready) -> ModelOut:
    client, model_id = ready
    return ModelOut.model_validate(client.get(f"/models/{model_id}").json())


def scaled_errors(rows: pd.DataFrame, method: str) -> pd.Series:
    return (rows["y"] - rows[method]).abs() / rows["scale"]


def test_model_tells_of_every_method_by_step_and_of_both_verdicts(ready: Ready) -> None:
    model = told(ready)
    assert model.backtest is not None
    assert set(model.backtest.measures) == set(model.backtest.by_step) == METHODS
    assert {len(steps.mase) for steps in model.backtest.by_step.values()} == {2}
    assert set(model.verdicts) == {"lstm", "blend"}
    assert (model.method, model.verdict) == ("blend", model.verdicts["blend"])
    assert sum(model.weights.values()) == pytest.approx(1)


def test_list_of_models_tells_the_verdict_and_no_tables(ready: Ready) -> None:
    (model,) = ready[0].get("/models").json()["models"]
    assert model["verdict"] == told(ready).verdicts["blend"].model_dump()
    assert not {"backtest", "lineage", "calibration"} & set(model)


def test_measures_follow_from_the_rows(ready: Ready) -> None:
    rows, model = csv_of(ready), told(ready)
    assert model.backtest is not None
    for method, measures in model.backtest.measures.items():
        inside = (rows["y"] >= rows[f"{method}-lo-80"]) & (rows["y"] <= rows[f"{method}-hi-80"])
        each = pd.DataFrame(
            {
                "mase": scaled_errors(rows, method),
                "smape": 200 * (rows["y"] - rows[method]).abs() / (rows["y"].abs() + rows[method].abs()),
                "coverage": inside.where(rows["y"].notna()).astype(float),
            }
        )
        means = each.groupby(rows["unique_id"]).mean().mean()
        assert [measures.mase, measures.smape] == pytest.approx([means["mase"], means["smape"]])
        assert measures.coverage["80"] == pytest.approx(means["coverage"])


def test_verdict_follows_from_the_rows(ready: Ready) -> None:
    rows, model = csv_of(ready), told(ready)
    for method, verdict in model.verdicts.items():
        errors = pd.DataFrame({name: scaled_errors(rows, name) for name in (method, *BASELINES)})
        means = errors.groupby(rows["unique_id"]).mean().mean()
        assert (verdict.unit, verdict.n, verdict.measure) == ("series", 8, "MASE")
        assert verdict.baseline == means[list(BASELINES)].idxmin()
        assert verdict.effect == pytest.approx(means[method] / means[verdict.baseline] - 1)
        assert f"{abs(verdict.effect or 0):.0%}".replace("%", " %") in verdict.sentence


def test_measures_of_each_step_follow_from_its_rows(ready: Ready) -> None:
    rows, model = csv_of(ready), told(ready)
    assert model.backtest is not None
    for step in (1, 2):
        some = rows[rows["step"] == step]
        mase = scaled_errors(some, "theta").groupby(some["unique_id"]).mean().mean()
        assert model.backtest.by_step["theta"].mase[step - 1] == pytest.approx(mase)


def test_rows_name_the_steps_that_were_hidden_with_their_truth(ready: Ready) -> None:
    rows, model = csv_of(ready), told(ready)
    assert model.backtest is not None
    assert model.lineage is not None
    assert list(rows.columns[:6]) == COLUMNS
    assert len(rows) == 2 * model.backtest.windows
    assert set(rows["ds"]) == set(range(2000 - model.backtest.steps, 2000))
    assert (rows["ds"] - rows["cutoff"] == rows["step"]).all()
    assert set(rows["cutoff"]) == set(model.lineage.cutoffs)
    assert rows[rows["unique_id"] == "series 0"]["y"].tolist()[-2:] == trends()["series 0"][-2:]
    assert rows[rows["y"].isna()][["unique_id", "ds"]].to_numpy().tolist() == [["series 3", 1998]]


def test_pages_hold_the_same_rows_as_the_table(ready: Ready) -> None:
    client, model_id = ready
    table, rows = csv_of(ready), []
    page = client.get(f"/models/{model_id}/backtest", params={"limit": 30}).json()
    rows += page["rows"]
    while page["next"] is not None:
        params = {"limit": 30, "cursor": page["next"]}
        page = client.get(f"/models/{model_id}/backtest", params=params).json()
        rows += page["rows"]
    assert [row["ds"] for row in rows] == table["ds"].tolist()
    assert [row["methods"]["ets"]["forecast"] for row in rows] == table["ets"].tolist()
    assert [row["methods"]["lstm"]["intervals"]["95"]["hi"] for row in rows] == table["lstm-hi-95"].tolist()
    assert sum(row["y"] is None for row in rows) == 1


def test_measures_of_each_series_make_those_of_all(ready: Ready) -> None:
    client, model_id = ready
    table, model = csv_of(ready, "backtest/series"), told(ready)
    assert model.backtest is not None
    means = table.groupby("method")["mase"].mean()
    assert {name: pytest.approx(value) for name, value in means.items()} == {
        name: measures.mase for name, measures in model.backtest.measures.items()
    }
    page = client.get(f"/models/{model_id}/backtest/series", params={"limit": 3}).json()
    assert [each["unique_id"] for each in page["series"]] == ["series 0", "series 1", "series 2"]
    first = table[(table["unique_id"] == "series 0") & (table["method"] == "drift")]
    assert page["series"][0]["measures"]["drift"]["mase"] == first["mase"].item()
    assert page["next"] is not None


def test_calibration_tells_the_coverage_of_what_is_served(ready: Ready) -> None:
    model = told(ready)
    assert model.backtest is not None
    assert set(model.calibration) == {"50", "80", "95", "99"}
    assert model.calibration["80"].coverage == model.backtest.measures["blend"].coverage["80"]
    assert model.calibration["99"].coverage is None
    assert (model.calibration["80"].calibrated, model.calibration["99"].calibrated) == (True, False)


@pytest.mark.parametrize("path", ["backtest", "backtest/series"])
@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_model_from_before_backtests_says_to_train_another(
    client: TestClient, database: Database, path: str, accept: str
) -> None:
    dataset_id = dataset(database).id
    with database.write() as session:
        model_id = publish(session, judged_model(dataset_id, skill=None))
    response = client.get(f"/models/{model_id}/{path}", headers={"accept": accept})
    assert response.status_code == 409
    assert f'POST /train {{"dataset_id": "{dataset_id}", "horizon": 3}}' in response.json()["detail"]


def test_cursor_of_another_call_is_refused(ready: Ready) -> None:
    client, model_id = ready
    response = client.get(f"/models/{model_id}/backtest", params={"cursor": "bm8"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "?cursor"
