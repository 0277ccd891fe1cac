"""Backtests over HTTP: every figure follows from the rows."""

import io
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from app.db.engine import Database
from app.intake.options import ReadOptions
from app.schemas.models import ModelOut
from models.methods.baselines import BASELINES
from tests.factories import dataset, filled_app, judged_model, publish, trained

METHODS = {"lstm", "blend", *BASELINES}
LENGTH = 40
COLUMNS = ["unique_id", "cutoff", "ds", "step", "y", "scale", "root_scale"]


def waves() -> dict[str, list[float]]:
    """Series on which a network beats the baselines, by more on some than on others."""
    noise = np.random.default_rng(7).normal(0, 5, (8, LENGTH))
    periods = 100 + 10 * np.sin(np.arange(LENGTH) * np.pi / 2 + np.arange(8)[:, None])
    series = {f"series {i}": values for i, values in enumerate((periods + noise).tolist())}
    series["series 3"][-2] = float("nan")
    return series


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """An app with a trained model, and the model's id; one series has a gap among the steps held out.

    From scratch, so that every candidate is in the rows; of several starts only the best is. Without a
    season, so that the network alone learns that values repeat.
    """
    no_season = ReadOptions(season_lengths=())

    def fill(database: Database) -> str:
        stored = dataset(database, waves(), options=no_season)
        return trained(database, stored.id, horizon=2, method="blend", start="scratch")

    with filled_app(tmp_path_factory.mktemp("backtest"), fill) as ready:
        yield ready


Ready = tuple[TestClient, str]


def csv_of(ready: Ready, path: str = "backtest") -> pd.DataFrame:
    client, model_id = ready
    answer = client.get(f"/models/{model_id}/{path}", headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    return pd.read_csv(io.StringIO(answer.text), float_precision="round_trip")


def model_of(ready: Ready) -> ModelOut:
    client, model_id = ready
    return ModelOut.model_validate(client.get(f"/models/{model_id}").json())


def scaled_errors(rows: pd.DataFrame, method: str) -> pd.Series:
    return (rows["y"] - rows[method]).abs() / rows["scale"]


def over_series(rows: pd.DataFrame, values: pd.Series) -> pd.Series:
    """Means within each series, over all its cuts and steps."""
    return values.groupby(rows["unique_id"]).mean()


def mean_of(columns: list[pd.Series]) -> pd.Series:
    return pd.concat(columns, axis=1).mean(axis=1, skipna=False)


def pinball_loss(rows: pd.DataFrame, bound: str, quantile: float) -> pd.Series:
    error = (rows["y"] - rows[bound]) / rows["scale"]
    return error.clip(lower=0) * quantile - error.clip(upper=0) * (1 - quantile)


def test_model_has_every_method_by_step_and_both_verdicts(ready: Ready) -> None:
    model = model_of(ready)
    assert model.backtest is not None
    assert set(model.backtest.measures) == set(model.backtest.by_step) == METHODS
    assert {len(steps.mase) for steps in model.backtest.by_step.values()} == {2}
    assert set(model.verdicts) == {"lstm", "blend"}
    assert (model.method, model.verdict) == ("blend", model.verdicts["blend"])
    assert sum(model.weights.values()) == pytest.approx(1)


def test_list_of_models_has_verdicts_and_no_tables(ready: Ready) -> None:
    (model,) = ready[0].get("/models").json()["models"]
    assert model["verdict"] == model_of(ready).verdicts["blend"].model_dump(mode="json")
    assert not {"backtest", "lineage", "calibration"} & set(model)


def test_measures_of_medians_follow_from_the_rows(ready: Ready) -> None:
    rows, model = csv_of(ready), model_of(ready)
    assert model.backtest is not None
    first_cut = LENGTH - model.backtest.steps
    roots = {name: np.sqrt(np.mean(np.diff(values[:first_cut]) ** 2)) for name, values in waves().items()}
    for method, measures in model.backtest.measures.items():
        error = (rows["y"] - rows[method]).abs()
        smape = 200 * error / (rows["y"].abs() + rows[method].abs())
        squares = (error / rows["unique_id"].map(roots)) ** 2
        assert measures.mase == pytest.approx(over_series(rows, scaled_errors(rows, method)).mean())
        assert measures.smape == pytest.approx(over_series(rows, smape).mean())
        assert measures.rmsse == pytest.approx(np.sqrt(over_series(rows, squares)).mean())


def test_measures_of_intervals_follow_from_the_rows(ready: Ready) -> None:
    rows, model = csv_of(ready), model_of(ready)
    assert model.backtest is not None
    for method, measures in model.backtest.measures.items():
        quantiles = {0.5: method}
        scores = []
        for level in (80, 95):
            lo, hi = f"{method}-lo-{level}", f"{method}-hi-{level}"
            quantiles |= {0.5 - level / 200: lo, 0.5 + level / 200: hi}
            outside = (rows[lo] - rows["y"]).clip(lower=0) + (rows["y"] - rows[hi]).clip(lower=0)
            scores.append((rows[hi] - rows[lo] + 2 / (1 - level / 100) * outside) / rows["scale"])
            inside = (outside == 0).where(rows["y"].notna()).astype(float)
            assert measures.coverage[str(level)] == pytest.approx(over_series(rows, inside).mean())
        losses = [pinball_loss(rows, bound, quantile) for quantile, bound in quantiles.items()]
        assert measures.pinball == pytest.approx(over_series(rows, mean_of(losses)).mean())
        assert measures.interval_score == pytest.approx(over_series(rows, mean_of(scores)).mean())


def test_verdict_follows_from_the_rows(ready: Ready) -> None:
    rows, model = csv_of(ready), model_of(ready)
    for method, verdict in model.verdicts.items():
        errors = {name: over_series(rows, scaled_errors(rows, name)) for name in (method, *BASELINES)}
        baseline = min(BASELINES, key=lambda name: errors[name].mean())
        effect = errors[method].mean() / errors[baseline].mean() - 1
        assert (verdict.unit, verdict.n, verdict.measure) == ("series", 8, "MASE")
        assert verdict.baseline == baseline
        assert verdict.effect == pytest.approx(effect)
        assert f"{abs(effect):.0%} below".replace("%", " %") in verdict.sentence
        assert verdict.median_effect == pytest.approx((errors[method] / errors[baseline]).median() - 1)
        assert verdict.effect_interval is not None
        low, high = verdict.effect_interval
        assert low < effect < high
        assert verdict.periods == rows["cutoff"].nunique()
        assert verdict.sentence.startswith(
            f"Over {verdict.periods} periods of {rows['step'].max()} years and 8 "
        )


def test_chance_of_a_verdict_is_at_least_what_the_rows_say(ready: Ready) -> None:
    """By every way to give out the signs, and the candidates the better one was chosen from.

    How often is the gap of any as rare as the method's own? Rare is what few ways of its own match. The
    series move together, which makes a gap likelier.
    """
    rows, model = csv_of(ready), model_of(ready)
    signs = np.array(list(product((-1, 1), repeat=8)))
    for method, candidates in {"lstm": ["lstm"], "blend": ["blend", "lstm"]}.items():
        verdict = model.verdicts[method]
        baseline = scaled_errors(rows, verdict.baseline)
        gaps = [over_series(rows, scaled_errors(rows, name) - baseline) for name in candidates]
        sums = np.abs(signs @ np.stack(gaps, axis=1))
        rarity = np.mean(sums[:, None] <= sums * (1 + 1e-9), axis=1)
        chance = np.mean(rarity.min(axis=1) <= rarity[-1, 0])
        assert gaps[0].sum() < 0
        assert verdict.p_value >= chance * (1 - 1e-9)
        assert (verdict.outcome == "beats") <= (verdict.p_value < 0.05)


def test_measures_of_each_step_follow_from_its_rows(ready: Ready) -> None:
    rows, model = csv_of(ready), model_of(ready)
    assert model.backtest is not None
    for step in (1, 2):
        some = rows[rows["step"] == step]
        mase = scaled_errors(some, "theta").groupby(some["unique_id"]).mean().mean()
        assert model.backtest.by_step["theta"].mase[step - 1] == pytest.approx(mase)


def test_rows_name_the_steps_that_were_hidden_with_their_truth(ready: Ready) -> None:
    rows, model = csv_of(ready), model_of(ready)
    assert model.backtest is not None
    assert model.lineage is not None
    assert list(rows.columns[: len(COLUMNS)]) == COLUMNS
    assert len(rows) == 2 * model.backtest.windows
    assert set(rows["ds"]) == set(range(2000 - model.backtest.steps, 2000))
    assert (rows["ds"] - rows["cutoff"] == rows["step"]).all()
    assert set(rows["cutoff"]) == set(model.lineage.cutoffs)
    assert rows[rows["unique_id"] == "series 0"]["y"].tolist()[-2:] == waves()["series 0"][-2:]
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
    table, model = csv_of(ready, "backtest/series"), model_of(ready)
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


def test_calibration_has_the_coverage_to_expect_of_the_served_method(ready: Ready) -> None:
    """It lies between what the backtest held at its two cuts and the level."""
    model = model_of(ready)
    assert model.backtest is not None
    assert set(model.calibration) == {"50", "80", "95", "99"}
    held, expected = model.backtest.measures["blend"].coverage["80"], model.calibration["80"].coverage
    assert held is not None
    assert expected is not None
    assert min(held, 0.8) < expected < max(held, 0.8)
    assert all(each.untested is None for each in model.calibration.values())
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


def test_cursor_of_another_route_is_refused(ready: Ready) -> None:
    client, model_id = ready
    response = client.get(f"/models/{model_id}/backtest", params={"cursor": "bm8"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "?cursor"


def test_model_from_before_a_baseline_was_added_is_shown_without_it(tmp_path: Path) -> None:
    def fill(database: Database) -> str:
        model = judged_model(dataset(database, waves()).id)
        assert model.backtest is not None
        for name in ("last_change", "damped_trend"):
            del model.backtest["measures"][name]
        with database.write() as session:
            return publish(session, model)

    with filled_app(tmp_path, fill) as ready:
        shown = model_of(ready).backtest
    assert shown is not None
    assert set(shown.measures) == {"lstm", *BASELINES} - {"last_change", "damped_trend"}
