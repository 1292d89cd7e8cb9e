"""The arrays of a round."""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.error import InvalidAction

from kilroy_gym.interfaces import AnyArray, AnyId


def check_count(given: int, count: int) -> None:
    """Refuses a round of another number of posts.

    Raises:
        gymnasium.error.InvalidAction: ``given`` is not ``count``.
    """
    if given != count:
        raise InvalidAction(f"a round has {count} actions, got {given}")


def filled(value: Any, count: int) -> npt.NDArray[np.float64]:
    """Returns a number for each of ``count`` posts, in an array that nobody else holds."""
    if isinstance(value, np.ndarray) and value.shape:
        return np.array(value, np.float64)
    numbers = np.empty(count)
    numbers.fill(value)
    return numbers


def id_array(post_ids: list[AnyId]) -> AnyArray:
    """Returns post ids as an array: int64 where they are all integers that fit, else objects."""
    if all(type(post_id) is int for post_id in post_ids):
        try:
            return np.array(post_ids, np.int64)
        except OverflowError:
            pass
    return object_array(post_ids)


def object_array(items: list[Any]) -> AnyArray:
    """Returns an array of the items themselves, also where these are tuples or arrays."""
    array = np.empty(len(items), dtype=object)
    for slot, item in enumerate(items):
        array[slot] = item
    return array
