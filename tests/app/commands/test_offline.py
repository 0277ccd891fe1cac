"""Forecasts from the command line warn of a lost verdict, and say how their file was read."""

from pathlib import Path

import pytest

from app.auth import OWNER
from app.commands import offline
from app.db.engine import Database
from app.db.tables import Model
from app.schemas import examples
from app.schemas.choices import OnLoss
from app.schemas.train import TrainRequest
from app.services.forecasting.request import ForecastRequest
from app.settings import Settings
from tests.factories import csv_bytes

pytestmark = pytest.mark.usefixtures("brief_trainings")
SENTENCE = "On the last steps this LSTM's error was twice drift's."


def judged(settings: Settings, folder: Path, outcome: str, on_loss: OnLoss) -> Path:
    """Train on a file, and set the verdict of its model against drift."""
    file = folder / "lines.csv"
    file.write_bytes(csv_bytes())
    request = TrainRequest(dataset_id="", horizon=3, preset="quick", method="network", on_loss=on_loss)
    model_id = offline.train(settings, file, request).model.id
    verdict = {**examples.VERDICT, "outcome": outcome, "baseline": "drift", "sentence": SENTENCE}
    database = Database(settings.database_url)
    with database.write() as session:
        session.get_one(Model, (OWNER.workspace_id, model_id)).verdicts = {"lstm": verdict}
    database.dispose()
    return file


@pytest.mark.parametrize(
    ("on_loss", "remark"), [("warn", SENTENCE), ("fallback", "drift answers in place of model model_")]
)
def test_loss_is_printed_beside_the_table(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], on_loss: OnLoss, remark: str
) -> None:
    file = judged(settings, tmp_path, "loses", on_loss)
    offline.forecast(settings, file, ForecastRequest(levels=(80,)))
    printed = capsys.readouterr()
    assert printed.err.startswith(remark)
    assert printed.out.startswith("unique_id,ds,forecast,mean,lo-80,hi-80\nseries 0,2000,")
    assert len(printed.out.splitlines()) == 1 + 3 * 3


def test_forecast_that_did_not_lose_is_printed_without_remark(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offline.forecast(settings, judged(settings, tmp_path, "ties", "fallback"), ForecastRequest())
    assert capsys.readouterr().err == ""


def test_file_whose_model_is_no_champion_is_forecast_by_the_pretrained_network(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lines.csv"
    file.write_bytes(csv_bytes())
    offline.train(settings, file, TrainRequest(dataset_id="", horizon=3, preset="quick", promote="never"))
    offline.forecast(settings, file, ForecastRequest(horizon=5))
    assert len(capsys.readouterr().out.splitlines()) == 1 + 3 * 5


def test_file_without_a_model_is_forecast_with_the_season_given(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text("t,y\n" + "".join(f"{t},{10 + 5 * (t % 6 == 0)}\n" for t in range(1, 61)))
    request = TrainRequest(dataset_id="", horizon=3, preset="quick", promote="never", season_length=[6])
    offline.train(settings, file, request)
    forecasts = []
    for season_lengths in ((), (6,)):
        offline.forecast(settings, file, ForecastRequest(horizon=6, season_lengths=season_lengths))
        forecasts.append(capsys.readouterr().out.splitlines()[1:])
    plain, seasonal = ([float(line.split(",")[2]) for line in lines] for lines in forecasts)
    assert seasonal[5] > 14 > max(seasonal[:5])
    assert plain != seasonal


def test_notes_and_repairs_of_a_file_are_printed_each_time_it_is_forecast(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "shop.csv"
    rows = [f"2024-01-{day:02},{day % 7},a remark of day {day}\n" for day in range(1, 29) if day != 9]
    file.write_text("date,sales,remark\n" + "".join(rows))
    for _ in range(2):
        offline.forecast(settings, file, ForecastRequest(horizon=3))
        printed = capsys.readouterr().err
        assert "Note: Not used: 'remark'" in printed
        assert "Note: 1 repair of the file, the first: " in printed
