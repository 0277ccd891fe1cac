"""The command line."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from app import cli
from app.cli import app as commands
from app.commands import offline
from app.commands.offline import trial_table
from app.schemas import examples
from app.schemas.models import Lineage, ModelOut
from app.services.training.reproduce import Stored, Verification
from app.settings import Settings, SettingsError
from app.version import VERSION
from tests.factories import csv_bytes

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
NAMES = [command.callback.__name__ for command in commands.registered_commands if command.callback]


def run(*arguments: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    settings = {
        "GATECAST_DATABASE_URL": f"sqlite:///{folder / 'cli.db'}",
        "GATECAST_DEVICE": "cpu",
        **environment,
    }
    command = [sys.executable, "-m", "app", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **settings}, check=False
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> "tuple[Path, subprocess.CompletedProcess[str]]":
    """A file that was trained on, with its database beside it, and what the command printed."""
    file = tmp_path_factory.mktemp("trained") / "lines.csv"
    file.write_bytes(csv_bytes())
    return file, run("train", str(file), "--horizon", "3", "--preset", "quick", folder=file.parent)


Trained = tuple[Path, "subprocess.CompletedProcess[str]"]


@pytest.mark.long
def test_training_prints_trials_and_verdict(trained: Trained) -> None:
    _, done = trained
    assert done.returncode == 0, done.stderr
    assert "│ lstm" in done.stdout
    assert "this LSTM's error" in done.stdout


@pytest.mark.usefixtures("brief_trainings")
def test_training_prints_how_to_forecast_with_its_model(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_bytes(csv_bytes())
    for promote, command in [
        (
            "never",
            "asks the pretrained network; make this one the champion through the API, by POST /models/ID/",
        ),
        ("always", "asks it."),
        ("never", "asks the champion, another model."),
    ]:
        arguments = ["train", str(file), "--horizon", "3", "--preset", "quick", "--promote", promote]
        done = CliRunner().invoke(commands, arguments, env={"GATECAST_DATABASE_URL": sqlite_url})
        (model_id,) = re.findall(r"Trained (model_\w+)", done.stdout)
        assert f"`gatecast forecast {file}` {command.replace('ID', model_id)}" in done.stdout


@pytest.mark.usefixtures("brief_trainings")
def test_verdict_is_by_the_chosen_measure(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_bytes(csv_bytes())
    arguments = ["train", str(file), "--horizon", "3", "--preset", "quick", "--measure", "rmsse"]
    done = CliRunner().invoke(commands, arguments, env={"GATECAST_DATABASE_URL": sqlite_url})
    assert "error (RMSSE)" in done.stdout


@pytest.mark.usefixtures("brief_trainings")
def test_backtest_has_the_cuts_and_levels_that_were_requested(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_bytes(csv_bytes())
    cuts = ["--cuts", "2", "--step-size", "1", "--level", "90"]
    done = CliRunner().invoke(
        commands,
        ["train", str(file), "--horizon", "3", "--preset", "quick", *cuts],
        env={"GATECAST_DATABASE_URL": sqlite_url},
    )
    (model_id,) = re.findall(r"Trained (model_\w+)", done.stdout)
    printed = CliRunner().invoke(commands, ["backtest", model_id], env={"GATECAST_DATABASE_URL": sqlite_url})
    rows = list(csv.DictReader(printed.stdout.splitlines()))
    assert len(rows) == 3 * 2 * 3
    assert {"unique_id", "cutoff", "ds", "y", "lstm", "lstm-hi-90", "theta-lo-90"} < set(rows[0])


@pytest.mark.long
def test_file_trained_on_is_forecast(trained: Trained) -> None:
    file, _ = trained
    answer = run("forecast", str(file), "--horizon", "2", "--level", "90", folder=file.parent)
    rows = list(csv.DictReader(answer.stdout.splitlines()))
    assert [row["ds"] for row in rows] == ["2000", "2001"] * 3
    assert set(rows[0]) == {"unique_id", "ds", "forecast", "mean", "lo-90", "hi-90"}


@pytest.mark.long
def test_model_is_verified_in_another_process(trained: Trained) -> None:
    file, done = trained
    (model_id,) = re.findall(r"Trained (model_\w+)", done.stdout)
    answer = run("verify", model_id, folder=file.parent)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"{model_id} is the same to the last bit" in answer.stdout


def test_model_that_came_out_different_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Lineage.model_validate(examples.LINEAGE)
    found = kept.model_copy(update={"weights_sha256": "f" * 64, "versions": {"torch": "9.0"}})
    stored = Stored(kept.weights_sha256, kept.backtest_sha256, "0" * 64)
    monkeypatch.setattr(offline, "verify", lambda *_: Verification(kept, stored, found))
    answer = CliRunner().invoke(commands, ["verify", "model_x"])
    outcomes = [line.split("│")[5].strip() for line in answer.stdout.splitlines() if line.count("│") == 6]
    assert answer.exit_code == 1
    assert outcomes == ["the same", "different", "the same", "stored otherwise"]
    assert "torch was 2.13.0 and is 9.0 now" in answer.stdout


def test_trials_are_printed_best_first_with_a_missing_mase(capsys: pytest.CaptureFixture[str]) -> None:
    trials = [{**examples.TRIAL, "mase": None}, *examples.TRIALS[1:]]
    model = ModelOut.model_validate({**examples.MODEL, "trials": trials})
    Console(width=80).print(trial_table(model))
    rows = [line.split("│") for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert [row[1].strip() for row in rows] == ["rnn", "gru", "lstm", "cnn"]
    assert [row[4].strip() for row in rows] == ["none", "1.054", "1.055", "1.138"]


def test_file_not_trained_on_is_forecast_as_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "receipts.csv"
    days = (f"2024-01-{day:02}" for day in range(1, 29))
    file.write_text("date,amount\n" + "".join(f"{day},20\n{day},30\n" for day in days))
    answer = run("forecast", str(file), "--duplicates", "sum", "--horizon", "3", folder=tmp_path)
    rows = [line.split(",") for line in answer.stdout.splitlines()[1:]]
    assert [(name, ds, round(float(y))) for name, ds, y, *_ in rows] == [
        ("amount", f"2024-01-{day}", 50) for day in (29, 30, 31)
    ]
    again = run("forecast", str(file), "--horizon", "3", folder=tmp_path)
    assert again.stdout == answer.stdout


def test_file_is_forecast_up_to_a_time(tmp_path: Path) -> None:
    file = tmp_path / "months.csv"
    rows = [
        (name, f"2023-{month:02}-01") for name, last in (("a", 10), ("b", 12)) for month in range(1, last + 1)
    ]
    file.write_text("id,ds,y\n" + "".join(f"{name},{ds},{len(ds)}\n" for name, ds in rows))
    answer = run("forecast", str(file), "--until", "2024-01", folder=tmp_path)
    times = [tuple(line.split(",")[:2]) for line in answer.stdout.splitlines()[1:]]
    assert times == [("a", "2023-11-01"), ("a", "2023-12-01"), ("a", "2024-01-01"), ("b", "2024-01-01")]


def test_preview_shows_what_is_open_and_how_to_settle_it(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("date,open,close\n" + "".join(f"2024-01-{day:02},1.5,2.5\n" for day in range(1, 29)))
    answer = run("preview", str(file), folder=tmp_path)
    assert answer.returncode == 1
    assert "settled by --target-column" in answer.stdout
    assert run("preview", str(file), "--target-column", "close", folder=tmp_path).returncode == 0
    assert not list(tmp_path.glob("*.db"))


def test_unusable_file_is_refused_in_a_sentence_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "broken.csv"
    file.write_bytes(b"unique_id,ds,y\na,1990,ten\na,1991,12\n")
    answer = run("train", str(file), "--horizon", "3", folder=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.startswith("gatecast: ")
    assert "Traceback" not in answer.stderr


def test_wrong_setting_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    answer = run("serve", folder=tmp_path, GATECAST_PORT="http")
    assert answer.returncode == 2
    assert answer.stderr.startswith("gatecast: GATECAST_PORT: ")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variable", ["GATECAST_PROT", "gatecast_prot"])
def test_unknown_setting_stops_every_command(
    monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "80")
    with pytest.raises(SettingsError, match=f"{variable} is not a setting"):
        CliRunner().invoke(commands, [name], catch_exceptions=False)


@pytest.mark.parametrize("name", ["serve", "api"])
def test_options_overrule_where_the_api_listens(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    served: list[Settings] = []
    monkeypatch.setattr("app.server.serve", lambda settings, **_: served.append(settings))
    monkeypatch.setenv("GATECAST_PORT", "9000")
    for options in ([], ["--host", "127.0.0.2", "--port", "9001"]):
        assert CliRunner().invoke(commands, [name, *options]).exit_code == 0
    assert [(each.host, each.port) for each in served] == [("127.0.0.1", 9000), ("127.0.0.2", 9001)]


def test_version_is_printed() -> None:
    result = CliRunner().invoke(commands, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"gatecast {VERSION}\n")


def test_text_of_a_file_sends_no_control_characters_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli._exit_with("No column \x1b[2K.\nNor this.")
    assert capsys.readouterr().err == "gatecast: No column \\x1b[2K.\nNor this.\n"


def test_device_that_is_not_there_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    answer = run("api", folder=tmp_path, GATECAST_DEVICE="cuda:7")
    assert answer.returncode == 2
    assert "cuda:7" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_unreachable_database_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    answer = run("migrate", folder=tmp_path, GATECAST_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/none")
    assert answer.returncode == 2
    assert answer.stderr.startswith("gatecast: The database does not answer")
    assert "secret" not in answer.stderr


@pytest.mark.parametrize("name", NAMES)
def test_help_of_each_command_has_an_example(name: str, tmp_path: Path) -> None:
    answer = run(name, "--help", folder=tmp_path)
    assert answer.returncode == 0
    assert f"gatecast {name}" in answer.stdout.split("Usage:")[1]
    assert "For example" in answer.stdout


@pytest.mark.parametrize("name", NAMES)
def test_command_stands_in_the_readme(name: str) -> None:
    assert f"gatecast {name}" in README


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("gatecast_client", {"torch", "sqlalchemy", "pandas", "fastapi"}),
        ("app.cli", {"torch", "sqlalchemy", "pandas", "fastapi"}),
        ("app.worker.process", {"torch", "pandas", "fastapi"}),
        ("app.main", {"matplotlib", "statsforecast"}),
    ],
)
def test_import_is_light(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_options_that_conflict_are_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "lines.csv"
    file.write_text("unique_id,ds,y\n")
    words = ["gatecast", "train", str(file), "--horizon", "200", "--start", "pretrained"]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert capsys.readouterr().err.startswith("gatecast: the pretrained networks are LSTMs for horizons")
