"""Values of any kind, looked at and compared."""

import warnings
from collections.abc import Mapping
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
from gymnasium import Space

from kilroy_gym.codecs.base import short
from kilroy_gym.post import AnyPost, PostData


def given_posts(posts: Any) -> list[AnyPost]:
    """Returns the posts that a check was given.

    Raises:
        TypeError: They are something else.
        ValueError: There are none.
    """
    found = list(posts)
    for post in found:
        if not isinstance(post, PostData):
            raise TypeError(f"posts must be a list of PostData, got {short(post)} in it")
    if not found:
        raise ValueError("posts must hold at least one PostData, got none")
    return found


def is_number(value: Any) -> bool:
    """Tells whether a value is a finite real number; a bool is one, a numpy array is not."""
    try:
        return isinstance(value, Real) and isfinite(value)
    except OverflowError:
        return False


def inside(space: Space[Any], value: Any) -> bool:
    """Tells whether a value is in a space, without the warnings that some spaces give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(space.contains(value))


def is_hashable(value: Any) -> bool:
    """Tells whether a value can be the key of a dict, and is found there again."""
    try:
        hash(value)
    except TypeError:
        return False
    return bool(value == value)  # which NaN is not


def equal(one: Any, other: Any) -> bool:
    """Tells whether two values are equal, arrays, posts and NaN inside them too."""
    if isinstance(one, PostData) and isinstance(other, PostData):
        return all(
            equal(getattr(one, name), getattr(other, name))
            for name in PostData.__dataclass_fields__
        )
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        left, right = np.asarray(one), np.asarray(other)
        if left.shape != right.shape:
            return False
        if left.dtype.kind in "biufc" and right.dtype.kind in "biufc":
            return bool(np.array_equal(left, right, equal_nan=True))
        return all(equal(a, b) for a, b in zip(left.ravel(), right.ravel(), strict=True))
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return bool(one == other) or bool(one != one and other != other)


def close(one: Any, other: Any) -> bool:
    """Tells whether two contents are equal, numbers up to the rounding of float32."""
    if equal(one, other):
        return True
    try:
        left, right = np.asarray(one, np.float64), np.asarray(other, np.float64)
    except (TypeError, ValueError):
        return False
    if left.shape != right.shape or np.asarray(one).dtype.kind != "f":
        return False
    eps = 4 * np.finfo(np.float32).eps
    return bool(np.allclose(left, right, rtol=eps, atol=eps * max(1.0, np.abs(left).max())))
