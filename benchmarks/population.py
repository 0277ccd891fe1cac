"""The population of 40 countries five years ahead, at five cuts: what is served, beside every baseline.

The cuts are five years apart, the last one five years before the end. Each training sees what is before its
cut, and the verdict is on the five years after it: against the strongest baseline there, in sMAPE.

    python -m benchmarks.population [--preset quick] [--preset balanced]
"""

import argparse
import time
from collections.abc import Iterator

from app.commands.demo import HIDDEN, POPULATION, read_countries
from app.services.registry.baseline_errors import beside_baselines
from benchmarks.report import finish
from benchmarks.sanity_trends import CUTS
from models.choices import NO_SEASONS, Preset
from models.config import preset
from models.methods.combination import forecast_by
from models.methods.ensemble import ensemble_forecast
from models.panel import Floats, Panel
from models.training.train import train

PRESETS: tuple[Preset, ...] = ("quick", "balanced")


def cuts() -> Iterator[list[list[float]]]:
    """Yield all countries until the end of the five years after each cut, the latest first."""
    countries = [[value for _, value in years] for years in read_countries(POPULATION).values()]
    for number in range(CUTS):
        yield [values[: len(values) - number * HIDDEN] for values in countries]


def forecasts(known: Panel, name: Preset) -> tuple[str, Floats, Floats]:
    """Train on the known years; return the served method, its medians, and those of the network alone."""
    config = preset(
        name,
        horizon=HIDDEN,
        seasons=NO_SEASONS,
        values=len(known.values),
        longest=int(known.lengths.max()),
    )
    trained = train(known, config, ["lstm"])
    served = trained.assessment.served
    method = trained.assessment.methods[served]
    alone = ensemble_forecast(trained.model, known).median
    return served, forecast_by(method, trained.model, known).median, alone


def measure(series: list[list[float]], name: Preset) -> dict[str, object]:
    """Return the errors and the verdicts of one training at the cut before the last five years."""
    start = time.perf_counter()
    served, ours, alone = forecasts(Panel.of(series).without_last(HIDDEN), name)
    seconds = time.perf_counter() - start
    judged = beside_baselines(series, served, ours.tolist(), "year")
    network = beside_baselines(series, "lstm", alone.tolist(), "year")
    rivals = {method: round(error, 3) for method, error in judged.smape.items() if method != served}
    return {
        "served": served,
        "smape": {
            "served": round(judged.smape[served], 3),
            "network": round(network.smape["lstm"], 3),
            **rivals,
        },
        "verdict": judged.verdict.outcome,
        "rival": judged.verdict.baseline,
        "p_value": round(judged.verdict.p_value, 4),
        "network_verdict": network.verdict.outcome,
        "seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", choices=PRESETS, action="append", help="this preset; repeatable")
    for name in parser.parse_args().preset or PRESETS:
        rows = [measure(series, name) for series in cuts()]
        for row in rows:
            print(row, flush=True)
        finish("population", {"preset": name, "cuts": rows})


if __name__ == "__main__":
    main()
