"""Draw the forecast of one series of a running service: the past, the median, and the intervals.

python examples/fan_chart.py http://127.0.0.1:8000 DATASET_ID Norway norway.png
"""

import sys

import httpx2
from matplotlib.figure import Figure


def main(url: str, dataset_id: str, unique_id: str, picture: str) -> None:
    """Ask for past and future, and draw them."""
    asked = {"unique_id": unique_id}
    past = httpx2.get(f"{url}/datasets/{dataset_id}/observations", params={**asked, "limit": 1000}).json()
    (ahead,) = httpx2.get(f"{url}/forecast", params={**asked, "dataset_id": dataset_id}).json()["forecasts"]
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(past["ds"][-30:], past["y"][-30:], color="#222222", label="known")
    axes.plot(ahead["ds"], ahead["forecast"], color="#0072b2", marker=".", label="forecast")
    for level, shade in (("95", 0.15), ("80", 0.3)):
        bounds = ahead["intervals"][level]
        axes.fill_between(
            ahead["ds"],
            bounds["lo"],
            bounds["hi"],
            color="#0072b2",
            alpha=shade,
            linewidth=0,
            label=f"{level} %",
        )
    axes.set_title(unique_id)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.legend(frameon=False)
    figure.savefig(picture, dpi=120)


if __name__ == "__main__":
    if len(sys.argv) < 5:  # noqa: PLR2004  # as many words as `main` takes, behind its name
        sys.exit(__doc__)
    main(*sys.argv[1:])
