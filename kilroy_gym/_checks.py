"""Checks of numeric arguments."""

from math import isfinite
from numbers import Integral, Real
from typing import Any


def integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Returns an argument that must be an integer from ``low`` to ``high``.

    Raises:
        ValueError: It is not; the message names the argument and the range.
    """
    fits = isinstance(value, Integral) and not isinstance(value, bool)
    if not fits or value < low or (high is not None and value > high):
        upper = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be an integer {upper}, got {value!r}")
    return int(value)


def number(
    name: str, value: Any, low: float, high: float | None = None, above: bool = False
) -> float:
    """Returns an argument that must be a finite number from ``low`` to ``high``.

    Args:
        name: The argument's name.
        value: The value given.
        low: The lowest value allowed.
        high: The highest value allowed, or ``None``.
        above: Whether to exclude ``low`` itself.

    Raises:
        ValueError: It is not; the message names the argument and the range.
    """
    fits = isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
    if not fits or value < low or (above and value == low) or (high is not None and value > high):
        lower = f"above {low:g}" if above else f"of at least {low:g}"
        upper = "" if high is None else f" and at most {high:g}"
        raise ValueError(f"{name} must be a number {lower}{upper}, got {value!r}")
    return float(value)
