"""The GPU beside the CPU: does it give the same forecasts and the same bits twice, and how fast is it.

It trains one ensemble twice and compares the bits, forecasts with it and with the pretrained networks on both
devices and compares the numbers, and times forecasts, the training, and a bare loop of the same LSTM whose
tensors are ready. It takes under eight minutes, and needs no network. The exit status is 0 if all checks
hold, 1 if one does not, 2 without a GPU.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --device cpu     a small run of the script itself, on the CPU twice
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import torch

from benchmarks.report import finish, print_table
from benchmarks.training import HORIZON, ROUNDS, SEASON, bare_loop, monthly_like
from models.choices import Seasons
from models.config import TrainingConfig, preset
from models.errors import DeviceUnavailable
from models.methods.ensemble import ensemble_forecast
from models.methods.zero_shot import zero_shot_forecaster
from models.network.artifact import Artifact, dump, load
from models.network.devices import resolve_device, use_one_thread
from models.network.forecaster import Forecaster
from models.panel import Panel
from models.training.fit import fit

NO_DEVICE = 2
TOLERANCE = 1e-4
"""Largest relative difference of a forecast between CPU and GPU."""

NOT_DETERMINISTIC = "does not have a deterministic implementation"


@dataclass(frozen=True)
class Size:
    """How much is measured: series to train on and to forecast, and the steps of each member."""

    trained: int
    forecast: int
    steps: int


FULL, SMALL = Size(trained=1428, forecast=50_000, steps=300), Size(trained=20, forecast=60, steps=10)


def measure(device: str, size: Size) -> dict[str, object]:
    """Return every figure and check for one device, beside the CPU."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        panel = monthly_like()
        figures = {**_train(panel.some(0, size.trained), device, size), **_serve(panel, device, size)}
    # Each is named once: an operation that adds in any order, so that its bits may differ.
    found = {
        str(each.message).split(" does", 1)[0] for each in caught if NOT_DETERMINISTIC in str(each.message)
    }
    return {"device": _name(device), **figures, "not_deterministic": sorted(found)}


def _train(panel: Panel, device: str, size: Size) -> dict[str, object]:
    """Train twice, compare the bits and the forecasts on both devices, and time it beside the bare loop."""
    config = _config(panel, size)
    first, second = dump(fit(panel, config, device=device)), dump(fit(panel, config, device=device))
    bare_loop(config, device)  # the first run pays for what is set up once, as the fits above did
    rounds = [
        (
            _seconds(lambda: fit(panel, config, device=device), device),
            _seconds(lambda: bare_loop(config, device), device),
        )
        for _ in range(ROUNDS)
    ]
    seconds, bare = (median(times) for times in zip(*rounds, strict=True))
    windows = config.members * config.steps * config.batch
    return {
        "same_bits_twice": first.weights == second.weights,
        "trained_difference": _difference(_loaded(first, "cpu"), _loaded(first, device), panel),
        "windows_per_second": round(windows / seconds, 1),
        "bare_windows_per_second": round(windows / bare, 1),
        "ratio_to_bare_loop": round(bare / seconds, 4),
    }


def _serve(panel: Panel, device: str, size: Size) -> dict[str, object]:
    """Forecast many series with the pretrained networks, compare the numbers, and time both devices."""
    rows = np.arange(size.forecast) % panel.series
    many = panel.heads(rows, panel.lengths[rows])
    networks = {place: zero_shot_forecaster(HORIZON, Seasons((SEASON,)), place) for place in ("cpu", device)}
    few = many.some(0, 1000)
    bits = [ensemble_forecast(networks[device], few).median.tobytes() for _ in range(2)]
    seconds = _seconds(lambda: ensemble_forecast(networks[device], many), device)
    on_cpu = _seconds(lambda: ensemble_forecast(networks["cpu"], few), "cpu")
    return {
        "same_forecast_twice": bits[0] == bits[1],
        "pretrained_difference": _difference(networks["cpu"], networks[device], few),
        "series_per_second": round(many.series / seconds, 1),
        "cpu_series_per_second": round(few.series / on_cpu, 1),
    }


def _config(panel: Panel, size: Size) -> TrainingConfig:
    """Return the preset `balanced`, from scratch, each member cut to some steps."""
    whole = preset(
        "balanced",
        horizon=HORIZON,
        seasons=Seasons((SEASON,)),
        values=len(panel.values),
        longest=int(panel.lengths.max()),
        start="scratch",
    )
    return replace(whole, steps=size.steps, epochs=min(whole.epochs, size.steps))


def _loaded(artifact: Artifact, device: str) -> Forecaster:
    return load(artifact.weights, artifact.metadata, device=device)


def _difference(one: Forecaster, other: Forecaster, panel: Panel) -> float:
    """Return the largest relative difference of any median or bound."""
    left, right = (ensemble_forecast(each, panel) for each in (one, other))
    pairs = [(left.median, right.median)]
    pairs += [(left.lo[level], right.lo[level]) for level in left.lo]
    pairs += [(left.hi[level], right.hi[level]) for level in left.hi]
    return max(
        float((np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)).clip(min=1e-300)).max()) for a, b in pairs
    )


def _seconds(work: Callable[[], object], device: str) -> float:
    """Return the seconds of a call, until the GPU has done its part too."""
    start = time.perf_counter()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _name(device: str) -> str:
    return device if device == "cpu" else torch.cuda.get_device_name(torch.device(device))


def failures(result: dict[str, object]) -> list[str]:
    """Return the checks that do not hold."""
    failed = [name for name in ("same_bits_twice", "same_forecast_twice") if result[name] is not True]
    for name in ("trained_difference", "pretrained_difference"):
        figure = result[name]
        if not (isinstance(figure, float) and figure <= TOLERANCE):
            failed.append(name)
    return failed + (["not_deterministic"] if result["not_deterministic"] else [])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="`cuda`, `cuda:N`, or `cpu` for a small run")
    device = parser.parse_args().device
    try:
        resolve_device(device)
    except DeviceUnavailable as error:
        print(f"Nothing was measured. {error}", file=sys.stderr)
        raise SystemExit(NO_DEVICE) from error
    use_one_thread()
    result = measure(device, SMALL if device == "cpu" else FULL)
    print_table(("figure", "value"), [(name, str(value)) for name, value in result.items()])
    failed = failures(result)
    if device == "cpu":
        print(f"This was a small run of the script, and no measure. Failed: {failed}.")
    else:
        finish("gpu", {**result, "failed": failed})
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
