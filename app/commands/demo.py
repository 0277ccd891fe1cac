"""The demo: is the model better than simple methods on the population of 40 countries, and what comes next?

It uses the service over HTTP, as any user's program would.
"""

import csv
import io
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.commands.console import training_bar
from app.errors import AppError
from app.services.registry.baseline_errors import BaselineErrors, beside_baselines
from app.web import static_files
from gatecast_client import Client
from gatecast_client.shapes import Job, SeriesForecast

HIDDEN = 5
SHOWN = ("Brazil", "India", "Japan", "Norway", "United States")
POPULATION = static_files.FOLDER / "population.csv"
Countries = dict[str, list[tuple[int, float]]]


class DemoFailed(AppError):
    """The model lost, on data where it is known not to."""


def run_demo(url: str, console: Console) -> None:
    """Upload, train and forecast with a running service, and print the results.

    Raises DemoFailed if the model loses against the best simple method.
    """
    countries = read_countries(POPULATION)
    with Client(url) as client:
        console.print(
            f"[bold]1. The last {HIDDEN} years are hidden: how well does each method forecast them?[/bold]"
        )
        contexts = {name: history[:-HIDDEN] for name, history in countries.items()}
        judged = compare(countries, _trained_forecast(client, console, "demo-hindcast", contexts))
        console.print(_error_table(judged.smape))
        console.print(f"   {judged.verdict.outcome}: {judged.verdict.sentence}")
        console.print(f"[bold]2. Trained on everything: the next {HIDDEN} years[/bold]")
        console.print(_forecast_table(_trained_forecast(client, console, "demo-forecast", countries)))
    if judged.verdict.outcome == "loses":
        raise DemoFailed("The model lost against a simple method; on this data that is a fault.")


def read_countries(path: Path) -> Countries:
    """Return the years and values of every country in the example."""
    countries: Countries = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            countries.setdefault(row["unique_id"], []).append((int(row["ds"]), float(row["y"])))
    return countries


def compare(countries: Countries, forecasts: list[SeriesForecast]) -> BaselineErrors:
    """Hold the forecasts of all countries, by the method that is served, against every simple method."""
    series = [[value for _, value in countries[item.unique_id]] for item in forecasts]
    medians = [item.forecast for item in forecasts]
    return beside_baselines(series, forecasts[0].method, medians, "year")


def _trained_forecast(
    client: Client, console: Console, name: str, countries: Countries
) -> list[SeriesForecast]:
    """Upload, train at `quick`, forecast, and leave the service as it was."""
    dataset = client.upload(_as_csv(countries), name)
    profile = dataset.profile
    console.print(f"   uploaded {profile.series} series, {profile.start} to {profile.end}")
    try:
        job = client.train(dataset, HIDDEN, "quick")
        job = _watched(client, console, job)
        model = client.model(str(job.model_id))
        console.print(
            f"   trained {model.id} in {model.training_seconds:.1f} s; served method: {model.method}"
        )
        for verdict in model.verdicts.values():
            console.print(f"   {verdict.sentence}")
        return list(client.forecasts(dataset))
    finally:
        client.delete_dataset(dataset)


def _watched(client: Client, console: Console, job: Job) -> Job:
    with training_bar(console) as show:
        return client.wait(job, lambda now: show(now.progress))


def _as_csv(countries: Countries) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["unique_id", "ds", "y"])
    writer.writerows((name, year, value) for name, history in countries.items() for year, value in history)
    return buffer.getvalue().encode()


def _error_table(errors: dict[str, float]) -> Table:
    table = Table("method", f"sMAPE on the hidden {HIDDEN} years")
    for method, error in sorted(errors.items(), key=lambda item: item[1]):
        table.add_row(method, f"{error:.2f} %")
    return table


def _forecast_table(forecasts: list[SeriesForecast]) -> Table:
    table = Table("country", "year", "forecast", "80 % interval", "95 % interval")
    for item in forecasts:
        if item.unique_id not in SHOWN:
            continue
        for i, year in enumerate(item.ds):
            bounds = [f"{v.lo[i]:,.0f} to {v.hi[i]:,.0f}" for v in item.intervals.values()]
            table.add_row(item.unique_id if i == 0 else "", str(year), f"{item.forecast[i]:,.0f}", *bounds)
        table.add_section()
    return table
