"""Upload a file to a running service, train, and print each series' forecast for the last step.

python examples/forecast_a_file.py examples/population.csv http://127.0.0.1:8000
"""

import sys

from gatecast_client import Client


def main(file: str, url: str) -> None:
    """Go the whole path."""
    with Client(url) as client:
        dataset = client.upload(file)
        client.wait(client.train(dataset, horizon=5, preset="quick"))
        for item in client.forecasts(dataset, level=[80]):
            interval = item.intervals["80"]
            print(f"{item.unique_id} {item.ds[-1]}: {item.forecast[-1]:,.0f}", end=" ")
            print(f"({interval.lo[-1]:,.0f} to {interval.hi[-1]:,.0f})")


if __name__ == "__main__":
    if len(sys.argv) < 3:  # noqa: PLR2004  # as many words as `main` takes, behind its name
        sys.exit(__doc__)
    main(*sys.argv[1:])
