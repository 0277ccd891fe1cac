"""Use the forecasting core alone: arrays in, arrays out, without the service or a database.

python examples/core_only.py
"""

import numpy as np

from models.choices import Seasons
from models.config import preset
from models.methods.ensemble import ensemble_forecast
from models.panel import Panel
from models.training.fit import fit


def main() -> None:
    """Train on six noisy waves of 60 months, and forecast the next six months of the first one."""
    rng, months = np.random.default_rng(0), np.arange(60)
    waves = [50 + 10 * np.sin(2 * np.pi * (months + shift) / 12) + rng.normal(0, 1, 60) for shift in range(6)]
    panel = Panel.of(waves)
    config = preset("quick", horizon=6, seasons=Seasons((12,)), values=len(panel.values), longest=60)
    forecast = ensemble_forecast(fit(panel, config), panel, levels=[80])
    for step in range(6):
        lo, median, hi = forecast.lo[80][0, step], forecast.median[0, step], forecast.hi[80][0, step]
        print(f"step {step + 1}: {median:.1f} ({lo:.1f} to {hi:.1f})")


if __name__ == "__main__":
    main()
