"""Draw the last values of a series as a small SVG, without axes."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from markupsafe import Markup

WIDTH, HEIGHT, MARGIN = 120.0, 28.0, 2.0
MOST_POINTS = 120


def draw(values: Sequence[float]) -> Markup:
    """Return an SVG of the values, NaN marks a gap; its colours are those of the page."""
    y = _thinned(np.asarray(values, dtype=np.float64))
    if not np.isfinite(y).any():
        return Markup("")
    x = np.linspace(MARGIN, WIDTH - MARGIN, max(2, len(y)))
    low, high = np.nanmin(y), np.nanmax(y)
    middle = np.full(len(y), HEIGHT / 2)
    up = middle if high == low else HEIGHT - MARGIN - (y - low) / (high - low) * (HEIGHT - 2 * MARGIN)
    lines = "".join(f'<polyline points="{points}"/>' for points in _pieces(x, np.where(np.isnan(y), y, up)))
    return Markup(  # noqa: S704  # numbers alone
        f'<svg class="sparkline" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" aria-hidden="true">{lines}</svg>'
    )


def _thinned(y: np.ndarray) -> np.ndarray:
    """Return the values, of many the lowest and the highest of each stretch."""
    y = np.where(np.isfinite(y), y, np.nan)
    if len(y) <= MOST_POINTS:
        return y
    stretches = [each for each in np.array_split(y, MOST_POINTS // 2) if np.isfinite(each).any()]
    ends = [sorted((int(np.nanargmin(each)), int(np.nanargmax(each)))) for each in stretches]
    return np.array([each[i] for each, pair in zip(stretches, ends, strict=True) for i in pair])


def _pieces(x: np.ndarray, y: np.ndarray) -> list[str]:
    """Return the points of each unbroken piece; a single point becomes a short line."""
    pieces = []
    for is_gap, group in groupby(range(len(y)), key=lambda i: bool(np.isnan(y[i]))):
        if is_gap:
            continue
        points = [f"{x[i]:.1f},{y[i]:.1f}" for i in group]
        pieces.append(" ".join(points if len(points) > 1 else points * 2))
    return pieces
