"""Train on a CSV file, forecast from one, and make the pretrained weights again, without the service."""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from models.backtest import Trial
from models.checkpoint import dump, load
from models.config import Architecture, Preset, preset
from models.errors import CoreError
from models.forecasts import Forecast
from models.methods import Method, forecast_by
from models.panel import Panel
from models.pretrained import WEIGHTS
from models.pretraining import Curriculum
from models.pretraining_run import run
from models.selection import train

ALL = "all"

_COLUMNS = ("unique_id", "ds", "y")

_EXAMPLES = """\
examples:
  python -m models train examples/population.csv --horizon 5
  python -m models train sales.csv --horizon 18 --season-length 12 --preset balanced --out sales.safetensors
  python -m models train sales.csv --horizon 18 --architecture all
  python -m models forecast examples/population.csv --model model.safetensors --level 80 --level 95
  python -m models pretrain --out /tmp/pretrained.safetensors

A file has the columns unique_id, ds and y, its rows in the order of time within each series. The times
themselves are not read: rows count as equal steps, the first row of a series as the start of a season, and
an empty y as a gap. Beside the weights, a .json file of the same name holds the configuration, and what
answers with them: the network or its blend with Theta, with calibrated bounds.
"""


class InputError(Exception):
    """A file that cannot be used, with the reason."""


@dataclass(frozen=True)
class Table:
    """The series of a file, by name, in the order they first appear."""

    names: list[str]
    panel: Panel


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 after one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (CoreError, InputError) as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{error.filename} cannot be used: {error.strerror}.")
    return 0


def _failed(sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return 2


def learn(options: argparse.Namespace) -> None:
    beside = _beside(options.out)
    panel = read_table(options.file).panel
    config = preset(
        options.preset,
        horizon=options.horizon,
        season_length=options.season_length,
        values=len(panel.values),
        longest=int(panel.lengths.max()),
        seed=options.seed,
    )
    chosen = get_args(Architecture) if options.architecture == ALL else (options.architecture,)
    trained = train(panel, config, chosen, device=options.device)
    artifact = dump(trained.model)
    options.out.write_bytes(artifact.weights)
    assessment = trained.assessment
    metadata = {**artifact.metadata, "method": assessment.methods[assessment.served].to_dict()}
    beside.write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
    _print_trials(trained.trials)
    for verdict in assessment.verdicts.values():
        print(verdict.sentence)
    print(f"Wrote {options.out} and {beside}; what they forecast with is {assessment.served}.")


def _print_trials(trials: Sequence[Trial]) -> None:
    """What each architecture gave on the last steps, which its fit had not seen; the best first."""
    print("architecture  sMAPE %    MASE  weights  seconds")
    for trial in trials:
        figures = f"{trial.smape:7.3f} {trial.mase:7.3f} {trial.parameters:8,} {trial.seconds:8.1f}"
        print(f"{trial.architecture:12}  {figures}")


def predict(options: argparse.Namespace) -> None:
    table = read_table(options.file)
    beside = _beside(options.model)
    try:
        metadata = json.loads(beside.read_text(encoding="utf-8"))
        method = Method.from_dict(metadata["method"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{beside} is not the JSON that training wrote: {error!r}") from error
    forecaster = load(options.model.read_bytes(), metadata)
    levels = options.level or [80, 95]
    _write(table, forecast_by(method, forecaster, table.panel, horizon=options.horizon, levels=levels))


def teach(options: argparse.Namespace) -> None:
    run(Curriculum(), options.out, options.checkpoints, lambda line: print(line, flush=True))


def _beside(weights: Path) -> Path:
    """Where the configuration of these weights lies."""
    if weights.suffix == ".json":
        raise InputError(f"{weights} would be the configuration: name the weights, say model.safetensors.")
    return weights.with_suffix(".json")


def read_table(path: Path) -> Table:
    """Read `unique_id,ds,y`; raises `InputError` naming the line that cannot be used."""
    try:
        return _read(path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8: {error}.") from error


def _read(path: Path) -> Table:
    series: dict[str, list[float]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if missing := [name for name in _COLUMNS if name not in (rows.fieldnames or [])]:
            raise InputError(f"{path} has no column {', '.join(missing)}; it needs {', '.join(_COLUMNS)}.")
        for row in rows:
            series.setdefault(row["unique_id"], []).append(_number(row["y"], path, rows.line_num))
    if not series:
        raise InputError(f"{path} has no rows below its header.")
    return Table(list(series), Panel.of(list(series.values())))


def _number(text: str | None, path: Path, line: int) -> float:
    try:
        return float(text or "nan")
    except ValueError as error:
        raise InputError(f"Line {line} of {path}: y is {text!r}, which is not a number.") from error


def _write(table: Table, result: Forecast) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    bounds = [(side, level) for level in result.lo for side in ("lo", "hi")]
    writer.writerow(["unique_id", "step", "forecast", *(f"{side}-{level}" for side, level in bounds)])
    columns = [result.median, *(getattr(result, side)[level] for side, level in bounds)]
    for i, name in enumerate(table.names):
        for step in range(result.median.shape[1]):
            writer.writerow([name, step + 1, *(float(column[i, step]) for column in columns)])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="train | forecast | pretrain")
    _add_train(commands.add_parser("train", help="train a model on every series of a file"))
    _add_forecast(commands.add_parser("forecast", help="write a forecast of every series as CSV"))
    _add_pretrain(commands.add_parser("pretrain", help="make the pretrained weights again, from nothing"))
    return parser


def _add_train(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=learn)
    command.add_argument("file", type=Path, help="CSV with unique_id, ds, y")
    command.add_argument("--horizon", type=int, required=True, help="steps ahead to learn")
    command.add_argument(
        "--season-length", type=int, default=1, help="steps in a season; 1, the default: none"
    )
    command.add_argument("--preset", choices=get_args(Preset), default="quick", help="default: quick")
    command.add_argument(
        "--architecture",
        choices=(*get_args(Architecture), ALL),
        default="lstm",
        help="what reads the history; all: try the four and keep the best; default: lstm",
    )
    command.add_argument("--seed", type=int, default=0, help="default: 0")
    command.add_argument("--device", default="auto", help="auto (the default), cpu, cuda or cuda:N")
    command.add_argument("--out", type=Path, default=Path("model.safetensors"), help="default: %(default)s")


def _add_forecast(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=predict)
    command.add_argument("file", type=Path, help="CSV with unique_id, ds, y")
    command.add_argument("--model", type=Path, required=True, help="the weights that training wrote")
    command.add_argument(
        "--horizon", type=int, help="steps ahead, up to the trained ones, which are the default"
    )
    command.add_argument(
        "--level",
        type=int,
        action="append",
        help="percent an interval is to hold; repeatable; default: 80, 95",
    )


def _add_pretrain(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=teach)
    command.add_argument("--out", type=Path, default=WEIGHTS, help="default: the weights in this folder")
    command.add_argument(
        "--checkpoints",
        type=Path,
        default=Path("pretraining"),
        help="folder to go on from if it was broken off; default: %(default)s",
    )


if __name__ == "__main__":
    sys.exit(main())
