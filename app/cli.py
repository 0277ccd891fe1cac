"""The command line. Each command imports what it needs when it runs, so that `--help` answers at once."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from app.commands.importing import without_collections
from app.commands.reading import reads_a_file
from app.schemas.choices import (
    DEFAULT_ARCHITECTURE,
    DEFAULT_LEVELS,
    DEFAULT_MEASURE,
    DEFAULT_METHOD,
    DEFAULT_ON_LOSS,
    DEFAULT_PRESET,
    DEFAULT_PROMOTION,
    DEFAULT_START,
    MAX_CUTS,
    MAX_HORIZON,
    MAX_LEVEL,
    MIN_LEVEL,
    ArchitectureChoice,
    Limits,
    MeasureChoice,
    MethodChoice,
    OnLoss,
    Preset,
    Promotion,
    StartChoice,
)

if TYPE_CHECKING:
    from app.settings import Settings

app = typer.Typer(
    help="Forecasts you run yourself. Settings come from the environment (GATECAST_...): docs/settings.md.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A table: series, times, values.")]
ApiWorkers = Annotated[
    int | None,
    typer.Option(min=1, help="Processes that answer requests; by default GATECAST_API_WORKERS."),
]
Host = Annotated[str | None, typer.Option(help="Address to listen on; by default GATECAST_HOST.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; by default GATECAST_PORT.")]

Levels = Annotated[list[int] | None, typer.Option(min=MIN_LEVEL, max=MAX_LEVEL, help="Interval in percent.")]
SeasonLengths = Annotated[
    str,
    typer.Option(help="Steps in a season, several by commas (`7,365`), 1 for none; by default the step's."),
]


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # as typer calls it
    if wanted:
        from app.version import VERSION

        print(f"gatecast {VERSION}")
        raise typer.Exit


@app.callback()
def gatecast(
    *,
    version: Annotated[  # noqa: ARG001  # its callback prints it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Check the names of the settings before any command runs."""
    from app.settings import check_names

    check_names()


@app.command()
def serve(host: Host = None, port: Port = None, workers: ApiWorkers = None) -> None:
    """Run the API and one worker; migrations run first, Ctrl-C stops everything.

    For example:

    `gatecast serve`

    `gatecast serve --port 8080 --workers 4`

    `GATECAST_DATABASE_URL=postgresql://me@db/gatecast gatecast serve`
    """
    from app.server import serve as run

    run(_settings(host=host, port=port, api_workers=workers), with_worker=True)


@app.command()
def api(host: Host = None, port: Port = None, workers: ApiWorkers = None) -> None:
    """Run the API alone; migrations run first, the workers that train run elsewhere.

    For example:

    `gatecast api`

    `gatecast api --host 192.0.2.7 --port 8080`
    """
    from app.server import serve as run

    run(_settings(host=host, port=port, api_workers=workers), with_worker=False)


@app.command()
def worker(
    *,
    device: Annotated[str | None, typer.Option(help="`cpu` or `cuda:N`; by default GATECAST_DEVICE.")] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(help="Trainings at a time; by default GATECAST_WORKER_CONCURRENCY."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only check, by the exit status, if one on this host is alive.")
    ] = False,
) -> None:
    """Run the workers of one device alone; migrations run first. Start it once for each device.

    For example:

    `GATECAST_DATABASE_URL=postgresql://me@db/gatecast gatecast worker`

    `gatecast worker --device cuda:1 --concurrency 2`

    `gatecast worker --check`
    """
    if check:
        from app.db.engine import Database
        from app.services.jobs import workers

        alive = workers.is_beating_here(Database(_settings().database_url), within_s=3.0)
        raise typer.Exit(0 if alive else 1)
    from app.worker.supervisor import run_workers

    run_workers(_settings(device=device, worker_concurrency=concurrency))


@app.command()
def migrate() -> None:
    """Migrate the database to this version; does nothing if it is current.

    For example:

    `gatecast migrate`
    """
    from app.db.engine import Database
    from app.services.shared import database_admin

    database_admin.migrate(Database(_settings().database_url))


@app.command()
def demo(
    url: Annotated[
        str | None, typer.Option(help="Use the service at this URL, instead of one started for the demo.")
    ] = None,
) -> None:
    """Show the whole path on the population of 40 countries: upload, train, compare, forecast.

    For example:

    `gatecast demo`

    `gatecast demo --url http://127.0.0.1:8000`
    """
    from rich.console import Console

    from app.commands.demo import run_demo

    console = Console(width=110)
    if url is not None:
        run_demo(url, console)
        return
    from app.server import running_service

    with running_service() as own_url:
        run_demo(own_url, console)


@app.command()
@reads_a_file
def train(  # noqa: PLR0913  # one argument for each option of the command
    file: File,
    *,
    horizon: Annotated[int, typer.Option(min=1, max=MAX_HORIZON, help="How many steps ahead to forecast.")],
    preset: Annotated[Preset, typer.Option(help="How long the training may take.")] = DEFAULT_PRESET,
    architecture: Annotated[
        ArchitectureChoice, typer.Option(help="The network; `all` tries each and keeps the best.")
    ] = DEFAULT_ARCHITECTURE,
    start: Annotated[
        StartChoice, typer.Option(help="From pretrained networks, from scratch, or whichever is better.")
    ] = DEFAULT_START,
    method: Annotated[
        MethodChoice,
        typer.Option(help="The served method: the network, its blend with a baseline, or the better one."),
    ] = DEFAULT_METHOD,
    measure: Annotated[
        MeasureChoice,
        typer.Option(
            help="The error that choices and the verdict are by; by itself MASE, for rare demand pinball."
        ),
    ] = DEFAULT_MEASURE,
    on_loss: Annotated[
        OnLoss,
        typer.Option(help="If a simple method is better: warn, fall back to it, or refuse to forecast."),
    ] = DEFAULT_ON_LOSS,
    promote: Annotated[
        Promotion, typer.Option(help="Whether the model becomes the champion: `auto`, if it is better.")
    ] = DEFAULT_PROMOTION,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Same seed, data and machine: same model.")
    ] = 0,
    season_length: SeasonLengths = "",
    cuts: Annotated[
        int | None, typer.Option(min=1, max=MAX_CUTS, help="Cuts of the backtest; by default a fifth's.")
    ] = None,
    step_size: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_HORIZON, help="Steps from cut to cut; by default the horizon."),
    ] = None,
    level: Levels = None,
    reading: dict[str, Any],
) -> None:
    """Train on a file and store the model in the database; no service needs to run.

    For example:

    `gatecast train examples/population.csv --horizon 5 --preset quick`

    `gatecast train examples/population.csv --horizon 5 --preset quick --architecture all`

    `gatecast train receipts.csv --horizon 14 --duplicates sum`

    `gatecast train receipts.csv --horizon 14 --measure rmsse`

    `gatecast train receipts.csv --horizon 14 --cuts 8 --step-size 7 --level 90`
    """
    with without_collections():
        from rich.console import Console

        from app.commands import offline
        from app.intake.options import ReadOptions
        from app.schemas.train import TrainRequest

    request = TrainRequest(
        dataset_id="",
        horizon=horizon,
        preset=preset,
        architecture=architecture,
        start=start,
        method=method,
        measure=measure,
        on_loss=on_loss,
        promote=promote,
        seed=seed,
        season_length=_season_length(season_length),
        cuts=cuts,
        step_size=step_size,
        level=level or [],
    )
    training = offline.train(_settings(), file, request, ReadOptions(**reading))
    model = training.model
    Console().print(offline.trial_table(model))
    for verdict in model.verdicts.values():
        print(verdict.sentence)
    print(
        f"Trained {model.id} ({model.method}) in {model.training_seconds:.1f} s; "
        f"`gatecast forecast {file}` {training.effect}."
    )


@app.command()
@reads_a_file
def forecast(  # noqa: PLR0913  # one argument for each option of the command
    file: File,
    horizon: Annotated[
        int | None, typer.Option(min=1, help="Steps ahead; by default as far as the model reaches.")
    ] = None,
    level: Levels = None,
    *,
    until: Annotated[
        str | None, typer.Option(help="In place of --horizon: up to this time, such as `2026-12`.")
    ] = None,
    season_length: SeasonLengths = "",
    lower: Annotated[float | None, typer.Option(help="No forecast or bound is below it.")] = None,
    upper: Annotated[float | None, typer.Option(help="No forecast or bound is above it.")] = None,
    integer: Annotated[bool, typer.Option("--integer", help="Whole numbers alone.")] = False,
    reading: dict[str, Any],
) -> None:
    """Print the forecast for a file as CSV; by the pretrained network, unless it was trained on.

    For example:

    `gatecast forecast examples/population.csv`

    `gatecast forecast examples/population.csv --horizon 3 --level 80 > forecast.csv`

    `gatecast forecast sales.csv --until 2026-12`

    `gatecast forecast visitors.csv --lower 0 --upper 500 --integer`
    """
    with without_collections():
        from app.commands import offline
        from app.intake.options import ReadOptions
        from app.schemas.fields import lengths_of
        from app.services.forecasting.request import ForecastRequest

    request = ForecastRequest(
        horizon=horizon,
        until=until,
        levels=tuple(level or DEFAULT_LEVELS),
        season_lengths=lengths_of(_season_length(season_length)),
        limits=_limits(lower, upper, integer=integer),
    )
    offline.forecast(_settings(), file, request, ReadOptions(**reading))


@app.command()
@reads_a_file
def preview(file: File, *, reading: dict[str, Any]) -> None:
    """Show how a file would be read, and what is open; stores nothing, exits with 1 if it must be mended.

    For example:

    `gatecast preview examples/population.csv`

    `gatecast preview prices.csv --target-column Close`
    """
    with without_collections():
        from rich.console import Console

        from app.commands.preview import preview as show
        from app.intake.files.conversion import FileLimits
        from app.intake.options import ReadOptions

    fine = show(file, ReadOptions(**reading), FileLimits.of(_settings()), Console(soft_wrap=True))
    raise typer.Exit(0 if fine else 1)


@app.command()
def backtest(
    model: Annotated[str, typer.Argument(help="Identifier of a model, as `gatecast train` printed it.")],
) -> None:
    """Print the backtest of a model as CSV: the true values held out, and what each method forecast.

    For example:

    `gatecast backtest model_0660f96d6671cee863c5fd106d > backtest.csv`
    """
    with without_collections():
        from app.commands import offline

    offline.backtest(_settings(), model)


@app.command()
def verify(
    model: Annotated[str, typer.Argument(help="Identifier of a model, as `gatecast train` printed it.")],
) -> None:
    """Train a model again from its lineage and compare it with the stored one; exits with 1 on a difference.

    For example:

    `gatecast verify model_0660f96d6671cee863c5fd106d`
    """
    with without_collections():
        from rich.console import Console

        from app.commands import offline

    verified = offline.verify(_settings(), model)
    Console().print(offline.verification_table(verified))
    for name, (kept, found) in verified.other_versions.items():
        print(f"{name} was {kept} and is {found} now; bits may differ for that.")
    outcome = "the same to the last bit" if verified.is_same else "different"
    print(f"{model} is {outcome}, as it is stored and as it comes when trained again.")
    raise typer.Exit(0 if verified.is_same else 1)


@app.command()
def check() -> None:
    """Read everything that is stored and list what is damaged; exits with 1 if anything is.

    For example:

    `gatecast check`
    """
    from rich.console import Console

    from app.commands.console import counting_bar
    from app.db.engine import Database
    from app.services.shared import integrity

    database = Database(_settings().database_url)
    with counting_bar(Console(stderr=True), "blobs") as report:
        found = integrity.check(database, report)
    database.dispose()
    for damage in found:
        print(f"{damage.what}: {damage.breaks}.")
    print(f"{len(found)} faults; restore what is damaged from a backup." if found else "Everything is whole.")
    raise typer.Exit(1 if found else 0)


@app.command()
def backup(target: Annotated[Path, typer.Argument(help="The file to write; must not exist.")]) -> None:
    """Write everything into one consistent file, while the service runs.

    For example:

    `gatecast backup gatecast-2026-01-31.db`
    """
    from app.db.engine import Database
    from app.services.shared import database_admin

    database_admin.backup(Database(_settings().database_url), target)
    print(f"Everything is in {target}.")


def _season_length(text: str) -> list[int] | None:
    """Return the lengths in the text of an option."""
    from app.schemas.fields import parse_season_length

    try:
        return parse_season_length(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--season-length") from error


def _limits(lower: float | None, upper: float | None, *, integer: bool) -> Limits:
    """Return the limits that options give."""
    try:
        return Limits(lower, upper, integer)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--lower and --upper") from error


def _settings(**options: Any) -> "Settings":
    """Return the settings; an option on the command line takes precedence."""
    from app.settings import load_settings

    return load_settings(**{name: value for name, value in options.items() if value is not None})


def main() -> None:
    """Run a command; print an error that the user can mend as a sentence, without a traceback."""
    from pydantic import ValidationError

    from app.errors import AppError
    from app.settings import SettingsError
    from gatecast_client import GatecastError

    try:
        app()
    except (SettingsError, AppError, GatecastError) as error:
        _exit_with(str(error))
    except ValidationError as error:  # of options that conflict
        _exit_with("; ".join(part["msg"].removeprefix("Value error, ") for part in error.errors()))


def _exit_with(sentence: str) -> NoReturn:
    from app.observability.logs import escaped

    lines = map(escaped, sentence.split("\n"))  # it may quote a file
    print("gatecast: " + "\n".join(lines), file=sys.stderr)
    sys.exit(2)
