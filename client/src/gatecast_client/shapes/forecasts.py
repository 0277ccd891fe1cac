"""The shapes of forecasts."""

from gatecast_client.shapes.base import Shape, Time


class Interval(Shape):
    """The bounds of an interval, one value for each step, and how reliable they are."""

    lo: list[float]
    hi: list[float]
    calibrated: bool
    coverage: float | None
    untested: str | None
    coverage_range: tuple[float, float] | None = None
    periods: int | None = None


class SeriesForecast(Shape):
    """The forecast of one series."""

    unique_id: str
    dataset_id: str | None
    dataset_version: int | None
    model_id: str
    frequency: Time
    ds: list[Time]
    forecast: list[float]
    mean: list[float]
    intervals: dict[str, Interval]
    method: str
    verdict: str | None
    warning: str | None
