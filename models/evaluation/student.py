"""Student's t distribution, for any positive degrees of freedom.

The tail is a regularised incomplete beta function, by its continued fraction: Press et al. (2007), Numerical
Recipes, section 6.4.
"""

import math

_TINY = 1e-300
_PRECISION = 1e-12
_MOST_TERMS = 500


def two_sided(t: float, freedom: float) -> float:
    """Return the chance of a value as far from 0 as `t`; 1 for NaN."""
    if math.isnan(t):
        return 1.0
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def critical(chance: float, freedom: float) -> float:
    """Return the `t` that has this two-sided chance, by bisection."""
    low, high = 0.0, 2.0
    while two_sided(high, freedom) > chance:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > chance else (low, middle)
    return high


def _incomplete_beta(a: float, b: float, x: float) -> float:
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(a, b, x) / a
    return 1 - front * _continued_fraction(b, a, 1 - x) / b


def _continued_fraction(a: float, b: float, x: float) -> float:
    """Return Lentz's evaluation of the fraction."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            value *= d * c
        if abs(d * c - 1) < _PRECISION:
            break
    return value


def _away(number: float) -> float:
    """Return a number that is no zero to divide by."""
    return number if abs(number) > _TINY else _TINY
